"""What the daemon tells whoever runs it: health, metrics and the access log, over real sockets.

The metrics are read with Prometheus's own Python parser, and with promtool where that is installed. usage:
daemon_test.sh WSD
"""
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests" / "support"))

from daemon import (CLOSE, LIMIT_S, PING, PONG, TEXT, Checks, Daemon, Peer,  # noqa: E402 (the path is set above)
                    parse_line)

try:
    from prometheus_client.parser import text_string_to_metric_families
except ImportError:
    text_string_to_metric_families = None

WSD = sys.argv[1]
checks = Checks()

BINARY = 2  # §5.2
PAGES = ["/health", "/health/live", "/health/ready", "/metrics"]


def ask(address, target, *headers, **request):
    with Peer(address) as peer:
        return peer.ask(target, *headers, **request)


# ------------------------------------------------------------------------------------------------------------- pages

def test_main_port():
    with Daemon(WSD, "--port=0") as daemon:
        address = daemon.addresses[0]
        for page in PAGES:
            checks.equal(f"{page} is on the main port", ask(address, page)[0], 200)
            head = ask(address, page, method="HEAD")
            checks.check(f"HEAD {page} has a length and no body", head[0] == 200 and int(head[1]["content-length"]) > 0,
                         head)
            post = ask(address, page, method="POST", body="x")
            checks.equal(f"POST {page}", (post[0], post[1]["allow"]), (405, "GET, HEAD"))
        elsewhere = ask(address, "/elsewhere")
        checks.equal("a plain request elsewhere", (elsewhere[0], elsewhere[1]["upgrade"]), (426, "websocket"))
        with Peer(address) as peer:
            checks.equal("requests share a connection", [peer.ask(page)[0] for page in PAGES], [200] * 4)
            checks.equal("... which may then be upgraded", peer.request()[0], 101)
        with Peer(address) as peer:
            checks.equal("an upgrade at a page's path is an upgrade", peer.request(target="/health")[0], 101)
        health = json.loads(ask(address, "/health")[2])
        version = subprocess.run([WSD, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
        checks.equal("/health tells status and version", (health["status"], health["version"]), ("ok", version))
        checks.check("/health tells the uptime", 0 <= health["uptime_seconds"] < 10 * LIMIT_S, health)
        checks.check("/health counts the connections", health["connections_total"] >= 16, health)


def test_admin_port():
    with Daemon(WSD, "--port=0", "--admin-listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0") as daemon:
        checks.equal("each --admin-listen is one listener", len(daemon.admin_addresses), 2)
        for page in PAGES:
            checks.equal(f"with --admin-listen {page} is not on the main port", ask(daemon.addresses[0], page)[0], 404)
            for address in daemon.admin_addresses:
                checks.equal(f"... but on the admins' {page}", ask(address, page)[0], 200)
        with Peer(daemon.admin_addresses[0]) as peer:
            checks.equal("no upgrade on the admins' port", peer.request()[0], 404)
        checks.equal("no other page on the admins' port", ask(daemon.admin_addresses[0], "/")[0], 404)
        checks.equal("a plain request elsewhere on the main port", ask(daemon.addresses[0], "/")[0], 426)


def test_ready_while_draining():
    with Daemon(WSD, "--port=0", "--admin-listen=127.0.0.1:0", "--drain-grace=1h", "--close-timeout=1h") as daemon, \
            Peer(daemon.addresses[0]) as busy, Peer(daemon.admin_addresses[0]) as probe:
        busy.open()
        checks.equal("ready before a drain", probe.ask("/health/ready")[::2], (200, b"ok\n"))
        daemon.signal(signal.SIGTERM)
        checks.equal("the drain has begun", busy.close_code(), 1001)
        checks.equal("not ready in a drain, on an old connection", probe.ask("/health/ready")[::2],
                     (503, b"draining\n"))
        checks.equal("... and on a new one", ask(daemon.admin_addresses[0], "/health/ready")[0], 503)
        checks.equal("... but live", ask(daemon.admin_addresses[0], "/health/live")[0], 200)
        health = ask(daemon.admin_addresses[0], "/health")
        checks.equal("... and /health says why", (health[0], json.loads(health[2])["status"]), (503, "draining"))
        checks.equal("... and metrics go on", ask(daemon.admin_addresses[0], "/metrics")[0], 200)
        busy.send(CLOSE, b"\x03\xe9")
        busy.socket.shutdown(socket.SHUT_WR)
        checks.equal("the drain does not wait for probes", daemon.exit_status(), 0)


def test_full_server():
    with Daemon(WSD, "--port=0", "--admin-listen=127.0.0.1:0", "--max-connections=1",
                "--max-connections-per-ip=1") as daemon, Peer(daemon.addresses[0]) as peer:
        peer.open()
        with Peer(daemon.addresses[0]) as second:
            checks.equal("a full server turns clients away", second.answer()[0], 503)
        checks.equal("... and tells its admins", samples(daemon.admin_addresses[0])[
            "wsd_refused_total", "connection_limit"], 1)


def test_ready_past_the_soft_mark():
    """A message that stays half sent holds what has come of it, until its sender leaves."""
    mark = 8 << 20
    marks = [f"--memory-soft-bytes={mark}", f"--memory-hard-bytes={8 * mark}"]
    with Daemon(WSD, "--port=0", "--admin-listen=127.0.0.1:0", "--access-log=off", *marks) as daemon, \
            Peer(daemon.admin_addresses[0]) as probe:
        def ready_after(status):
            """What /health/ready answers once that is another status."""
            end = time.monotonic() + LIMIT_S
            while (answer := probe.ask("/health/ready"))[0] == status and time.monotonic() < end:
                pass
            return answer[0], answer[2]

        checks.equal("below the soft mark of memory it is ready", probe.ask("/health/ready")[0], 200)
        with Peer(daemon.addresses[0]) as heavy:
            heavy.open()
            header = struct.pack("!BBQ4x", 0x80 | BINARY, 0x80 | 127, 2 * mark)  # §5.2; the mask is zero
            heavy.socket.sendall(header + bytes(mark))
            checks.equal("past it, it is not", ready_after(200), (503, b"short of memory\n"))
            with Peer(daemon.addresses[0]) as late:
                checks.equal("... as clients are told", late.answer()[0], 503)
            checks.equal("... but live", probe.ask("/health/live")[0], 200)
        checks.equal("ready again when memory is", ready_after(503), (200, b"ok\n"))
        checks.equal("... and clients are let in", ask(daemon.addresses[0], "/")[0], 426)


# ----------------------------------------------------------------------------------------------------------- metrics

def samples(address):
    """The samples of /metrics, by name and the values of their labels."""
    status, fields, body = ask(address, "/metrics")
    checks.equal("/metrics is text format 0.0.4", (status, fields["content-type"]),
                 (200, "text/plain; version=0.0.4; charset=utf-8"))
    return {(sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(body.decode()) for sample in family.samples}


def traffic(address):
    """A refused page, a broken rule, and a connection with three echoes and a ping. Returns the last, still open."""
    with Peer(address) as refused:
        refused.request("Origin: https://example.org")
    with Peer(address) as broken:
        broken.open().send(0x3)  # §5.2: reserved
        broken.close_code()
        broken.at_end()
    peer = Peer(address).open()
    for _ in range(3):
        peer.send(TEXT, b"hello")
    due = {TEXT: 3, PING: 1}
    while any(due.values()):
        opcode, payload = peer.frame()
        due[opcode] = max(0, due[opcode] - 1)
        if opcode == PING:
            peer.send(PONG, payload)
    peer.send(TEXT, b"last")  # its echo says that the pong has been seen
    while peer.frame()[0] != TEXT:
        pass
    return peer


AFTER_TRAFFIC = [
    (("wsd_connections_open",), 1), (("wsd_connections_opened_total",), 2), (("wsd_messages_received_total",), 4),
    (("wsd_messages_sent_total",), 4), (("wsd_refused_total", "origin"), 1), (("wsd_protocol_errors_total",), 1),
    (("wsd_closes_total", "1002"), 1), (("wsd_ends_total", "protocol"), 1), (("wsd_handshakes_failed_total",), 1),
]


def test_metrics_after_traffic():
    with Daemon(WSD, "--port=0", "--admin-listen=127.0.0.1:0", "--ping-interval=100ms", "--kernels=scalar",
                "--allow-origin=https://example.com") as daemon:
        with traffic(daemon.addresses[0]) as peer:
            now = samples(daemon.admin_addresses[0])
            for name, expected in AFTER_TRAFFIC:
                checks.equal(f"after traffic: {' '.join(name)}", now.get(name), expected)
            version = daemon.started["version"]
            checks.equal("the build tells version and kernels", now.get(("wsd_build_info", version, "scalar")), 1)
            checks.check("the round trip is in the histogram", now["wsd_ping_rtt_seconds_count",] >= 1 and
                         now["wsd_ping_rtt_seconds_bucket", "+Inf"] == now["wsd_ping_rtt_seconds_count",], now)
            process(daemon, now)
            peer.send(CLOSE, b"\x03\xe8")
            peer.close_code()
        for _ in range(2):
            daemon.wait_for("close")
        now = samples(daemon.admin_addresses[0])
        checks.equal("after the end: none is open", now["wsd_connections_open",], 0)
        checks.equal("after the end: opened is closed", now["wsd_connections_closed_total",],
                     now["wsd_connections_opened_total",])
        checks.equal("after the end: code 1000", now["wsd_closes_total", "1000"], 1)
        checks.equal("after the end: the peer closed", now["wsd_ends_total", "peer"], 1)


def process(daemon, now):
    """Whether the process's figures are those of the kernel."""
    folder = pathlib.Path("/proc") / str(daemon.process.pid)
    open_fds = len(list((folder / "fd").iterdir()))
    checks.check("open descriptors are the kernel's count", abs(now["process_open_fds",] - open_fds) <= 1,
                 (now["process_open_fds",], open_fds))  # the connection of the question itself
    limit = next(line.split()[3] for line in (folder / "limits").read_text().splitlines()
                 if line.startswith("Max open files"))
    checks.equal("so is their limit", now["process_max_fds",], float(limit))
    age_s = time.time() - now["process_start_time_seconds",]
    checks.check("the process started a moment ago", 0 <= age_s < 10 * LIMIT_S, age_s)
    checks.check("it has memory and has used the CPU",
                 now["process_resident_memory_bytes",] > 2**20 and now["process_cpu_seconds_total",] > 0, now)


def test_promtool():
    promtool = shutil.which("promtool")
    if not promtool:
        print("skip  promtool, as it is not installed (apt-get install prometheus)")
        return
    with Daemon(WSD, "--port=0") as daemon:
        text = ask(daemon.addresses[0], "/metrics")[2]
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, timeout=LIMIT_S, check=False)
    checks.equal("promtool finds nothing", (done.returncode, done.stdout, done.stderr), (0, b"", b""))


# -------------------------------------------------------------------------------------------------------- access log

SECRETS = ["sesame-query", "sesame-cookie", "sesame-authorization", "sesame-subprotocol", "sesame-payload",
           "sesame-reason", "sesame-body"]


def visits(address):
    """One visit of each kind, with a secret wherever one may be."""
    headers = ["Cookie: id=sesame-cookie", "Authorization: Bearer sesame-authorization",
               "Sec-WebSocket-Protocol: bearer.sesame-subprotocol"]
    with Peer(address) as plain:
        plain.ask("/health?token=sesame-query", *headers[:2], method="POST", body="sesame-body")
    with Peer(address) as lost:
        lost.ask("/nobody's/%0Atime=forged\"?token=sesame-query", *headers[:2])
    with Peer(address) as refused:
        refused.request("Origin: https://example.org", *headers, target="/refused?token=sesame-query")
    with Peer(address) as malformed:
        malformed.socket.sendall(b"GET /\x01 HTTP/1.1\r\nHost: a\r\nCookie: id=sesame-cookie\r\n\r\n")
        malformed.answer()
    with Peer(address) as opened:
        opened.request(*headers, target="/chat?token=sesame-query")
        for _ in range(2):
            opened.send(TEXT, b"sesame-payload")
            opened.frame()
        opened.send(CLOSE, b"\x0f\xa0sesame-reason")
        opened.close_code()
        opened.at_end()


EXPECTED = [  # event, fields
    ("request", {"method": "POST", "path": "/health", "status": "405"}),
    ("request", {"method": "GET", "path": "/nobody's/%0Atime=forged\"", "status": "426"}),
    ("refused", {"method": "GET", "path": "/refused", "status": "403"}),
    ("refused", {"method": "-", "path": "-", "status": "400"}),
    ("upgrade", {"method": "GET", "path": "/chat", "status": "101", "subprotocol": "bearer.*"}),
    ("close", {"code": "4000", "cause": "peer", "messages_in": "2", "messages_out": "2", "bytes_in": "28",
               "bytes_out": "28"}),
]

VISIT = ["--port=0", "--allow-origin=https://example.com", "--subprotocols=bearer.sesame-subprotocol"]


def test_access_log(format_name):
    with Daemon(WSD, *VISIT, f"--log-format={format_name}", "--log-level=debug") as daemon:
        visits(daemon.addresses[0])
        daemon.signal(signal.SIGTERM)
        checks.equal(f"{format_name}: the end", daemon.exit_status(), 0)
    lines = [parse_line(line) for line in daemon.log]
    access = [line for line in lines if line["event"] in ("request", "refused", "upgrade", "close")]
    checks.equal(f"{format_name}: one line a visit, one a close", [line["event"] for line in access],
                 [event for event, _ in EXPECTED])
    for line, (event, fields) in zip(access, EXPECTED):
        told = {name: line.get(name) for name in fields}
        checks.equal(f"{format_name}: {event} {fields.get('status', '')}".rstrip(), told, fields)
        checks.check(f"... of {event} at level info, with peer and connection", line["level"] == "info" and
                     line["peer"].startswith("127.0.0.1:") and line["conn"].isdigit(), line)
    upgrade, end = access[-2:]
    checks.equal(f"{format_name}: a close is of the connection that was upgraded",
                 (end["conn"], end["peer"]), (upgrade["conn"], upgrade["peer"]))
    checks.check(f"{format_name}: a close tells how long it was open", end["duration_ms"].isdigit(), end)
    for secret in SECRETS:
        checks.check(f"{format_name}: no {secret} in the log", secret not in "".join(daemon.log), daemon.log)


def told_events(lines):
    """What happened, without the warning of a machine that gives few descriptors."""
    fields = [parse_line(line) for line in lines]
    return [line.get("event") for line in fields if line.get("level") != "warn"]


def test_no_access_log():
    with Daemon(WSD, *VISIT, "--access-log=off") as daemon:
        visits(daemon.addresses[0])
        daemon.signal(signal.SIGTERM)
        checks.equal("--access-log=off: the end", daemon.exit_status(), 0)
    checks.equal("--access-log=off logs no visit", told_events(daemon.log),
                 ["listening", "started", "draining", "stopped"])


def test_log_file(folder):
    path = folder / "wsd.log"
    path.write_text("time=before\n")
    with socket.create_server(("127.0.0.1", 0)) as inherited:  # who connects to it waits for the daemon
        address = inherited.getsockname()
        process = subprocess.Popen([WSD, f"--listen=fd:{inherited.fileno()}", f"--log-file={path}"],
                                   stderr=subprocess.PIPE, pass_fds=[inherited.fileno()])
    try:
        with Peer("127.0.0.1:%d" % address[1]) as peer:
            peer.ask("/health")
        process.terminate()
        errors = process.communicate(timeout=LIMIT_S)[1]
    finally:
        process.kill()
    text = path.read_text()
    checks.equal("--log-file leaves standard error alone", (process.returncode, errors), (0, b""))
    checks.equal("... and goes on behind what is there", told_events(text.splitlines()),
                 [None, "listening", "started", "request", "draining", "stopped"])


def test_stuck_reader():
    """A reader of the log that has stopped reading costs it lines, and clients nothing."""
    read_end, write_end = os.pipe()
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "stuck.sock"
        process = subprocess.Popen([WSD, f"--listen=unix:{path}"], stderr=write_end)
        os.close(write_end)
        try:
            log = os.read(read_end, 4096)
            while b"event=started" not in log:
                log += os.read(read_end, 4096)
            target = "/" + 1000 * "x"
            with Peer(f"unix:{path}") as peer:  # a pipe holds 64 KiB, and so has been full for long in the end
                statuses = {peer.ask(target)[0] for _ in range(300)}
            checks.equal("a log that nobody reads stalls no request", statuses, {426})
            process.terminate()
            rest = b""
            while (piece := os.read(read_end, 65536)):
                rest += piece
            checks.equal("... nor the end", process.wait(LIMIT_S), 0)
        finally:
            process.kill()
            os.close(read_end)
    lines = [parse_line(line) for line in rest.decode().splitlines()]
    checks.equal("... and all lines are there, whole, once it is read",
                 sum(line["event"] == "request" for line in lines), 300)


def main():
    if not text_string_to_metric_families:
        print("missing: prometheus_client (apt-get install python3-prometheus-client)")
        return 2
    with tempfile.TemporaryDirectory() as name:
        for test, *arguments in (
                (test_main_port,), (test_admin_port,), (test_ready_while_draining,), (test_full_server,),
                (test_ready_past_the_soft_mark,),
                (test_metrics_after_traffic,), (test_promtool,), (test_access_log, "text"), (test_access_log, "json"),
                (test_no_access_log,), (test_log_file, pathlib.Path(name)), (test_stuck_reader,)):
            checks.attempt(test.__name__, test, *arguments)
    return checks.summary()


if __name__ == "__main__":
    os.environ.pop("WSD_KERNELS", None)  # what a flag does is judged here, not what the caller's shell has set
    sys.exit(main())
