"""The control API: every call of its table, who may, and what wrong calls are told. usage: hub_control_test.py WSD"""
import asyncio
import json
import pathlib
import signal
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests" / "support"))

from daemon import LIMIT_S, Checks  # noqa: E402 (the path is set above)
from hub import ADMIN_KEY, Hub  # noqa: E402

WSD = sys.argv[1]
checks = Checks()

COLORS = {"id": "colors", "feature_a": {"id": "red", "title": "Red"}, "feature_b": {"id": "blue", "title": "Blue"}}
MEMBERS = [{"user_id": "ada", "role": "student", "name": "Ada"}, {"user_id": "tom", "role": "instructor"}]


def code_of(answer):
    return answer["error"]["code"]


def test_key():
    with Hub(WSD) as hub:
        for name, key in {"no key": None, "a wrong key": "x", "a longer key": ADMIN_KEY + "x"}.items():
            checks.equal(name, hub.api("GET", "/sessions", key=key)[0], 401)
        checks.equal("the key", hub.api("GET", "/sessions")[0], 200)
        checks.check("the key is in no log", not any(ADMIN_KEY in line for line in hub.log))


def test_sessions():
    with Hub(WSD) as hub:
        status, made = hub.api("POST", "/sessions", {"id": "s", "name": "Algebra", "project_id": "p",
                                                     "members": MEMBERS, "comparisons": [COLORS]})
        checks.equal("a session is made", (status, made["id"], made["name"], made["status"], made["project_id"]),
                     (201, "s", "Algebra", "active", "p"))
        checks.equal("... with its defaults", (made["several_per_user"], made["students_may_broadcast"]),
                     (False, True))
        checks.equal("... and comparisons", made["comparisons"], [COLORS])
        checks.equal("an id that exists", hub.api("POST", "/sessions", {"id": "s", "members": []})[0], 409)
        status, made = hub.api("POST", "/sessions", {"members": []})
        checks.check("an id is made up where there is none", status == 201 and made["id"], made)
        status, listed = hub.api("GET", "/sessions")
        rows = {row["id"]: row for row in (listed["sessions"] if isinstance(listed, dict) else listed)}
        checks.equal("the list", {name: rows["s"][name] for name in ("id", "name", "status", "online", "last_seq")},
                     {"id": "s", "name": "Algebra", "status": "active", "online": 0, "last_seq": 0})
        checks.equal("one whole", hub.api("GET", "/sessions/s")[1]["members"][0]["user_id"], "ada")
        status, changed = hub.api("PATCH", "/sessions/s", {"name": "Topology", "students_may_broadcast": False})
        checks.equal("a change", (status, changed["name"], changed["students_may_broadcast"], changed["status"]),
                     (200, "Topology", False, "active"))
        for call in [("GET", "/sessions/none"), ("PATCH", "/sessions/none", {}), ("DELETE", "/sessions/none"),
                     ("POST", "/sessions/none/messages", {"data": {}}), ("GET", "/sessions/none/presence"),
                     ("GET", "/sessions/none/history"), ("GET", "/sessions/none/progress"),
                     ("POST", "/sessions/none/disconnect", {"user_id": "ada"})]:
            status, answer = hub.api(*call)
            checks.equal(f"{call[0]} {call[1]}", (status, code_of(answer)), (404, "session_not_found"))
        checks.equal("a path that is none", hub.api("GET", "/nowhere")[0], 404)
        checks.equal("a method that is none", hub.api("PUT", "/sessions/s")[0], 405)
        checks.check("ended", hub.api("DELETE", "/sessions/s")[0] in (200, 204))
        checks.equal("... and gone", hub.api("GET", "/sessions/s")[0], 404)
        checks.equal("... so that its id is free", hub.api("POST", "/sessions", {"id": "s", "members": []})[0], 201)


def test_wrong_bodies():
    with Hub(WSD, "--max-sessions=1") as hub:
        wrong = ["{", "[]", {"id": "a b"}, {"id": "x" * 65}, {"members": 1}, {"members": [{"user_id": "a b"}]},
                 {"members": [{"user_id": "ada", "role": "teacher"}]}, {"members": [MEMBERS[0], MEMBERS[0]]},
                 {"status": "asleep", "members": []}, {"several_per_user": 1, "members": []},
                 {"comparisons": [{"id": "c"}], "members": []}, {"comparisons": [COLORS, COLORS], "members": []},
                 {"colour": "red", "members": []}]
        for body in wrong:
            status, answer = hub.api("POST", "/sessions", body)
            checks.check(f"{json.dumps(body)[:60]} is refused with a reason",
                         status == 400 and answer["error"]["message"], (status, answer))
        checks.equal("nothing was made", hub.api("POST", "/sessions", {"id": "s", "members": MEMBERS})[0], 201)
        checks.equal("more sessions than there may be", hub.api("POST", "/sessions", {"members": []})[0], 503)
        checks.equal("a message without data", hub.api("POST", "/sessions/s/messages", {})[0], 400)
        checks.equal("a user who is not in", hub.api("POST", "/sessions/s/disconnect", {"user_id": "ada"})[0], 404)
        checks.equal("limit over 1000", hub.api("GET", "/sessions/s/history?limit=1001")[0], 400)
        checks.equal("a body that is too large", hub.api("POST", "/sessions", " " * 70000)[0], 413)


async def talk(hub):
    async with hub.attendee("s", "ada") as ada:
        await ada.live()
        status, sent = await asyncio.to_thread(hub.api, "POST", "/sessions/s/messages", {"data": {"text": "hello"}})
        checks.equal("a message of the system is numbered", (status, sent["seq"]), (200, 1))
        message = await ada.wait_for("message")
        checks.equal("... and comes from it", (message["from"], message["data"]["text"]), ("system", "hello"))
        status, sent = await asyncio.to_thread(hub.api, "POST", "/sessions/s/messages",
                                               {"type": "system_notice", "data": {"text": "soon over"}})
        checks.equal("a notice", (await ada.wait_for("system_notice"))["seq"], 2)
        await asyncio.to_thread(hub.api, "POST", "/sessions/s/messages", {"to": "tom", "data": {"text": "aside"}})
        await asyncio.to_thread(hub.api, "POST", "/sessions/s/messages",
                                {"to_role": "student", "data": {"text": "all"}})
        await ada.wait_for("message")
        checks.equal("to one and to a role", [e["data"]["text"] for e in ada.all if e["type"] == "message"],
                     ["hello", "all"])
        users = (await asyncio.to_thread(hub.api, "GET", "/sessions/s/presence"))[1]["users"]
        checks.equal("presence", (users[0]["user_id"], users[0]["role"], users[0]["online"]), ("ada", "student", True))
        history = (await asyncio.to_thread(hub.api, "GET", "/sessions/s/history"))[1]
        checks.equal("history", ([m["seq"] for m in history["messages"]], history["last_seq"]), ([1, 2, 3, 4], 4))
        history = (await asyncio.to_thread(hub.api, "GET", "/sessions/s/history?since=1&limit=2"))[1]
        checks.equal("a part of it", [m["seq"] for m in history["messages"]], [2, 3])
        stats = (await asyncio.to_thread(hub.api, "GET", "/stats"))[1]
        checks.equal("statistics", (stats["total_connections"] > 0, stats["active_sessions"]), (True, 1))


def test_talk():
    for data in False, True:
        with tempfile.TemporaryDirectory() as folder, \
                Hub(WSD, *([f"--data={folder}/data"] if data else [])) as hub:
            hub.make_session("s", "ada", "tom:instructor")
            asyncio.run(talk(hub))


def test_admin_listen():
    with Hub(WSD, "--admin-listen=127.0.0.1:0") as hub:
        checks.equal("with --admin-listen not on the main port", hub.http("GET", "/api/sessions")[0], 404)
        status, _, _ = hub.http("GET", "/api/sessions", headers={"Authorization": f"Bearer {ADMIN_KEY}"},
                                address=hub.admin_addresses[0])
        checks.equal("... but there", status, 200)


def test_kept():
    with tempfile.TemporaryDirectory() as folder:
        with Hub(WSD, f"--data={folder}/data") as hub:
            hub.make_session("s", "ada", name="Algebra")
            hub.make_session("..", "ada")
            hub.make_session("gone", "ada")
            hub.api("PATCH", "/sessions/s", {"name": "Topology"})
            hub.api("POST", "/sessions/s/messages", {"data": {"text": "kept"}})
            hub.api("DELETE", "/sessions/gone")
        with Hub(WSD, f"--data={folder}/data") as hub:
            checks.equal("definitions outlive the process", hub.api("GET", "/sessions/s")[1]["name"], "Topology")
            checks.equal("... of any name", hub.api("GET", "/sessions/..")[0], 200)
            checks.equal("... history does, too", hub.api("GET", "/sessions/s/history")[1]["last_seq"], 1)
            checks.equal("... and ended ones are gone", hub.api("GET", "/sessions/gone")[0], 404)
            hub.signal(signal.SIGTERM)
            checks.equal("it ends in order", hub.process.wait(LIMIT_S), 0)


def test_sessions_file():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "sessions.json")
        path.write_text(json.dumps([{"id": "s", "name": "Algebra", "members": MEMBERS}]))
        with Hub(WSD, f"--sessions={path}") as hub:
            checks.equal("sessions of a file", hub.api("GET", "/sessions/s")[1]["name"], "Algebra")
        path.write_text('[{"id": "s", "members": 1}]')
        try:
            with Hub(WSD, f"--sessions={path}"):
                checks.check("a wrong file is an error", False)
        except RuntimeError as error:
            checks.check("a wrong file is one clear line", "members" in str(error) and str(path) in str(error), error)


for test in test_key, test_sessions, test_wrong_bodies, test_talk, test_admin_listen, test_kept, test_sessions_file:
    checks.attempt(test.__name__, test)
sys.exit(checks.summary())
