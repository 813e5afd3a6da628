"""A page in headless Chromium, for tests: serves files, since a page needs an origin, opens one, and waits for the
lines that it posts back."""
import http.server
import mimetypes
import queue
import subprocess
import tempfile
import threading

LIMIT_S = 90
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update"]


def lines_of(target, files):
    """What the page at `target` (path and query) posts back; `files` gives the file of a path, or None."""
    results = queue.Queue()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            path = self.path.split("?")[0]
            file = files(path)
            body = file.read_bytes() if file else b""
            self.send_response(200 if file else 404)
            self.send_header("Content-Type", mimetypes.guess_type(path + ".html" if "." not in path else path)[0])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self):
            results.put(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = subprocess.Popen(["chromium", *FLAGS, "--user-data-dir=" + profile,
                                    f"http://127.0.0.1:{server.server_port}{target}"], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        try:
            return results.get(timeout=LIMIT_S)
        except queue.Empty:
            return "FAIL  chromium: the page told nothing in time"
        finally:
            browser.terminate()
            try:
                browser.wait(timeout=10)
            except subprocess.TimeoutExpired:
                browser.kill()
                browser.wait()
