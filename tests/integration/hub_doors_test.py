"""Entering where one look is not enough: projects by claim and by query in every combination, a hub that is going down,
roles that are not the list's, and what the server says where a client says otherwise. usage: hub_doors_test.py WSD
"""
import asyncio
import json
import pathlib
import signal
import subprocess
import sys

import websockets

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests" / "support"))

from daemon import LIMIT_S, Checks, Peer  # noqa: E402 (the path is set above)
from hub import SECRET, Hub, entry_target  # noqa: E402

WSD = sys.argv[1]
checks = Checks()


def token(hub, *flags):
    """What `wsd token` makes with the hub's own secret."""
    return subprocess.run([WSD, "token", "--secret-file", f"{hub.files.name}/jwt.secret", *flags],
                          capture_output=True, text=True, check=True, timeout=LIMIT_S).stdout.strip()


def outcome(hub, target):
    """The code of the refusal, or "in"."""
    status, code, _ = hub.refusal(target)
    return "in" if status == 101 else f"{status} {code}"


# ------------------------------------------------------------------------------------------------------------ projects

WRONG, MISMATCH = "401 wrong_project", "403 claim_mismatch"

# The session's project, the claim's, the query's. What the query says against a claim is looked at first.
PROJECTS = [
    ("p1", None, None, "in"), ("p1", None, "p1", "in"), ("p1", None, "p2", WRONG),
    ("p1", "p1", None, "in"), ("p1", "p1", "p1", "in"), ("p1", "p1", "p2", MISMATCH),
    ("p1", "p2", None, WRONG), ("p1", "p2", "p1", MISMATCH), ("p1", "p2", "p2", WRONG),
    (None, None, None, "in"), (None, None, "p1", WRONG), (None, "p1", None, WRONG),
    (None, "p1", "p1", WRONG), (None, "p1", "p2", MISMATCH),
]


def test_projects():
    with Hub(WSD, secret=SECRET) as hub:
        hub.make_session("p1", "ada", project_id="p1")
        hub.make_session("none", "ada")
        for project, claim, query, expected in PROJECTS:
            claims = ["--sub", "ada", "--role", "student", *(["--pid", claim] if claim else [])]
            target = entry_target(project or "none", "ada", "student", project_id=query, token=token(hub, *claims))
            checks.equal(f"session of {project}, claim {claim}, query {query}", outcome(hub, target), expected)
    with Hub(WSD) as hub:
        hub.make_session("p1", "ada", project_id="p1")
        for query, expected in (None, "in"), ("p1", "in"), ("p2", WRONG), ("P1", WRONG):
            target = entry_target("p1", "ada", "student", project_id=query)
            checks.equal(f"session of p1, without tokens, query {query}", outcome(hub, target), expected)


def test_order():
    """Which refusal it is where there is more than one reason: who asks learns no more than he may."""
    with Hub(WSD, secret=SECRET) as hub:
        hub.make_session("paused", "ada", status="paused", project_id="p1")
        ada = token(hub, "--sub", "ada", "--role", "student")
        rows = [
            ("no token, and nothing else", "/hub", "401 token_missing"),
            ("a token, and no session", entry_target(None, None, None, token=ada), "400 missing_parameter"),
            ("no such session for a wrong project", entry_target("s", "ada", "student", token=ada, project_id="p2"),
             "404 session_not_found"),
            ("another's name in a session that is none", entry_target("s", "bob", "student", token=ada), MISMATCH),
            ("a paused session of another project", entry_target("paused", "ada", "student", token=ada,
                                                                 project_id="p2"), WRONG),
            ("a paused session", entry_target("paused", "ada", "student", token=ada), "401 session_inactive"),
        ]
        for name, target, expected in rows:
            checks.equal(name, outcome(hub, target), expected)
        _, _, headers = hub.refusal("/hub")
        checks.equal("a 401 says how to authenticate", headers["WWW-Authenticate"], "Bearer")
        status, headers, body = hub.http("GET", "/hub", headers={
            "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})
        checks.equal("refusals are JSON of one shape", (headers.get_content_type(), set(body), set(body["error"])),
                     ("application/json", {"error"}, {"code", "message"}))


# ------------------------------------------------------------------------------------------------------------ draining

def test_draining():
    with Hub(WSD, "--drain-grace=1h", "--close-timeout=1h") as hub:
        hub.make_session("s", "ada", "bob")
        target = entry_target("s", "ada", "student")
        with Peer(hub.addresses[0]) as inside, Peer(hub.addresses[0]) as arriving:
            checks.equal("somebody is in, who leaves a close without an answer", inside.request(target=target)[0], 101)
            arriving.socket.sendall(f"GET {target} HTTP/1.1\r\nHost: wsd.test\r\n".encode())
            hub.api("GET", "/stats")  # which was accepted later, so that those two are known
            hub.signal(signal.SIGTERM)
            status, fields = arriving.answer()
            body = json.loads(arriving.read(int(fields["content-length"])))
            checks.equal("a hub that is going down lets nobody in", (status, body["error"]["code"]), (503, "draining"))
            checks.equal("... and says so as JSON", fields["content-type"], "application/json")
            checks.check("... and ends the connection", arriving.at_end())
            try:
                with Peer(hub.addresses[0]):
                    checks.check("nobody is listening any more", False)
            except ConnectionRefusedError:
                checks.check("nobody is listening any more", True)
        checks.equal("it ends when the last has gone", hub.exit_status(), 0)


# --------------------------------------------------------------------------------------------------------------- roles

async def roles(hub):
    async with hub.attendee("s", "tom", "instructor") as tom, hub.attendee("s", "ada") as ada:
        await ada.live()
        welcome = await tom.live()
        checks.equal("the list's role and the query's are told apart", welcome["role"], "instructor")
        await ada.say("to instructors", "m1", to_role="instructor")
        checks.equal("who entered as an instructor is one", (await tom.wait_for("message"))["id"], "m1")
    for user_id, role, expected in [("tom", "student", "in"), ("ada", "instructor", "in"), ("eve", "instructor", "in"),
                                    ("eve", "student", "403 not_a_member")]:
        target = entry_target("s", user_id, role)
        checks.equal(f"{user_id} as {role}", await asyncio.to_thread(outcome, hub, target), expected)


def test_roles():
    with Hub(WSD) as hub:
        hub.make_session("s", "ada", "tom:instructor")
        asyncio.run(asyncio.wait_for(roles(hub), LIMIT_S))


def test_roles_of_tokens():
    with Hub(WSD, secret=SECRET) as hub:
        hub.make_session("s", "ada", "tom:instructor")
        rows = [("tom", "instructor", None, "in"), ("tom", "instructor", "student", MISMATCH),
                ("ada", "student", "instructor", MISMATCH), ("eve", "instructor", None, "in"),
                ("eve", "student", None, "403 not_a_member")]
        for user_id, claim, query, expected in rows:
            target = entry_target("s", None, query, token=token(hub, "--sub", user_id, "--role", claim))
            checks.equal(f"{user_id}: claim {claim}, query {query}", outcome(hub, target), expected)


# -------------------------------------------------------------------------------------------------------- subprotocols

async def chosen(hub, protocols):
    url = f"ws://{hub.addresses[0]}{entry_target('s', 'ada', 'student')}"
    async with websockets.connect(url, subprotocols=protocols, open_timeout=LIMIT_S) as socket:
        return socket.subprotocol


def test_subprotocols():
    with Hub(WSD) as hub:
        hub.make_session("s", "ada")
        for offered, expected in (["wsd.v1"], "wsd.v1"), (["x", "wsd.v1"], "wsd.v1"), (["x"], None), (None, None):
            checks.equal(f"of {offered}", asyncio.run(chosen(hub, offered)), expected)


def test_one_directory():
    with Hub(WSD) as hub:
        folder = f"--data={hub.files.name}/data"
        with Hub(WSD, folder):
            try:
                with Hub(WSD, folder):
                    checks.check("two hubs on one directory", False)
            except RuntimeError as error:
                checks.check("two hubs on one directory: one clear line", "in use by another server" in str(error),
                             error)


for test in [test_projects, test_order, test_draining, test_roles, test_roles_of_tokens, test_subprotocols,
             test_one_directory]:
    checks.attempt(test.__name__, test)
sys.exit(checks.summary())
