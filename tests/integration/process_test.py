"""The daemon's configuration and its life as a process: file and environment, SIGHUP, the service manager's protocols,
whom it runs as, and its sandbox.

What each option means is tested elsewhere; here it is what a source, a reload or a privilege changes, seen from
outside. usage: daemon_test.sh WSD
"""
import os
import pathlib
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
import zlib

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests" / "support"))

from daemon import LIMIT_S, TEXT, Checks, Daemon, Peer, parse_line  # noqa: E402 (the path is set above)

WSD = os.path.abspath(sys.argv[1])
checks = Checks()

# At the end of a sandboxed process, the leak checker would need calls that are refused.
NO_LEAK_CHECK = {"ASAN_OPTIONS": "detect_leaks=0"}


def run(*arguments, env=None):
    """Runs the daemon where it should end by itself. Returns its exit status, output and error lines."""
    done = subprocess.run([WSD, *arguments], capture_output=True, text=True, timeout=LIMIT_S, check=False,
                          env={**os.environ, **(env or {})})
    return done.returncode, done.stdout, done.stderr.splitlines()


def echoes(peer, payload=b"hello"):
    peer.send(TEXT, payload)
    return peer.frame() == (TEXT, payload)


def echo_at(address):
    with Peer(address) as peer:
        return echoes(peer.open())


def status_with_origin(daemon, origin):
    with Peer(daemon.addresses[0]) as peer:
        return peer.request(f"Origin: {origin}")[0]


def events_in(log):
    """The lines of a log file, without warnings, as this system may be small."""
    lines = [parse_line(line) for line in log.read_text().splitlines()]
    return [line for line in lines if line["level"] != "warn"]


def await_event(log, event):
    """Waits for a line of that event in a log file, which gets the lines of a turn at its end; returns all lines."""
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        lines = events_in(log) if log.exists() else []
        if any(line["event"] == event for line in lines):
            return lines
        time.sleep(0.01)
    raise RuntimeError(f"{log} never had {event!r}")


def reload(daemon, event):
    """Has it read its file again. Returns the line of that event."""
    daemon.signal(signal.SIGHUP)
    return daemon.wait_for(event)


def ends_well(name, daemon):
    daemon.signal(signal.SIGTERM)
    checks.equal(f"{name}: it drains and ends with 0", daemon.exit_status(), 0)


# ------------------------------------------------------------------------------------------------------- configuration

def test_round_trip(folder):
    file = folder / "round.conf"
    flags = ["--listen", "unix:/tmp/a # b", "--port=0", "--allow-origin=https://example.com", "--ping-interval=1500ms",
             "--max-message-bytes=64K", "--no-deflate", "--log-format=json", "--sandbox"]
    for arguments in ([], flags):
        status, text, errors = run(*arguments, "--check-config")
        checks.equal(f"--check-config of {len(arguments)} flags ends with 0", (status, errors), (0, []))
        file.write_text(text)
        checks.equal("... and prints what reads back to the same",
                     run("--config", str(file), "--check-config"), (0, text, []))
    for line in ("ping-interval = 1500ms", "max-message-bytes = 64K", 'listen = "unix:/tmp/a # b"', "no-deflate = yes"):
        checks.check(f"... in which stands {line}", line in text.splitlines(), text)


def test_wrong_configuration(folder):
    file = folder / "wrong.conf"
    file.write_text("# all is well here\nport = 0\nmax-headers = many\n")
    for arguments in (["--config", str(file)], ["--config", str(file), "--check-config"]):
        status, output, errors = run(*arguments)
        checks.equal("a wrong line is named with its file and number, exit 2", (status, output, errors),
                     (2, "", [f'wsd: {file}:3: max-headers: expected a number, not "many"']))
    for env, line in (({"WSD_MAX_HEADERS": "many"}, 'wsd: WSD_MAX_HEADERS: expected a number, not "many"'),
                      ({"WSD_NONSENSE": "1"}, 'wsd: unknown variable: "WSD_NONSENSE"')):
        checks.equal(f"a wrong variable is named: {env}", run(env=env), (2, "", [line]))


def test_sources(folder):
    file = folder / "sources.conf"
    file.write_text("port = 0\nmax-message-bytes = 1\nmax-headers = 1\nlisten = unix:" + str(folder / "s") + "\n")
    env = {"WSD_CONFIG": str(file), "WSD_MAX_MESSAGE_BYTES": "2", "WSD_MAX_HEADERS": "100"}
    with Daemon(WSD, "--max-message-bytes=5", env=env) as daemon:
        checks.equal("repeated keys of the file each listen", len(daemon.addresses), 2)
        checks.check("flags count before the environment, and that before the file", echo_at(daemon.addresses[0]))


# -------------------------------------------------------------------------------------------------------------- reload

def test_reload(folder):
    file, first, second = folder / "reload.conf", folder / "first.log", folder / "second.log"
    head = "port = 0\nlog-level = info\n"
    file.write_text(head + "allow-origin = https://old.example.com\n")
    with Daemon(WSD, "--access-log=off", "--config", str(file)) as daemon, Peer(daemon.addresses[0]) as peer:
        peer.open()
        file.write_text(head + "allow-origin = https://new.example.com\nmax-message-bytes = 5\n")
        checks.equal("SIGHUP tells what changed", reload(daemon, "reloaded")["changed"], "allow-origin,max-message-bytes")
        checks.equal("... which holds for new connections", status_with_origin(daemon, "https://new.example.com"), 101)
        checks.equal("... in all", status_with_origin(daemon, "https://old.example.com"), 403)
        checks.check("... and old ones stay", echoes(peer))

        file.write_text(head + "allow-origin = https://third.example.com\nmax-headers = many\n")
        checks.equal("a wrong file is refused with its line", reload(daemon, "not reloaded")["error"],
                     f'{file}:4: max-headers: expected a number, not "many"')
        checks.equal("... and what held before still does", status_with_origin(daemon, "https://new.example.com"), 101)
        file.unlink()
        checks.equal("so is a file that is gone", reload(daemon, "not reloaded")["error"],
                     f"{file}: No such file or directory")

        file.write_text("port = 1\nlog-level = info\nbacklog = 7\nmax-message-bytes = 4\n")
        checks.equal("what needs a restart is named", reload(daemon, "a restart is needed")["for"], "listen,backlog")
        peer.send(TEXT, b"hello")
        checks.equal("... and the rest taken over, for open connections too", peer.close_code(), 1009)

        file.write_text(head + f"log-file = {first}\n")
        daemon.signal(signal.SIGHUP)
        checks.check("a reload is over when the next request is answered", echo_at(daemon.addresses[0]))
        checks.equal("a log file is written to", await_event(first, "reloaded")[0]["event"], "reloaded")
        first.rename(second)
        daemon.signal(signal.SIGHUP)
        checks.check("it still answers", echo_at(daemon.addresses[0]))
        checks.check("... and a log that was moved away is opened anew", await_event(first, "reloaded"))
        moved = second.read_text()
        file.write_text(f"port = 0\nlog-file = {folder}/none/log\n")
        daemon.signal(signal.SIGHUP)
        checks.check("it answers again", echo_at(daemon.addresses[0]))
        last = await_event(first, "not reloaded")[-1]
        checks.equal("a log file that cannot be opened leaves all as it was", (last["event"], last["error"]), (
            "not reloaded", f"log-file: {folder}/none/log: No such file or directory"))
        ends_well("after reloads", daemon)
        checks.equal("the last line is in the new file", events_in(first)[-1]["event"],
                     "stopped")
        checks.equal("... and none in the old", second.read_text(), moved)


# ----------------------------------------------------------------------------------------------------- service manager

class Manager:
    """The socket on which a service manager is told; `with` closes it."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(LIMIT_S)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)

    def next(self):
        """The first line of the next message, and its fields."""
        lines = self.socket.recv(4096).decode().splitlines()
        return lines[0], dict(line.split("=", 1) for line in lines)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def test_notify(address, *flags):
    name = " ".join([address[0] == "@" and "abstract" or "path", *flags])
    env = {"NOTIFY_SOCKET": address, **NO_LEAK_CHECK}
    with Manager(address) as manager, Daemon(WSD, "--port=0", *flags, env=env) as daemon:
        checks.equal(f"{name}: ready when it serves", manager.next()[0], "READY=1")
        daemon.signal(signal.SIGHUP)
        line, fields = manager.next()
        checks.check(f"{name}: reloading, and since when", line == "RELOADING=1" and int(fields["MONOTONIC_USEC"]) > 0,
                     fields)
        checks.equal(f"{name}: ready again", manager.next()[0], "READY=1")
        daemon.signal(signal.SIGTERM)
        checks.equal(f"{name}: stopping", manager.next()[0], "STOPPING=1")
        checks.equal(f"{name}: and ends with 0", daemon.exit_status(), 0)


def test_watchdog(folder):
    address = str(folder / "watchdog")
    env = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "2000"}
    with Manager(address) as manager, Daemon(WSD, "--port=0", env=env):
        told = [manager.next()[0] for _ in range(4)]
        checks.equal("the watchdog is told again and again", told, ["READY=1"] + 3 * ["WATCHDOG=1"])


# Takes the descriptor's place that the protocol asks for, and becomes the daemon, as a service manager's child does.
PASS_SOCKET = ("import os, sys; os.dup2(int(sys.argv[1]), 3); "
               "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1'); os.execv(sys.argv[2], sys.argv[2:])")


def test_socket_activation(folder):
    path = folder / "also.sock"
    for flags in ([], [f"--listen=unix:{path}"]):
        with socket.create_server(("127.0.0.1", 0)) as passed:
            address = "127.0.0.1:%d" % passed.getsockname()[1]
            start = ["-c", PASS_SOCKET, str(passed.fileno()), WSD, *flags]
            with Daemon(sys.executable, *start, pass_fds=[passed.fileno()]) as daemon:
                expected = [f"unix:{path}"] * len(flags) + [address]
                checks.equal("a passed socket is listened on, and no default address", daemon.addresses, expected)
                checks.check("... and serves", echo_at(address))
                environment = pathlib.Path(f"/proc/{daemon.process.pid}/fd/3")
                checks.check("... as descriptor 3", os.readlink(environment).startswith("socket:"))
    status, _, errors = run("--port=0", env={"LISTEN_PID": "x", "LISTEN_FDS": "1"})
    checks.check("LISTEN_PID that is no number: one line, status 2", status == 2 and len(errors) == 1, errors)


# -------------------------------------------------------------------------------------------------------------- process

def status_of(daemon):
    """The fields of /proc/PID/status."""
    lines = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text().splitlines()
    return {name: value.strip() for name, value in (line.split(":", 1) for line in lines)}


def test_descriptors():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = ("import os, resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (50, 102)); "
             "os.execv(sys.argv[1], sys.argv[1:])")
    with Daemon(sys.executable, "-c", limit, WSD, "--port=0", "--max-connections=3") as daemon:
        checks.equal("descriptors are raised to the hard limit", daemon.started["descriptors"], "102")
        warning = [line for line in map(parse_line, daemon.log) if line["level"] == "warn"]
        checks.equal("what cannot fit is warned of", [line["max_connections"] for line in warning], ["3"])
        with Peer(daemon.addresses[0]) as first, Peer(daemon.addresses[0]) as second:
            first.open()
            second.open()
            with Peer(daemon.addresses[0]) as third:
                checks.equal("... and the one too many gets 503, below the reserve", third.answer()[0], 503)
    with Daemon(sys.executable, "-c", limit, WSD, "--port=0", "--max-connections=2") as daemon:
        levels = [parse_line(line)["level"] for line in daemon.log]
        checks.check("what fits is not warned of", "warn" not in levels, daemon.log)
    checks.equal("only the daemon's own limit is raised", resource.getrlimit(resource.RLIMIT_NOFILE), before)


def test_pidfile(folder):
    path = folder / "wsd.pid"
    path.write_text("99999999\n")
    with Daemon(WSD, "--port=0", f"--pidfile={path}") as daemon:
        checks.equal("the pidfile names the process", path.read_text(), f"{daemon.process.pid}\n")
        ends_well("with a pidfile", daemon)
    checks.check("... and is gone at the end", not path.exists())
    checks.equal("nothing else is left beside it", list(folder.glob("wsd.pid*")), [])
    status, _, errors = run("--port=0", f"--pidfile={folder}/none/wsd.pid")
    checks.check("a pidfile that cannot be written: one line, status 1",
                 status == 1 and errors[-1].startswith(f"wsd: cannot write {folder}/none/wsd.pid"), errors)


def test_user(folder):
    status, _, errors = run("--port=0", "--user=no-such-user")
    checks.check("a user who does not exist: one line, status 1",
                 status == 1 and errors[-1] == "wsd: --user: no such user: no-such-user", errors)
    if os.geteuid() != 0:
        print("skip  --user, as becoming another user takes root")
        return
    folder.chmod(0o755)
    private = folder / "private"
    private.mkdir(mode=0o700)
    pidfile = private / "pid"
    flags = ["--user=nobody:12345", f"--pidfile={pidfile}", f"--listen=unix:{private}/s"]
    with Daemon(WSD, *flags, env=NO_LEAK_CHECK) as daemon:
        fields = status_of(daemon)
        nobody = fields["Uid"].split()
        checks.check("--user: all ids are that user's", len(set(nobody)) == 1 and nobody[0] != "0", fields["Uid"])
        checks.equal("--user: all groups are that one", (fields["Gid"].split(), fields["Groups"]),
                     (4 * ["12345"], "12345"))
        checks.equal("--user: no capability is left", int(fields["CapPrm"], 16) | int(fields["CapEff"], 16), 0)
        checks.check("--user: what only root may open was opened before", echo_at(daemon.addresses[0]))
        ends_well("--user", daemon)
    checks.equal("--user: a pidfile that it cannot remove is emptied", pidfile.read_text(), "")
    status, _, errors = run("--port=0", "--user=root")
    checks.check("--user=root is refused", status == 1 and "root" in errors[-1], errors)


def compressed_echo(daemon):
    deflater = zlib.compressobj(wbits=-15)
    text = b"again and " * 50
    packed = (deflater.compress(text) + deflater.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\0\0\xff\xff")
    with Peer(daemon.addresses[0]) as peer:
        status, _ = peer.request("Sec-WebSocket-Extensions: permessage-deflate")
        peer.send(TEXT | 0x40, packed)  # RSV1: compressed (RFC 7692 6)
        back = peer.frame()[1]
        return status, zlib.decompressobj(wbits=-15).decompress(back + b"\0\0\xff\xff") == text


def test_sandbox(folder):
    with Daemon(WSD, "--port=0") as daemon:
        fields = status_of(daemon)
        checks.equal("without --sandbox: no filter, and no new privileges all the same",
                     (fields["Seccomp"], fields["NoNewPrivs"]), ("0", "1"))
    file, log, path = folder / "sandbox.conf", folder / "sandbox.log", folder / "sandbox.sock"
    file.write_text("port = 0\n")
    flags = ["--sandbox", "--config", str(file), f"--listen=unix:{path}", "--port=0", f"--pidfile={folder}/sandbox.pid"]
    with Daemon(WSD, *flags, env=NO_LEAK_CHECK) as daemon, Peer(daemon.addresses[0]) as waiting:
        fields = status_of(daemon)
        checks.equal("--sandbox: a filter is in force", (fields["Seccomp"], fields["NoNewPrivs"]), ("2", "1"))
        waiting.open()
        checks.check("--sandbox: it echoes", echo_at(daemon.addresses[0]) and echo_at(daemon.addresses[1]))
        checks.equal("--sandbox: it compresses", compressed_echo(daemon), (101, True))
        with Peer(daemon.addresses[0]) as asking:
            metrics = asking.ask("/metrics")[2].decode()
        for name in ("process_open_fds", "process_resident_memory_bytes", "process_max_fds"):
            checks.check(f"--sandbox: {name} is told", f"\n{name} " in metrics, metrics)
        file.write_text(f"port = 0\nlog-file = {log}\nmax-message-bytes = 5\n")
        daemon.signal(signal.SIGHUP)
        checks.check("--sandbox: it goes on", echo_at(daemon.addresses[0]))
        checks.equal("--sandbox: it reloads", await_event(log, "reloaded")[0]["changed"], "max-message-bytes,log-file")
        daemon.signal(signal.SIGTERM)
        checks.equal("--sandbox: it drains", waiting.close_code(), 1001)
        waiting.send(0x8, b"\x03\xe9")
        checks.equal("--sandbox: and exits with 0", daemon.exit_status(), 0)
    checks.check("--sandbox: its files are gone", not path.exists() and not (folder / "sandbox.pid").exists())


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for test, *arguments in (
                (test_round_trip, folder), (test_wrong_configuration, folder), (test_sources, folder),
                (test_reload, folder), (test_notify, str(folder / "notify")), (test_notify, f"@wsd-test-{os.getpid()}"),
                (test_notify, str(folder / "sandboxed"), "--sandbox"), (test_watchdog, folder),
                (test_socket_activation, folder), (test_descriptors,), (test_pidfile, folder), (test_user, folder),
                (test_sandbox, folder)):
            checks.attempt(test.__name__, test, *arguments)
    return checks.summary()


if __name__ == "__main__":
    for variable in [name for name in os.environ if name.startswith("WSD_")]:
        del os.environ[variable]  # what the daemon is told is told here, not by the caller's shell
    sys.exit(main())
