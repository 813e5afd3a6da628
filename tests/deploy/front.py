"""Debian's nginx and HAProxy before a running wsd, each under the configuration that tools/deploy ships.

What is shipped is changed in ports, paths and, where a test asks for it, in times; each change must find its text, so
that the test cannot come to run something else. The proxies run in the foreground and are ended by process id.
"""
import contextlib
import grp
import os
import pathlib
import pwd
import re
import socket
import ssl
import subprocess
import threading

from daemon import LIMIT_S, Peer

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
SHIPPED = TOP / "tools" / "deploy"
NAME = "wsd.example.com"  # of the server, in the shipped files and in the certificate


class Adapted:
    """The text of a shipped file, with what was changed in it."""

    def __init__(self, name):
        self.text = (SHIPPED / name).read_text()

    def change(self, old, new):
        if old not in self.text:
            raise RuntimeError(f"the shipped file has no {old!r} any more")
        self.text = self.text.replace(old, new)
        return self

    def write(self, path):
        path.write_text(self.text)
        return path


def documented_flags(name):
    """How a shipped file says that wsd is to be started before it; but for the ports, which are free ones here."""
    command = re.search(r"^# +wsd (--.+)$", (SHIPPED / name).read_text(), re.MULTILINE)[1]
    return re.sub(r":900[12]\b", ":0", command).split()


class Certificate:
    """Made on the spot for NAME, signed by itself: `context` is a client's that trusts it and nothing else."""

    def __init__(self, folder):
        self.chain, self.key, self.both = folder / "fullchain.pem", folder / "privkey.pem", folder / "site.pem"
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        name = ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}", "-days", "2"]
        subprocess.run(["openssl", "req", "-x509", *curve, *name, "-keyout", self.key, "-out", self.chain],
                       check=True, capture_output=True)
        self.both.write_text(self.chain.read_text() + self.key.read_text())
        self.context = ssl.create_default_context(cafile=self.chain)


class TlsPeer(Peer):
    """A bare connection to a proxy over TLS, from an address of one's choice."""

    def __init__(self, front, source="127.0.0.1"):  # the base class's knows no TLS
        plain = socket.create_connection(("127.0.0.1", front.port), LIMIT_S, source_address=(source, 0))
        self.socket = front.certificate.context.wrap_socket(plain, server_hostname=NAME)
        self._in = self.socket.makefile("rb")


class Process:
    """A program in the foreground that says on standard error when it is ready; `with` ends it."""

    def __init__(self, arguments, ready):
        self._lines, self._changed, self._ended = [], threading.Condition(), False
        self._process = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.wait_for(ready)
        except BaseException:
            self.end()
            raise

    def _read(self):
        for line in self._process.stderr:
            with self._changed:
                self._lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait_for(self, text):
        """Waits for a line with this text, if there has been none."""
        with self._changed:
            while not any(text in line for line in self._lines):
                if self._ended or not self._changed.wait(LIMIT_S):
                    raise RuntimeError(f"{self._process.args[0]} never said {text!r}: {self._lines}")

    def end(self):
        self._process.terminate()
        try:
            self._process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(LIMIT_S)
        self._process.stderr.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


@contextlib.contextmanager
def held_port():
    """A port that nobody is given while a proxy gets to listen on it: bound, but not listening."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


class Nginx:
    """nginx.conf. `timeout` takes the place of how long a connection may be silent."""

    NAME = "nginx"
    WSD_FLAGS = documented_flags("nginx.conf")
    TIMEOUT = "150s"
    PEER = r"127\.0\.0\.2:0"  # nginx tells no port

    def __init__(self, folder, certificate, port, wsd, timeout=None, admin=None):
        """`admin` is the port where wsd has what is not for its clients."""
        self.folder, self.certificate, self.port = folder, certificate, port
        adapted = Adapted("nginx.conf")
        adapted.change("listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
        adapted.change("server 127.0.0.1:9001", f"server {wsd}")
        adapted.change("http://127.0.0.1:9002", f"http://127.0.0.1:{admin or 9002}")
        adapted.change("/etc/ssl/wsd/fullchain.pem", str(certificate.chain))
        adapted.change("/etc/ssl/wsd/privkey.pem", str(certificate.key))
        adapted.change("/var/log/nginx", str(folder)).change("/run/nginx.pid", str(folder / "nginx.pid"))
        if timeout:
            adapted.change(self.TIMEOUT, timeout)
        self.config = adapted.write(folder / "nginx.conf")

    def judge(self):
        return subprocess.run(["nginx", "-t", "-c", self.config], capture_output=True, text=True, check=False)

    def start(self):
        said = "daemon off; error_log stderr notice;"  # its notices say when it listens
        return Process(["nginx", "-c", self.config, "-g", said], "start worker process ")

    def access_log(self):
        """What was logged of clients; to be asked when the proxy has ended."""
        return (self.folder / "access.log").read_text()


class NginxUnix(Nginx):
    """The same, with a unix socket between nginx and wsd."""

    NAME = "nginx over a unix socket"
    WSD_FLAGS = ["--listen=unix:{folder}/wsd.sock", "--trusted-proxies=unix:", "--admin-listen=127.0.0.1:0"]


class Haproxy:
    """haproxy.cfg. `timeout` takes the place of how long a connection may be silent."""

    NAME = "HAProxy"
    WSD_FLAGS = documented_flags("haproxy.cfg")
    TIMEOUT = "150s"
    PEER = r"127\.0\.0\.2:[1-9][0-9]*"
    CHECK = " check port 9002 inter 2s"
    CHECKED = " check port {admin} inter 200ms"

    def __init__(self, folder, certificate, port, wsd, timeout=None, admin=None):
        self.certificate, self.port = certificate, port
        adapted = Adapted("haproxy.cfg").change("bind :443", f"bind 127.0.0.1:{port}")
        adapted.change("/etc/ssl/wsd/site.pem", str(certificate.both))
        adapted.change("server wsd 127.0.0.1:9001", f"server wsd {self.server(wsd)}")
        adapted.change(self.CHECK, self.CHECKED.format(admin=admin) if admin else "")
        if timeout:
            adapted.change(self.TIMEOUT, timeout)
        adapted.change("maxconn 30000", "maxconn 1000")  # it ends where it cannot have the descriptors for more
        if os.geteuid() != 0:  # whoever it is, cannot become another
            adapted.change("user haproxy", "user " + pwd.getpwuid(os.geteuid()).pw_name)
            adapted.change("group haproxy", "group " + grp.getgrgid(os.getegid()).gr_name)
        self._log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        log = folder / "log"
        log.unlink(missing_ok=True)
        self._log.bind(str(log))
        log.chmod(0o666)
        folder.chmod(0o711)  # it writes there as a user of its own
        adapted.change("log /dev/log", f"log {log}")
        self.config = adapted.write(folder / "haproxy.cfg")

    @staticmethod
    def server(wsd):
        """The address at which wsd listens, as HAProxy calls it."""
        return wsd

    def judge(self):
        return subprocess.run(["haproxy", "-c", "-f", self.config], capture_output=True, text=True, check=False)

    def start(self):
        return Process(["haproxy", "-W", "-db", "-f", self.config], "Loading success")

    def access_log(self):
        """What was logged of clients; to be asked when the proxy has ended."""
        lines = []
        self._log.setblocking(False)
        with self._log, contextlib.suppress(BlockingIOError):
            while True:
                lines.append(self._log.recv(65536).decode())
        return "\n".join(lines)


class HaproxyUnix(Haproxy):
    """The same, with a unix socket between HAProxy and wsd; health checks stay on the admins' port."""

    NAME = "HAProxy over a unix socket"
    WSD_FLAGS = ["--listen=unix:{folder}/wsd.sock", "--proxy-protocol=required", "--trusted-proxies=unix:",
                 "--admin-listen=127.0.0.1:0"]
    CHECKED = " check addr 127.0.0.1 port {admin} inter 200ms"

    @staticmethod
    def server(wsd):
        return "unix@" + wsd.removeprefix("unix:")
