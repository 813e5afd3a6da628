"""The daemon as a program: what its flags, exit statuses, signals, listeners and log promise to whoever runs it.

It refuses to test the protocol, which stands in the other files here, but for one effect of each flag that has one to
see from outside. usage: daemon_test.sh WSD
"""
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests" / "support"))

from daemon import LIMIT_S, PING, TEXT, Checks, Daemon, Peer, parse_line  # noqa: E402 (the path is set above)

WSD = sys.argv[1]
checks = Checks()


def run(*arguments):
    """Runs the daemon where it should end by itself. Returns its exit status, output and error lines."""
    done = subprocess.run([WSD, *arguments], capture_output=True, text=True, timeout=LIMIT_S, check=False)
    return done.returncode, done.stdout, done.stderr.splitlines()


def refuses(name, arguments, status, named):
    """Whether the daemon ends with this status and exactly one line, which holds `named`."""
    got_status, output, lines = run(*arguments)
    held = got_status == status and output == "" and len(lines) == 1 and named in lines[0]
    checks.check(name, held, f"exit {got_status}, output {output!r}, errors {lines}")


# ------------------------------------------------------------------------------------------------------------- flags

# Flags whose default --help gives in words, or not at all, with a value to give them.
VALUE_OF = {"port": "0", "listen": "127.0.0.1:0", "subprotocols": "chat", "kernels": "scalar", "defer-accept": "0",
            "allow-origin": "https://example.com", "trusted-proxies": "127.0.0.0/8", "proxy-protocol": "off",
            "admin-listen": "127.0.0.1:0",
            "config": "/dev/null", "log-file": "/dev/stderr", "user": "nobody", "pidfile": "wsd.pid"}

# Flags that would have the daemon do something else than serve here, or serve somebody else.
ELSEWHERE = {"help", "version", "check-config", "user", "pidfile", "origins-required",  # the peer here is no browser
             "hub", "data", "sessions", "jwt-secret-file", "jwt-issuer", "jwt-audience", "admin-key-file"}  # no echo

# Cannot be served: a flag that is wrongly taken ends with status 1 at once, and not in a daemon that runs.
UNSERVED = "--listen=fd:999"

WRONG = [  # argument, what the line must name
    ("--nonsense", "--nonsense"),
    ("--nonsense=1", "--nonsense"),
    ("-p", "-p"),
    ("serve", "serve"),
    ("", ""),
    ("--help=1", "--help"),
    ("--version=", "--version"),
    ("--allow-http10=1", "--allow-http10"),
    ("--port=65536", "--port"),
    ("--port=-1", "--port"),
    ("--port=80x", "--port"),
    ("--port=", "--port"),
    ("--host=", "--host"),
    ("--listen=9001", "--listen"),
    ("--listen=127.0.0.1:65536", "--listen"),
    ("--listen=unix:", "--listen"),
    ("--listen=fd:x", "--listen"),
    ("--log-level=loud", "--log-level"),
    ("--log-level=in\nfo", "--log-level"),
    ("--log-format=xml", "--log-format"),
    ("--log-file=", "--log-file"),
    ("--access-log=maybe", "--access-log"),
    ("--admin-listen=9001", "--admin-listen"),
    ("--kernels=nonsense", "--kernels"),
    ("--subprotocols=no token", "--subprotocols"),
    ("--max-message-bytes=18446744073709551616", "--max-message-bytes"),
    ("--max-message-bytes=18446744073709551615K", "--max-message-bytes"),
    ("--max-message-bytes=16m", "--max-message-bytes"),
    ("--max-headers=65536", "--max-headers"),
    ("--idle-timeout=4294967296ms", "--idle-timeout"),
    ("--idle-timeout=5 m", "--idle-timeout"),
    # Numbers that parse, but that the library's configuration does not take.
    ("--max-head-bytes=255", "--max-head-bytes"),
    ("--receive-buffer-bytes=17M", "--receive-buffer-bytes"),
    ("--max-message-bytes=0", "--max-message-bytes"),
    ("--send-low-bytes=2M", "--send-low-bytes"),
    ("--backlog=0", "--backlog"),
    ("--data=/tmp", "--data: needs --hub"),
    ("--jwt-secret-file=/dev/null", "--jwt-secret-file: needs --hub"),
    ("--fsync=sometimes", "--fsync"),
    ("--history-max-age=30x", "--history-max-age"),
    ("--allow-origin=", "--allow-origin"),
    ("--allow-origin=https://example.com/", "--allow-origin: an origin has no host, or more than host and port"),
    ("--origins-required", "--origins-required"),
    ("--trusted-proxies=10.0.0.1/8", "--trusted-proxies: an address has bits set behind its prefix"),
    ("--forwarded-header=via", "--forwarded-header"),
    ("--proxy-protocol=on", "--proxy-protocol"),
    ("--proxy-protocol=optional", "--trusted-proxies"),
]


def help_flags():
    """The flags as --help lists them: name, what it calls the value (empty for a switch), explanation."""
    status, text, errors = run("--help")
    checks.equal("--help ends with 0 and complains of nothing", (status, errors), (0, []))
    return re.findall(r"^  --([a-z0-9-]+)(?: ([A-Z]+))? {2,}(.+)$", text, re.MULTILINE)


def default_of(name, explanation):
    return VALUE_OF.get(name) or re.search(r"\(([^):]+)\)", explanation)[1]


def test_version():
    header = (TOP / "include" / "wsd.h").read_text()
    version = re.search(r'#define WSD_VERSION "(.+)"', header)[1]
    checks.equal("--version prints the header's version", run("--version"), (0, f"wsd {version}\n", []))


def test_flags():
    flags = help_flags()
    everything = []
    for name, value, explanation in flags:
        if not value:
            arguments = [f"--{name}"]
        else:
            arguments = [f"--{name}={default_of(name, explanation)}"]
            checks.equal(f"{arguments[0]} is taken, also as two arguments",
                         (run(*arguments, "--version")[0], run(*arguments[0].split("=", 1), "--version")[0]), (0, 0))
            refuses(f"--{name} without its value", [UNSERVED, f"--{name}"], 2, f"--{name}")
        if value in ("N", "BYTES", "TIME", "SECONDS"):
            refuses(f"--{name}=many", [f"--{name}=many", UNSERVED], 2, f"--{name}")
        if name not in ELSEWHERE:
            everything += arguments
    checks.check("--help lists what SPEC asks for", {"port", "help", "version"} <= {flag[0] for flag in flags}, flags)
    with Daemon(WSD, *everything) as daemon, Peer(daemon.addresses[0]) as peer:
        peer.open()
        checks.check("all flags at once, with their defaults, serve", True)


def test_wrong_flags():
    for argument, named in WRONG:
        refuses(f"refused with one line: {argument!r}", [argument, UNSERVED], 2, named)


# ------------------------------------------------------------------------------------------- what the flags reach

def echoes(peer):
    peer.send(TEXT, b"hello")
    return peer.frame() == (TEXT, b"hello")


def close_code_after(text):
    def ask(peer):
        peer.open().send(TEXT, text)
        return peer.close_code()
    return ask


def status_of(*headers, **request):
    return lambda peer: peer.request(*headers, **request)[0]


def deflate_answer():
    offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
    return lambda peer: peer.request(offer)[1].get("sec-websocket-extensions")


def proxied(peer):
    peer.socket.sendall(b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n")
    return echoes(peer.open())


def dropped(peer):
    peer.socket.sendall(b"GET / HTTP/1.1\r\nHost: wsd.test\r\n\r\n")
    return peer.at_end()


EFFECTS = [  # flags, what is asked of a new peer, its answer
    (["--max-message-bytes=5"], lambda peer: echoes(peer.open()), True),
    (["--max-message-bytes=4"], close_code_after(b"hello"), 1009),
    (["--max-frame-bytes=4"], close_code_after(b"hello"), 1009),
    (["--max-head-bytes=256"], status_of("Cookie: " + 256 * "x"), 431),
    (["--max-headers=4"], status_of(), 431),
    (["--max-headers=5"], status_of(), 101),
    ([], status_of(version="HTTP/1.0"), 426),
    (["--allow-http10"], status_of(version="HTTP/1.0"), 101),
    (["--handshake-timeout=1ms"], lambda peer: peer.answer()[0], 408),
    (["--idle-timeout=1ms"], lambda peer: peer.open().close_code(), 1001),
    (["--ping-interval=1ms"], lambda peer: peer.open().frame()[0], PING),
    (["--stale-timeout=1ms", "--ping-interval=0"], lambda peer: peer.open().at_end(), True),
    (["--subprotocols=chat.v2,chat.v1"],
     lambda peer: peer.request("Sec-WebSocket-Protocol: chat.v1")[1].get("sec-websocket-protocol"), "chat.v1"),
    (["--allow-origin=*.example.com"], status_of("Origin: https://a.example.com"), 101),
    (["--allow-origin=*.example.com"], status_of("Origin: https://example.org"), 403),
    (["--allow-origin=*.example.com"], status_of(), 101),
    (["--allow-origin=*.example.com", "--origins-required"], status_of(), 403),
    (["--proxy-protocol=required"], proxied, True),
    (["--proxy-protocol=required"], dropped, True),
    (["--proxy-protocol=optional", "--trusted-proxies=127.0.0.1"], proxied, True),
    (["--proxy-protocol=optional", "--trusted-proxies=127.0.0.1"], status_of(), 101),
    (["--trusted-proxies=127.0.0.1", "--forwarded-header=forwarded"], status_of("Forwarded: for="), 400),
    (["--trusted-proxies=127.0.0.1"], status_of("Forwarded: for="), 101),
    ([], deflate_answer(), "permessage-deflate; server_no_context_takeover; client_no_context_takeover"),
    (["--no-deflate"], deflate_answer(), None),
    (["--deflate-server-takeover", "--deflate-server-window-bits=9"], deflate_answer(),
     "permessage-deflate; client_no_context_takeover; server_max_window_bits=9"),
    (["--deflate-client-takeover", "--deflate-client-window-bits=10"], deflate_answer(),
     "permessage-deflate; server_no_context_takeover; client_max_window_bits=10"),
    (["--deflate-server-takeover", "--deflate-memory-bytes=1K"], deflate_answer(),
     "permessage-deflate; server_no_context_takeover; client_no_context_takeover"),
]


def effect(flags, ask, expected):
    with Daemon(WSD, "--port=0", *flags) as daemon, Peer(daemon.addresses[0]) as peer:
        checks.equal(" ".join(["reaches the library:", *flags, "->", str(expected)]), ask(peer), expected)


def test_effects():
    for row in EFFECTS:
        checks.attempt(" ".join(row[0]), effect, *row)


def test_connection_limit():
    with Daemon(WSD, "--port=0", "--max-connections=1") as daemon, Peer(daemon.addresses[0]) as first:
        first.open()
        with Peer(daemon.addresses[0]) as second:
            checks.equal("--max-connections=1 turns the second away with 503", second.answer()[0], 503)
        checks.check("... and keeps the first", echoes(first))


def test_kernels():
    with Daemon(WSD, "--port=0", "--kernels=scalar") as daemon:
        checks.equal("--kernels=scalar is what runs", daemon.started["kernels"], "scalar")
    with Daemon(WSD, "--port=0", env={"WSD_KERNELS": "scalar"}) as daemon:
        checks.equal("WSD_KERNELS=scalar is what runs", daemon.started["kernels"], "scalar")


# --------------------------------------------------------------------------------------------------------- listening

def has_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        return True
    except OSError:
        return False


def echo_at(address):
    with Peer(address) as peer:
        return echoes(peer.open())


def test_listeners(folder):
    path = folder / "every.sock"
    with socket.create_server(("127.0.0.1", 0)) as inherited:
        v6 = ["--listen=[::1]:0"] if has_ipv6() else []
        if not v6:
            print("skip  --listen=[::1]:0, as there is no IPv6 here")
        flags = ["--listen=127.0.0.1:0", f"--listen=unix:{path}", f"--listen=fd:{inherited.fileno()}", *v6]
        with Daemon(WSD, *flags, pass_fds=[inherited.fileno()]) as daemon:
            checks.equal("one listener for each --listen", len(daemon.addresses), len(flags))
            checks.equal("unix: is logged as it was asked for", daemon.addresses[1], f"unix:{path}")
            for flag, address in zip(flags, daemon.addresses):
                flag = flag.replace(str(folder), "").rstrip("0123456789")  # the same name in every run
                checks.attempt(f"{flag} echoes", lambda: checks.check(f"{flag} echoes", echo_at(address)))
            port = inherited.getsockname()[1]
            checks.check("the inherited descriptor is the one that serves", echo_at(f"127.0.0.1:{port}"))
            daemon.signal(signal.SIGTERM)
            checks.equal("they all end with SIGTERM, status 0", daemon.exit_status(), 0)
    checks.check("the socket file is gone at the end", not path.exists())


def test_host():
    for host, prefixes in (("127.0.0.1", ["127.0.0.1:"]), ("localhost", ["127.0.0.1:", "[::1]:"]),
                           *([("::1", ["[::1]:"]), ("[::1]", ["[::1]:"])] if has_ipv6() else [])):
        with Daemon(WSD, "--port=0", f"--host={host}") as daemon:
            held = any(daemon.addresses[0].startswith(prefix) for prefix in prefixes)
            checks.check(f"--host={host} goes with a --port before it", held, daemon.addresses)
    # An address that no machine has (RFC 5737 3), as the default port may be taken.
    refuses("--host without --port is not passed over: one line, status 1", ["--host=192.0.2.1"], 1, "192.0.2.1:9001")


def test_stale_socket(folder):
    path = folder / "stale.sock"
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(path))
    with Daemon(WSD, f"--listen=unix:{path}") as daemon:
        checks.check("a stale socket file is replaced", echo_at(daemon.addresses[0]))
        refuses("a socket file that is served is not: one line, status 1", [f"--listen=unix:{path}"], 1, str(path))
        checks.check("... and goes on serving", echo_at(daemon.addresses[0]))
    file = folder / "file"
    file.write_text("precious")
    refuses("a file that is no socket is left alone: one line, status 1", [f"--listen=unix:{file}"], 1, str(file))
    checks.equal("... with its content", file.read_text(), "precious")


def test_cannot_listen(folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refuses("a port in use: one line, status 1", [f"--port={port}"], 1, f"127.0.0.1:{port}")
    refuses("no such directory: one line, status 1", [f"--listen=unix:{folder}/none/s"], 1, "none/s")
    refuses("no such descriptor: one line, status 1", [UNSERVED], 1, "fd:999")
    refuses("no such directory for the log: one line, status 1", [f"--log-file={folder}/none/log", "--port=0"], 1,
            "none/log")


# ----------------------------------------------------------------------------------------------------------- signals

def test_drain(number):
    name = signal.Signals(number).name
    with Daemon(WSD, "--port=0", "--drain-grace=1h") as daemon, Peer(daemon.addresses[0]) as peer:
        peer.open()
        daemon.signal(number)
        checks.equal(f"{name} closes an open connection with 1001", peer.close_code(), 1001)
        try:
            Peer(daemon.addresses[0]).socket.close()
            refused = False
        except ConnectionRefusedError:
            refused = True
        checks.check(f"{name} ends listening", refused)
        peer.send(0x8, b"\x03\xe9")
        checks.check(f"{name}: the answered connection ends", peer.at_end())
        checks.equal(f"{name} drains and exits with 0", daemon.exit_status(), 0)
        lines = [parse_line(line) for line in daemon.log]
        events = [line["event"] for line in lines if line["level"] == "info"]  # a small system's warning is none
        checks.equal(f"{name} is in the log", events,
                     ["listening", "started", "upgrade", "draining", "close", "stopped"])


def test_second_signal():
    with Daemon(WSD, "--port=0", "--drain-grace=1h", "--close-timeout=1h") as daemon, \
            Peer(daemon.addresses[0]) as peer:
        peer.open()
        daemon.signal(signal.SIGTERM)
        daemon.wait_for("draining")
        checks.equal("a peer that does not answer the 1001", peer.close_code(), 1001)
        checks.check("... is waited for", daemon.process.poll() is None)
        daemon.signal(signal.SIGTERM)
        checks.check("... until a second SIGTERM cuts it", peer.at_end())
        checks.equal("... with status 0", daemon.exit_status(), 0)
        checks.check("... and a line in the log", daemon.wait_for("cutting")["level"] == "info")


def test_drain_window():
    with Daemon(WSD, "--port=0", "--drain-window=1h", "--drain-grace=2h") as daemon, \
            Peer(daemon.addresses[0]) as first, Peer(daemon.addresses[0]) as second:
        for peer in (first, second):
            peer.open()
        daemon.signal(signal.SIGTERM)
        daemon.wait_for("draining")
        for peer in (first, second):
            peer.send(TEXT, b"not yet")
            checks.equal("--drain-window serves who is not told to go yet", peer.frame(), (TEXT, b"not yet"))
        daemon.signal(signal.SIGTERM)
        checks.equal("... and a second SIGTERM ends it, status 0", daemon.exit_status(), 0)


def test_grace_time():
    with Daemon(WSD, "--port=0", "--drain-grace=1ms", "--close-timeout=1h") as daemon, \
            Peer(daemon.addresses[0]) as peer:
        peer.open()
        daemon.signal(signal.SIGTERM)
        checks.equal("--drain-grace cuts whoever does not answer, status 0", daemon.exit_status(), 0)


# --------------------------------------------------------------------------------------------------------------- log

SECRETS = {"token": "sesame-token", "cookie": "sesame-cookie", "payload": "sesame-payload"}


def provoke(address):
    """Has the daemon meet what it may want to log, each time with a secret at hand."""
    with Peer(address) as refused:
        refused.request("Cookie: id=" + SECRETS["cookie"], target="/?token=" + SECRETS["token"], version="HTTP/1.0")
    with Peer(address) as opened:
        opened.request("Cookie: id=" + SECRETS["cookie"], target="/?token=" + SECRETS["token"])
        opened.send(TEXT, SECRETS["payload"].encode())
        opened.frame()
        opened.send(0x3, SECRETS["payload"].encode())  # §5.2: reserved
        opened.close_code()


def test_log(format_name, folder):
    path = folder / f'{format_name} "quoted" = \\ \n\t.sock'
    with Daemon(WSD, "--port=0", f"--listen=unix:{path}", "--log-level=debug",
                f"--log-format={format_name}") as daemon:
        checks.equal(f"{format_name}: a value cannot break its line", daemon.addresses[1], f"unix:{path}")
        provoke(daemon.addresses[0])
        daemon.signal(signal.SIGTERM)
        checks.equal(f"{format_name}: the end", daemon.exit_status(), 0)
    lines = [parse_line(line) for line in daemon.log]  # raises for what is no line of the log
    whole = all(list(line)[:3] == ["time", "level", "event"] for line in lines)
    checks.check(f"{format_name}: every line begins with time, level and event", whole, daemon.log)
    checks.check(f"{format_name}: every line is of the format", all(
        line.startswith("{") == (format_name == "json") for line in daemon.log), daemon.log)
    checks.check(f"{format_name}: every time is UTC to the millisecond", all(
        re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"]) for line in lines), daemon.log)
    checks.check(f"{format_name}: debug tells of the broken rule", any(line["level"] == "debug" for line in lines),
                 daemon.log)
    for kind, secret in SECRETS.items():
        checks.check(f"{format_name}: no {kind} in the log", secret not in "".join(daemon.log), daemon.log)


def test_silence():
    with socket.create_server(("127.0.0.1", 0)) as inherited:
        flags = ["--log-level=error", f"--listen=fd:{inherited.fileno()}"]
        process = subprocess.Popen([WSD, *flags], stderr=subprocess.PIPE, pass_fds=[inherited.fileno()])
        try:
            provoke(f"127.0.0.1:{inherited.getsockname()[1]}")
            process.terminate()
            errors = process.communicate(timeout=LIMIT_S)[1]
        finally:
            process.kill()
    checks.equal("--log-level=error is silent while all is well", (process.returncode, errors), (0, b""))


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for test, *arguments in (
                (test_version,), (test_flags,), (test_wrong_flags,), (test_effects,), (test_connection_limit,),
                (test_kernels,), (test_listeners, folder), (test_host,), (test_stale_socket, folder),
                (test_cannot_listen, folder), (test_drain, signal.SIGTERM), (test_drain, signal.SIGINT),
                (test_second_signal,), (test_drain_window,), (test_grace_time,), (test_log, "text", folder),
                (test_log, "json", folder), (test_silence,)):
            row = [str(argument) for argument in arguments if argument is not folder]
            checks.attempt(" ".join([test.__name__, *row]), test, *arguments)
    return checks.summary()


if __name__ == "__main__":
    os.environ.pop("WSD_KERNELS", None)  # what a flag does is judged here, not what the caller's shell has set
    sys.exit(main())
