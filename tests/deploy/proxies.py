"""What tools/deploy ships is run: wsd behind Debian's nginx and HAProxy, which end TLS with a certificate made on the
spot. Clients are python3-websockets and bare peers.

It refuses to test the proxies beyond what wsd's users rely on. Time passes here as pings from wsd that are waited for.
usage: proxies.py WSD
"""
import asyncio
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests" / "support"))

import websockets  # noqa: E402 (the path is set above)

from daemon import LIMIT_S, PING, TEXT, Checks, Daemon  # noqa: E402
from front import NAME, Certificate, Haproxy, HaproxyUnix, Nginx, NginxUnix, TlsPeer, held_port  # noqa: E402

PONG = 10
PAGES = ["/health", "/health/live", "/health/ready", "/metrics"]  # of wsd, for its operator
KEY = "a-key-for-the-control-api"
WSD = sys.argv[1]
HELP = subprocess.run([WSD, "--help"], capture_output=True, text=True, check=True).stdout
checks = Checks()


class Deployed:
    """One wsd behind one proxy. `wsd_log` and `proxy_log` are whole once both have ended."""

    def __init__(self, daemon, front):
        self.daemon, self.front = daemon, front
        self.proxy = None
        self.wsd_log = self.proxy_log = ""

    def peer(self, source="127.0.0.1"):
        return TlsPeer(self.front, source)


@contextlib.contextmanager
def open_to_all(folder):
    """A socket that is made in it can be reached by every user, as nginx's workers are another's."""
    folder.chmod(0o711)
    mask = os.umask(0)
    try:
        yield
    finally:
        os.umask(mask)


@contextlib.contextmanager
def deployed(kind, certificate, *flags, timeout=None):
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        started = [flag.format(folder=folder) for flag in kind.WSD_FLAGS]
        with open_to_all(folder):
            daemon = stack.enter_context(Daemon(WSD, *started, "--log-level=debug", *flags))
        port = stack.enter_context(held_port())
        admin_port = daemon.admin_addresses[0].rsplit(":", 1)[1]
        front = kind(folder, certificate, port, daemon.addresses[0], timeout, admin_port)
        both = Deployed(daemon, front)
        with both.front.start() as both.proxy:
            yield both
        daemon.signal(signal.SIGTERM)
        daemon.exit_status()
        both.wsd_log, both.proxy_log = "\n".join(daemon.log), front.access_log()


# ----------------------------------------------------------------------------------------------------------- echoing

async def echoes(front, compression, messages):
    """Sends each message through the proxy and reads it back. Returns what it got and the extensions agreed to."""
    there = {"host": "127.0.0.1", "port": front.port, "server_hostname": NAME, "ssl": front.certificate.context}
    async with websockets.connect(f"wss://{NAME}/room?token=in-the-query", max_size=None, compression=compression,
                                  local_addr=("127.0.0.2", 0), **there) as client:
        got = []
        for message in messages:
            await client.send(message)
            got.append(await asyncio.wait_for(client.recv(), LIMIT_S))
        return got, [type(extension).__name__ for extension in client.extensions]


def test_echo(kind, certificate):
    plain = ["hello", "", "héllo 漢字", b"\x00\xff", os.urandom(1 << 20), "漢" * (1 << 18)]
    compressible = [json.dumps({"user": n, "text": "hello " * 20}) for n in range(20)] + ["text " * (1 << 18)]
    with deployed(kind, certificate) as both:
        got, agreed = asyncio.run(echoes(both.front, None, plain))
        checks.check(f"{kind.NAME}: small messages and 1 MiB over wss://", got == plain and not agreed)
        got, agreed = asyncio.run(echoes(both.front, "deflate", compressible))
        checks.check(f"{kind.NAME}: compressed messages", got == compressible and agreed == ["PerMessageDeflate"],
                     agreed)
        with both.peer() as peer:
            peer.open()
            both.daemon.signal(signal.SIGTERM)
            checks.equal(f"{kind.NAME}: a drain's close code arrives", peer.close_code(), 1001)
        checks.equal(f"{kind.NAME}: wsd ends with 0", both.daemon.exit_status(), 0)
    logs = both.wsd_log + both.proxy_log
    checks.check(f"{kind.NAME}: paths are logged, queries not",
                 "/room" in both.proxy_log and "in-the-query" not in logs, logs)


# ------------------------------------------------------------------------------------------------------- the client

def status_from(both, source, *headers):
    """What a client at that address is answered when it comes and goes."""
    with both.peer(source) as peer:
        return peer.request(*headers)[0]


def test_client_address(kind, certificate):
    """Whom wsd takes a client for shows in whose connections it counts together."""
    with deployed(kind, certificate, "--max-connections-per-ip=1") as both:
        with both.peer("127.0.0.2") as first:
            checks.equal(f"{kind.NAME}: the first of a client", first.request()[0], 101)
            checks.equal(f"{kind.NAME}: the second of the same client", status_from(both, "127.0.0.2"), 429)
            checks.equal(f"{kind.NAME}: one of another client", status_from(both, "127.0.0.3"), 101)
            for header in ("X-Forwarded-For: 127.0.0.9", "Forwarded: for=127.0.0.9", "X-Real-IP: 127.0.0.9"):
                checks.equal(f"{kind.NAME}: the second of the same client, with {header}",
                             status_from(both, "127.0.0.2", header), 429)
    checks.check(f"{kind.NAME}: the client's address is in wsd's log", re.search(kind.PEER, both.wsd_log), both.wsd_log)


# ----------------------------------------------------------------------------------------------------- health checks

def test_pages_stay_inside(kind, certificate):
    """What wsd tells its operator is not for whoever comes through the proxy."""
    with deployed(kind, certificate) as both, both.peer() as peer:
        told = {page: peer.ask(page)[0] for page in PAGES}
        checks.equal(f"{kind.NAME}: health and metrics are not for its clients", set(told.values()), {404})


def test_control_api(kind, certificate):
    with tempfile.NamedTemporaryFile("w") as key:
        key.write(KEY)
        key.flush()
        with deployed(kind, certificate, "--hub", f"--admin-key-file={key.name}") as both:

            def told(source, *headers):
                with both.peer(source) as peer:
                    return peer.ask("/api/sessions", *headers)[0]

            right = f"Authorization: Bearer {KEY}"
            checks.equal(f"{kind.NAME}: the control API is for those who are listed", told("127.0.0.2", right), 403)
            known = [told("127.0.0.1"), told("127.0.0.1", right)]
            checks.equal(f"{kind.NAME}: ... and have its key", known, [401, 200])
            with both.peer() as peer:
                checks.equal(f"{kind.NAME}: a hub's refusals arrive", peer.request(target="/hub")[0], 400)


def test_drain_is_seen(kind, certificate):
    """A drain that lasts, as one client does not answer its close: HAProxy sees it, and sends nobody there any more."""
    name = f"{kind.NAME}: wsd that drains gets nobody new"
    with deployed(kind, certificate, f"--drain-grace={LIMIT_S}s", f"--close-timeout={LIMIT_S}s") as both:
        with both.peer() as peer:
            peer.open()
            both.daemon.signal(signal.SIGTERM)
            both.proxy.wait_for("Server wsd/wsd is DOWN")
            with both.peer("127.0.0.2") as late:
                checks.equal(name, late.request()[0], 503)
            checks.equal(f"{kind.NAME}: whoever is there gets its close", peer.close_code(), 1001)


# --------------------------------------------------------------------------------------------------------- timeouts

TIMEOUT_S = 2  # of the proxies here, in place of the one that is shipped
PING_S = 0.3   # of wsd
PINGS = 12     # that take longer than the timeout


def await_ping(peer):
    opcode, payload = peer.frame()
    if opcode != PING:
        raise RuntimeError(f"not a ping: {opcode} {payload}")
    return payload


def test_idle(kind, certificate):
    with deployed(kind, certificate, f"--ping-interval={int(PING_S * 1000)}ms", timeout=f"{TIMEOUT_S}s") as both:
        with both.peer() as peer:
            peer.open()
            start = time.monotonic()
            for _ in range(PINGS):
                peer.send(PONG, await_ping(peer))
            peer.send(TEXT, b"still here")
            checks.check(f"{kind.NAME}: an idle connection outlives the proxy's timeout",
                         peer.frame() == (TEXT, b"still here") and time.monotonic() - start > TIMEOUT_S)
        with both.peer() as peer:
            peer.open()
            start = time.monotonic()
            frame = bytes([0x81, 0x80 | PINGS, 0, 0, 0, 0]) + b"x" * PINGS
            peer.socket.sendall(frame[:-PINGS])
            for byte in frame[-PINGS:]:
                await_ping(peer)
                peer.socket.sendall(bytes([byte]))
            while (got := peer.frame())[0] == PING:
                pass
            checks.check(f"{kind.NAME}: a message that comes slowly outlives the proxy's timeout",
                         got == (TEXT, b"x" * PINGS) and time.monotonic() - start > TIMEOUT_S, got)


def test_silence(kind, certificate):
    with deployed(kind, certificate, "--ping-interval=0", timeout=f"{TIMEOUT_S}s") as both, both.peer() as peer:
        peer.open()
        checks.check(f"{kind.NAME}: without pings its timeout ends a connection", peer.at_end())


def default_s(flag):
    return int(re.search(rf"--{flag} .*\((\d+)s\)", HELP)[1])


def test_shipped_timeout(kind):
    shipped = int(kind.TIMEOUT.removesuffix("s"))
    checks.check(f"{kind.NAME}: its timeout is longer than wsd's for silent peers, and that than wsd's pings",
                 shipped > default_s("stale-timeout") > default_s("ping-interval"))


# ---------------------------------------------------------------------------------------------------- configurations

def test_configurations(certificate):
    for kind in (Nginx, Haproxy):
        with tempfile.TemporaryDirectory() as folder:
            done = kind(pathlib.Path(folder), certificate, 443, "127.0.0.1:9001").judge()
            checks.check(f"{kind.NAME} finds nothing wrong with its configuration",
                         done.returncode == 0 and "warn" not in (done.stdout + done.stderr).lower(), done.stderr)


def main():
    with tempfile.TemporaryDirectory() as folder:
        certificate = Certificate(pathlib.Path(folder))
        checks.attempt("configurations", test_configurations, certificate)
        for kind in (Haproxy, HaproxyUnix):
            checks.attempt(f"{kind.NAME}: health checks", test_drain_is_seen, kind, certificate)
        for kind in (Nginx, NginxUnix):
            checks.attempt(f"{kind.NAME}: control API", test_control_api, kind, certificate)
        for kind in (Nginx, NginxUnix, Haproxy, HaproxyUnix):
            for test in (test_echo, test_client_address, test_pages_stay_inside, test_idle, test_silence):
                checks.attempt(f"{kind.NAME}: {test.__name__}", test, kind, certificate)
            checks.attempt(f"{kind.NAME}: shipped timeout", test_shipped_timeout, kind)
    return checks.summary()


sys.exit(main())
