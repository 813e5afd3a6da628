"""The control API as programs use it: one connection for many calls, several admins at once, methods that it does not
take, people with several connections, keys that change, and sessions of a file beside those on disk.

usage: hub_api_test.py WSD
"""
import asyncio
import concurrent.futures
import http.client
import json
import pathlib
import signal
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests" / "support"))

from daemon import LIMIT_S, Checks, Peer  # noqa: E402 (the path is set above)
from hub import ADMIN_KEY, Hub, entry_target  # noqa: E402

WSD = sys.argv[1]
checks = Checks()

BEARER = {"Authorization": f"Bearer {ADMIN_KEY}"}
ADMINS = 8
STUDENT = {"user_id": "ada", "role": "student"}


def test_keep_alive():
    with Hub(WSD) as hub:
        host, port = hub.addresses[0].rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=LIMIT_S)

        def call(method, path, body=None, headers=BEARER):
            connection.request(method, "/api" + path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()

        connection.connect()
        socket = connection.sock
        statuses = [call("POST", "/sessions", {"id": "s", "members": [STUDENT]})[0]]
        statuses += [call("POST", "/sessions/s/messages", {"data": {"n": number}})[0] for number in range(50)]
        statuses += [call("GET", "/sessions/none")[0], call("POST", "/sessions", {"id": "s"})[0],
                     call("GET", "/sessions", headers={})[0], call("PATCH", "/sessions/s", {"name": 1})[0]]
        checks.equal("calls of one connection", statuses, [201] + [200] * 50 + [404, 409, 401, 400])
        status, _, body = call("GET", "/sessions/s/history?limit=1000")
        numbers = [message["data"]["n"] for message in json.loads(body)["messages"]]
        checks.equal("... each done before the next", (status, numbers), (200, list(range(50))))
        length = len(call("GET", "/sessions/s")[2])
        status, headers, body = call("HEAD", "/sessions/s")
        checks.equal("HEAD: as GET, without the body", (status, int(headers["Content-Length"]), body),
                     (200, length, b""))
        for method, path, allow in [("OPTIONS", "/sessions", {"GET", "HEAD", "POST"}),
                                    ("OPTIONS", "/sessions/s", {"GET", "HEAD", "PATCH", "DELETE"}),
                                    ("PUT", "/sessions/s/messages", {"POST"}), ("DELETE", "/stats", {"GET", "HEAD"})]:
            status, headers, _ = call(method, path)
            checks.equal(f"{method} {path}", (status, set(headers["Allow"].split(", "))), (405, allow))
        checks.equal("without the key nobody learns what there is", call("OPTIONS", "/sessions/s", headers={})[0], 401)
        checks.check("all on the one connection", connection.sock is socket)
        connection.close()


def raw_call(method, path, body=None):
    text = "" if body is None else json.dumps(body)
    return (f"{method} /api{path} HTTP/1.1\r\nHost: wsd.test\r\nAuthorization: Bearer {ADMIN_KEY}\r\n"
            f"Content-Length: {len(text)}\r\n\r\n{text}").encode()


def test_pipelined():
    """Calls that are sent before the answer to the one before, some of which wait for the disk."""
    calls = [raw_call("POST", "/sessions/s/messages", {"data": {}}) for _ in range(5)]
    calls += [raw_call("GET", "/sessions/s/history"), raw_call("PATCH", "/sessions/s", {"name": "new"}),
              raw_call("GET", "/sessions/s")]
    with tempfile.TemporaryDirectory() as folder, Hub(WSD, f"--data={folder}/data") as hub:
        hub.make_session("s", "ada")
        with Peer(hub.addresses[0]) as peer:
            peer.socket.sendall(b"".join(calls))
            answers = []
            for _ in calls:
                _, fields = peer.answer()
                answers.append(json.loads(peer.read(int(fields["content-length"]))))
        checks.equal("answers come in the order of the calls", [answer["seq"] for answer in answers[:5]],
                     [1, 2, 3, 4, 5])
        checks.equal("... each with what was done before", (len(answers[5]["messages"]), answers[7]["name"]),
                     (5, "new"))
        for _ in range(20):
            with Peer(hub.addresses[0]) as peer:
                peer.socket.sendall(calls[0] + raw_call("PATCH", "/sessions/s", {"name": "gone"}))
        checks.equal("callers who do not wait for the answer harm nobody", hub.api("GET", "/sessions/s")[0], 200)


def test_pages():
    """An answer has a limit in bytes, too: the rest is asked for from where it ends."""
    with tempfile.TemporaryDirectory() as folder, Hub(WSD, f"--data={folder}/data") as hub:
        hub.make_session("s", "ada")
        for _ in range(300):
            hub.api("POST", "/sessions/s/messages", {"data": {"text": "x" * 60000}})
        numbers, page_count, more = [], 0, True
        while more:
            path = f"/sessions/s/history?since={numbers[-1] if numbers else 0}&limit=1000"
            page = [message["seq"] for message in hub.api("GET", path)[1]["messages"]]
            numbers, page_count, more = numbers + page, page_count + 1, bool(page)
        checks.equal("all of a large history", numbers, list(range(1, 301)))
        checks.check("... in more than one answer", page_count > 2, page_count)


def at_once(calls):
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return [done.result() for done in [pool.submit(*call) for call in calls]]


def test_several_admins():
    for data in False, True:
        with tempfile.TemporaryDirectory() as folder, \
                Hub(WSD, *([f"--data={folder}/data"] if data else [])) as hub:
            several_admins(hub, "on disk" if data else "in memory")


def several_admins(hub, where):
    body = {"id": "s", "members": [STUDENT]}
    statuses = [status for status, _ in at_once([(hub.api, "POST", "/sessions", body)] * ADMINS)]
    checks.equal(f"{where}: of several who make the same session one does", sorted(statuses),
                 [201] + [409] * (ADMINS - 1))
    said = at_once([(hub.api, "POST", "/sessions/s/messages", {"data": {}})] * ADMINS)
    checks.equal(f"{where}: messages at once have a number each", sorted(answer["seq"] for _, answer in said),
                 list(range(1, ADMINS + 1)))
    patches = [{"name": "new"}, {"students_may_broadcast": False}, {"several_per_user": True},
               {"members": [STUDENT, {"user_id": "bob", "role": "student"}]}]
    done = at_once([(hub.api, "PATCH", "/sessions/s", patch) for patch in patches])
    checks.equal(f"{where}: changes at once are all taken", [status for status, _ in done], [200] * 4)
    session = hub.api("GET", "/sessions/s")[1]
    checks.equal(f"{where}: ... and none undoes another",
                 (session["name"], session["students_may_broadcast"], session["several_per_user"],
                  [member["user_id"] for member in session["members"]]), ("new", False, True, ["ada", "bob"]))
    ended = sorted(status for status, _ in at_once([(hub.api, "DELETE", "/sessions/s")] * ADMINS))
    checks.equal(f"{where}: of several who end it one does", ended, [204] + [404] * (ADMINS - 1))
    mixed = at_once([(hub.api, "POST", "/sessions", {"id": f"n{number}"}) for number in range(ADMINS)]
                    + [(hub.api, "GET", "/sessions"), (hub.api, "GET", "/stats")])
    checks.equal(f"{where}: different calls at once", [status for status, _ in mixed], [201] * ADMINS + [200] * 2)


async def end_under_way(hub):
    """A session ends while messages to it, changes of it and people in it are under way."""
    async with hub.attendee("s", "ada") as ada:
        await ada.live()
        for number in range(100):
            await ada.send("message", id=f"m{number}", data={"text": "x"})
        calls = [(hub.api, "POST", "/sessions/s/messages", {"data": {}})] * 3
        calls += [(hub.api, "PATCH", "/sessions/s", {"name": "late"}), (hub.api, "DELETE", "/sessions/s"),
                  (hub.api, "GET", "/sessions/s/history")]
        answers = await asyncio.to_thread(at_once, calls)
        checks.equal("a session ends while it is busy", (answers[4][0], await ada.closed()), (204, 4002))
        allowed = {200, 404, 500}
        checks.check("... and every call about it is answered", {status for status, _ in answers} <= allowed | {204},
                     answers)
    checks.equal("... and it is gone", (await asyncio.to_thread(hub.api, "GET", "/sessions/s"))[0], 404)
    status, made = await asyncio.to_thread(hub.api, "POST", "/sessions", {"id": "s", "members": [STUDENT]})
    checks.equal("one of that name begins anew", (status, made["last_seq"], made["name"]), (201, 0, ""))
    async with hub.attendee("s", "ada") as ada:
        await ada.live()
        checks.equal("... with nothing of the old", (await ada.say("x", "m0"))["seq"], 1)


def test_end_under_way():
    with tempfile.TemporaryDirectory() as folder, Hub(WSD, f"--data={folder}/data") as hub:
        hub.make_session("s", "ada")
        asyncio.run(asyncio.wait_for(end_under_way(hub), 3 * LIMIT_S))


async def disconnect_all_of_one(hub):
    async with hub.attendee("s", "tom", "instructor") as tom, hub.attendee("s", "ada") as one, \
            hub.attendee("s", "ada") as two, hub.attendee("s", "bob") as bob:
        for person in tom, one, two, bob:
            await person.live()
        answer = await asyncio.to_thread(hub.api, "POST", "/sessions/s/disconnect", {"user_id": "ada"})
        checks.equal("all connections of a user", answer, (200, {"disconnected": 2}))
        checks.equal("... are closed with 4003", (await one.closed(), await two.closed()), (4003, 4003))
        left = await tom.wait_for("attendee_left")
        checks.equal("... which is one leaving", (left["data"]["user_id"], left["data"]["reason"]), ("ada", "kicked"))
        await tom.barrier()
        checks.equal("... told once", tom.types().count("attendee_left"), 1)
        checks.equal("others stay", (await bob.barrier())["type"], "heartbeat")
        again = await asyncio.to_thread(hub.api, "POST", "/sessions/s/disconnect", {"user_id": "ada"})
        checks.equal("who has gone cannot be disconnected", again[0], 404)
        listed = (await asyncio.to_thread(hub.api, "GET", "/sessions"))[1]["sessions"][0]
        checks.equal("the list counts users, not connections", listed["online"], 2)


def test_disconnect():
    with Hub(WSD) as hub:
        hub.make_session("s", "ada", "bob", "tom:instructor", several_per_user=True)
        asyncio.run(asyncio.wait_for(disconnect_all_of_one(hub), 3 * LIMIT_S))


def test_key_changes():
    with Hub(WSD) as hub:
        pathlib.Path(hub.files.name, "admin.key").write_text("a new key of the same admin, 0123456789\n")
        checks.equal("a new key counts when it is told to", hub.api("GET", "/sessions")[0], 200)
        hub.signal(signal.SIGHUP)
        hub.wait_for("reloaded")
        checks.equal("... and then the old one does not",
                     (hub.api("GET", "/sessions", key="a new key of the same admin, 0123456789")[0],
                      hub.api("GET", "/sessions")[0]), (200, 401))


def test_file_and_disk():
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "sessions.json")
        flags = [f"--data={folder}/data", f"--sessions={file}"]
        file.write_text(json.dumps([{"id": "s", "name": "of the file", "members": [STUDENT]}]))
        with Hub(WSD, *flags) as hub:
            checks.equal("a session of the file", hub.api("GET", "/sessions/s")[1]["name"], "of the file")
            hub.api("PATCH", "/sessions/s", {"name": "changed"})
            hub.api("POST", "/sessions/s/messages", {"data": {}})
        file.write_text(json.dumps([{"id": "s", "name": "of the file"}, {"id": "t", "name": "new"}]))
        with Hub(WSD, *flags) as hub:
            session = hub.api("GET", "/sessions/s")[1]
            checks.equal("what is on disk counts more than the file", (session["name"], session["last_seq"]),
                         ("changed", 1))
            checks.equal("... and what the file has besides is added", hub.api("GET", "/sessions/t")[1]["name"], "new")
            hub.signal(signal.SIGTERM)
            hub.exit_status()
        with Hub(WSD, f"--data={folder}/data") as hub:
            checks.equal("which is then on disk, too", hub.api("GET", "/sessions/t")[1]["name"], "new")


def test_killed_at_start():
    """The first life ends at any point of storing what the file has: the next has it all the same."""
    for _ in range(5):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "sessions.json")
            file.write_text(json.dumps([{"id": f"n{number}", "name": "of the file"} for number in range(20)]))
            flags = [f"--data={folder}/data", f"--sessions={file}"]
            with Hub(WSD, *flags):
                pass  # which kills it
            with Hub(WSD, *flags) as hub:
                sessions = hub.api("GET", "/sessions")[1]["sessions"]
                wrong = [session for session in sessions if (session["name"], session["status"])
                         != ("of the file", "active")]
                checks.equal("a kill at the first start costs no session", (len(sessions), wrong), (20, []))


def test_paths():
    with Hub(WSD) as hub:
        hub.make_session("s", "ada")
        for path in "/sessions/s/", "/sessions//history", "/sessions/s/history/", "/sessions/s/nothing", "", "/":
            checks.equal(f"/api{path} is no path", hub.api("GET", path)[0], 404)
        checks.equal("/apis is not the API's", hub.http("GET", "/apis", headers=BEARER)[0], 404)
        for query in "since=x", "limit=0", "limit=-1", "since=99999999999999999999", "from=1", "since=1&since=2":
            status, answer = hub.api("GET", f"/sessions/s/history?{query}")
            checks.equal(f"?{query}", (status, answer["error"]["code"]), (400, "invalid_parameter"))
        checks.equal("history from beyond the end", hub.api("GET", "/sessions/s/history?since=7")[1],
                     {"messages": [], "last_seq": 0})
        wrong = [{"data": {}, "to": "zoe"}, {"data": []}, {"data": {}, "type": "typing"},
                 {"data": {}, "to_role": "teacher"}, {"data": {}, "to": "ada", "to_role": "student"},
                 {"data": {}, "from": "tom"}]
        statuses = [hub.api("POST", "/sessions/s/messages", body)[0] for body in wrong]
        checks.equal("messages that are wrong", statuses, [404] + [400] * 5)
        refused = hub.refusal(entry_target("s", "eve", "student"), *BEARER.items())
        checks.equal("the key does not open /hub", refused[:2], (403, "not_a_member"))


for test in [test_keep_alive, test_pipelined, test_pages, test_several_admins, test_end_under_way, test_disconnect,
             test_key_changes, test_file_and_disk, test_killed_at_start, test_paths]:
    checks.attempt(test.__name__, test)
sys.exit(checks.summary())
