"""The hub as the daemon runs it: what is where, keys read again, the end in order, and `wsd token` as a program.

usage: hub_serve_test.py WSD
"""
import asyncio
import pathlib
import signal
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests" / "support"))

from daemon import Checks  # noqa: E402 (the path is set above)
from hub import SECRET, Hub, entry_target  # noqa: E402

WSD = sys.argv[1]
OTHER_SECRET = "another secret that is long enough to sign"
checks = Checks()


def token(secret):
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(secret)
        file.flush()
        return subprocess.run([WSD, "token", "--secret-file", file.name, "--sub", "ada", "--role", "student"],
                              capture_output=True, text=True, check=True).stdout.strip()


def test_places():
    with Hub(WSD) as hub:
        checks.equal("another path than /hub has no sessions", hub.refusal("/other")[0], 404)
        checks.equal("the API takes no upgrade", hub.refusal("/api/sessions")[0], 404)
        checks.equal("health is where it was", hub.http("GET", "/health/live")[0], 200)
        checks.equal("the API is on the main port", hub.api("GET", "/sessions")[0], 200)
        line = hub.wait_for("request")
        checks.check("a request is logged without its query and key", "path" in line and "key" not in str(line), line)
    with Hub(WSD, "--admin-listen=127.0.0.1:0") as hub:
        checks.equal("with an admin listener it is not", hub.api("GET", "/sessions")[0], 404)


async def rotate(hub):
    secrets = pathlib.Path(hub.files.name, "jwt.secret")

    def entered_with(secret):
        return hub.refusal(entry_target("nowhere", "ada", "student", token=token(secret)))[1]

    async with hub.attendee("algebra-1", "ada", token=token(SECRET)) as ada:
        await ada.live()
        secrets.write_text("short\n")
        hub.signal(signal.SIGHUP)
        hub.wait_for("not reloaded")
        checks.equal("a file of secrets that is wrong changes nothing", entered_with(SECRET), "session_not_found")
        secrets.write_text(OTHER_SECRET + "\n")
        hub.signal(signal.SIGHUP)
        hub.wait_for("reloaded")
        checks.equal("SIGHUP brings new secrets", entered_with(OTHER_SECRET), "session_not_found")
        checks.equal("... and takes the old ones", entered_with(SECRET), "token_invalid")
        hub.signal(signal.SIGTERM)
        checks.equal("a drain closes with 1001", await ada.closed(), 1001)


def test_life():
    with Hub(WSD, secret=SECRET) as hub:
        hub.make_session("algebra-1", "ada")
        asyncio.run(rotate(hub))
        checks.equal("... and ends with 0", hub.exit_status(), 0)


def test_secrets_given_up():
    with tempfile.TemporaryDirectory() as folder:
        secrets, config = pathlib.Path(folder, "jwt.secret"), pathlib.Path(folder, "wsd.conf")
        secrets.write_text(SECRET + "\n")
        config.write_text(f"jwt-secret-file = {secrets}\n")
        with Hub(WSD, f"--config={config}") as hub:
            hub.make_session("algebra-1", "ada")
            hub.wait_for("session created")
            config.write_text("")
            hub.signal(signal.SIGHUP)
            hub.wait_for("no jwt-secret-file: users are believed whoever they say they are")
            checks.check("a reload that gives up tokens says so", True)


async def say(hub):
    async with hub.attendee("algebra-1", "ada") as ada:
        await ada.live()
        return await ada.say("hi", "c-1")


def test_sandbox():
    with tempfile.TemporaryDirectory() as folder:
        flags = ["--sandbox", "--fsync=always", f"--data={folder}/data"]
        with Hub(WSD, *flags) as hub:
            hub.make_session("algebra-1", "ada")
            checks.equal("in the sandbox a message is kept", asyncio.run(say(hub))["seq"], 1)
        with Hub(WSD, *flags) as hub:
            checks.equal("... and there after a restart",
                         [message["id"] for message in hub.api("GET", "/sessions/algebra-1/history")[1]["messages"]],
                         ["c-1"])
            checks.equal("a session is ended there, too", hub.api("DELETE", "/sessions/algebra-1")[0], 204)


def test_wrong():
    for arguments, named in [(["token"], "--secret-file"), (["token", "--role=boss"], "--role"),
                             (["--hub", "--port=0", "--jwt-secret-file=/nowhere"], "jwt-secret-file: /nowhere"),
                             (["--hub", "--port=0", "--admin-key-file=/"], "admin-key-file: /")]:
        done = subprocess.run([WSD, *arguments], capture_output=True, text=True, check=False, timeout=60)
        lines = done.stderr.splitlines()
        checks.check(f"{arguments[-1]} is named", named in lines[-1], lines)
        checks.equal("... with the exit status", done.returncode, 2 if arguments[0] == "token" else 1)


for test in [test_places, test_life, test_secrets_given_up, test_sandbox, test_wrong]:
    checks.attempt(test.__name__, test)
sys.exit(checks.summary())
