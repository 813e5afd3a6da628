"""The systemd units that tools/deploy ships, before systemd's own judges; and beside the system calls that wsd really
makes, as a filter that lacks one would end it on the first machine that has it.

It refuses to start a unit, for which a machine would have to be run by systemd. usage: units.py WSD
"""
import asyncio
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests" / "support"))

from daemon import LIMIT_S, TEXT, Checks, Daemon, Peer  # noqa: E402 (the path is set above)
from front import NAME, SHIPPED, Adapted, Process, held_port  # noqa: E402
from hub import Attendee  # noqa: E402

EXPOSURE_MAX = 20  # tenths, by systemd-analyze security: a line of hardening that is lost shows
WSD = sys.argv[1]
HELP = subprocess.run([WSD, "--help"], capture_output=True, text=True, check=True).stdout
checks = Checks()


def skip(what, why):
    print("SKIP ", what + ":", why, flush=True)


def run(*arguments):
    return subprocess.run(arguments, capture_output=True, text=True, check=False)


def service_text():
    return (SHIPPED / "wsd.service").read_text()


# ----------------------------------------------------------------------------------------------------------- verdicts

def cannot_analyze():
    """Why systemd's judge does not run here, from its verdict on a unit that cannot be wrong; None if it does."""
    with tempfile.TemporaryDirectory() as folder:
        unit = pathlib.Path(folder) / "probe.service"
        unit.write_text("[Service]\nExecStart=/bin/true\n")
        done = run("systemd-analyze", "verify", "--man=no", unit)
        return None if done.returncode == 0 else done.stderr.strip()


def test_verdicts():
    why_not = cannot_analyze()
    if why_not is not None:
        skip("systemd-analyze verify and security", why_not)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        service = Adapted("wsd.service").change("/usr/local/bin/wsd", str(pathlib.Path(WSD).resolve()))
        service = service.write(folder / "wsd.service")
        listening = shutil.copy(SHIPPED / "wsd.socket", folder)
        (folder / "wsd.service.d").mkdir()
        shutil.copy(SHIPPED / "hub-credentials.conf", folder / "wsd.service.d")
        done = run("systemd-analyze", "verify", "--man=no", service, listening)
        checks.equal("systemd-analyze verify", (done.returncode, done.stdout + done.stderr), (0, ""))
        done = run("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_MAX}", service)
        checks.check(f"systemd-analyze security: exposure below {EXPOSURE_MAX / 10}", done.returncode == 0,
                     (done.stdout + done.stderr)[-200:])


def test_flags():
    commands = re.findall(r"^Exec.*/wsd (.*)$", service_text(), re.MULTILINE)
    for flag in sorted(set(re.findall(r"--([a-z-]+)", " ".join(commands)))):
        checks.check(f"wsd.service's --{flag} is a flag", f"--{flag} " in HELP, HELP)


# ------------------------------------------------------------------------------------------------------- system calls

def calls_of(group):
    """The system call of that name, or those of one of systemd's groups."""
    if not group.startswith("@"):
        return {group}
    lines = run("systemd-analyze", "syscall-filter", group).stdout.split("\n")[1:]
    names = {line.strip() for line in lines if line.strip() and not line.strip().startswith("#")}
    return set().union(*map(calls_of, names))


def allowed_calls():
    """What is left of all SystemCallFilter lines, the later of which take away from the first."""
    allowed = set()
    for value in re.findall(r"^SystemCallFilter=(.+)$", service_text(), re.MULTILINE):
        calls = set().union(*map(calls_of, value.removeprefix("~").split()))
        allowed = allowed - calls if value.startswith("~") else allowed | calls
    return allowed


def await_notice(systemd, expected):
    """Reads what systemd would be told, up to a notice with this line."""
    while expected not in systemd.recv(4096).decode().split("\n"):
        pass


def live_as_service(strace, folder):
    """One life of wsd as the unit starts it: it gets ready, serves, reads its configuration again and stops."""
    flags = ["--listen=[::1]:0", f"--listen=unix:{folder}/socket", f"--config={SHIPPED / 'wsd.conf'}", "--sandbox",
             "--admin-listen=127.0.0.1:0"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.settimeout(LIMIT_S)
        systemd.bind(f"{folder}/notify")
        with Daemon(*strace, WSD, *flags, env={"NOTIFY_SOCKET": f"{folder}/notify"}) as daemon:
            pid = int(daemon.started["pid"])
            await_notice(systemd, "READY=1")
            os.kill(pid, signal.SIGHUP)
            await_notice(systemd, "RELOADING=1")
            await_notice(systemd, "READY=1")
            for address in daemon.addresses:
                with Peer(address).open() as peer:
                    peer.send(TEXT, b"hello")
                    checks.equal(f"wsd echoes on {address.rsplit(':', 1)[0]}", peer.frame(), (TEXT, b"hello"))
            os.kill(pid, signal.SIGTERM)
            checks.equal("wsd ends with 0", daemon.exit_status(), 0)


async def live_in_hub(hub, token):
    """A page of the site that hub.conf names enters, speaks and leaves."""
    headers = {"Authorization": f"Bearer {token}", "Origin": f"https://{NAME}"}
    async with Attendee(hub.addresses[0], "algebra-1", "ada", headers=headers) as ada:
        await ada.live()
        checks.equal("a hub keeps what is said", (await ada.say("hello", "c-1"))["type"], "ack")


def live_as_hub(strace, folder):
    """One life of wsd as the unit starts it with hub.conf."""
    secrets = pathlib.Path(folder, "jwt.secrets")
    secrets.write_text("a secret that is long enough to sign tokens with\n")
    pathlib.Path(folder, "admin.key").write_text("a key\n")
    config = Adapted("hub.conf").change("/var/lib/wsd", f"{folder}/data")
    config = config.change("/run/credentials/wsd.service", folder).write(pathlib.Path(folder) / "wsd.conf")
    told = ["--sub=ada", "--role=student", f"--secret-file={secrets}"]
    token = run(WSD, "token", *told).stdout.strip()
    flags = ["--listen=127.0.0.1:0", f"--config={config}", "--sandbox", "--admin-listen=127.0.0.1:0"]
    with Daemon(*strace, WSD, *flags) as daemon:
        with Peer(daemon.admin_addresses[0]) as peer:
            definition = '{"id": "algebra-1", "members": [{"user_id": "ada", "role": "student"}]}'
            made = peer.ask("/api/sessions", "Authorization: Bearer a key", method="POST", body=definition)
            checks.equal("a hub's control API is on the admin address", made[0], 201)
        asyncio.run(live_in_hub(daemon, token))
        os.kill(int(daemon.started["pid"]), signal.SIGTERM)
        checks.equal("a hub ends with 0", daemon.exit_status(), 0)


def test_system_calls(live):
    with tempfile.TemporaryDirectory() as folder:
        trace = pathlib.Path(folder) / "trace"
        strace = ["strace", "-f", "-qq", "-o", str(trace)]
        if (done := run(*strace, "/bin/true")).returncode != 0:
            skip("wsd's system calls", done.stderr.strip())
            return
        live(strace, folder)
        text = trace.read_text()
    called = set(re.findall(r"^[0-9]+ +([a-z_0-9]+)\(", text, re.MULTILINE))
    checks.check("wsd.service allows the system calls that wsd makes", called and called <= allowed_calls(),
                 called - allowed_calls())
    families = set(re.findall(r"^[0-9]+ +socket\((AF_[A-Z0-9]+)", text, re.MULTILINE))
    allowed = set(re.search(r"^RestrictAddressFamilies=(.+)$", service_text(), re.MULTILINE)[1].split())
    checks.check("wsd.service allows the address families that wsd uses", families and families <= allowed,
                 families - allowed)
    writable = re.findall(r"^[0-9]+ +m(?:map|protect)\(.*PROT_WRITE\|PROT_EXEC.*$", text, re.MULTILINE)
    checks.equal("wsd has no memory that is both written and run (MemoryDenyWriteExecute)", writable, [])


# ---------------------------------------------------------------------------------------------------------- listening

def test_activation():
    """wsd is started by a connection to where wsd.socket has systemd listen, and serves it."""
    address = re.search(r"^ListenStream=(.+)$", (SHIPPED / "wsd.socket").read_text(), re.MULTILINE)[1]
    with held_port() as port:
        address = address.replace(":9001", f":{port}")
        with Process(["systemd-socket-activate", "-l", address, WSD], "Listening on") as activated:
            with Peer(address).open() as peer:
                peer.send(TEXT, b"hello")
                checks.equal("wsd serves the socket that systemd opened", peer.frame(), (TEXT, b"hello"))
            activated.wait_for(f"event=listening address={address}")


def main():
    checks.attempt("verdicts", test_verdicts)
    checks.attempt("flags", test_flags)
    checks.attempt("system calls", test_system_calls, live_as_service)
    checks.attempt("system calls of a hub", test_system_calls, live_as_hub)
    checks.attempt("activation", test_activation)
    return checks.summary()


sys.exit(main())
