"""A page in headless Chromium against a running echo server. usage: chromium_page.py URL

Serves the page itself, since a page needs an origin, and prints the lines that it posts back.
"""
import http.server
import pathlib
import queue
import subprocess
import sys
import tempfile
import threading
import urllib.parse

PAGE = pathlib.Path(__file__).with_name("page.html")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update"]
results = queue.Queue()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = PAGE.read_bytes() if self.path.startswith("/page") else b""
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        results.put(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page = "http://127.0.0.1:%d/page?url=%s" % (server.server_port, urllib.parse.quote(sys.argv[1], safe=""))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = subprocess.Popen(["chromium", *FLAGS, "--user-data-dir=" + profile, page], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        try:
            lines = results.get(timeout=90)
        except queue.Empty:
            lines = "FAIL  chromium: the page told nothing in time"
        finally:
            browser.terminate()
            try:
                browser.wait(timeout=10)
            except subprocess.TimeoutExpired:
                browser.kill()
                browser.wait()
    print(lines)
    sys.exit(1 if "FAIL" in lines else 0)


main()
