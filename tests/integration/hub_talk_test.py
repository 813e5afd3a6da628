"""Talking in a session: the order of what a newcomer gets, who sees what, acknowledged delivery, coming back, presence
and leaving, over real sockets and by somebody else's client.

usage: hub_talk_test.py WSD
"""
import asyncio
import json
import pathlib
import re
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests" / "support"))

from daemon import Checks  # noqa: E402 (the path is set above)
from hub import Hub  # noqa: E402

WSD = sys.argv[1]
checks = Checks()

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")


def texts(envelopes):
    return [envelope["data"].get("text") for envelope in envelopes if envelope["type"] == "message"]


def event_of(envelope):
    return envelope.get("data", {}).get("event") or envelope["type"]


# ---------------------------------------------------------------------------------------------------------- messages

async def newcomer(hub):
    async with hub.attendee("s", "tom", "instructor") as tom:
        welcome = await tom.live()
        checks.equal("the first gets welcome, history_complete, presence", [event_of(e) for e in tom.all],
                     ["welcome", "history_complete", "presence"])
        checks.equal("... of an empty history", (tom.all[1]["data"]["count"], welcome["last_seq"]), (0, 0))
        checks.equal("the first ack", (await tom.say("one", "m1"))["seq"], 1)
        checks.equal("numbers have no gap", (await tom.say("two", "m2"))["seq"], 2)
        async with hub.attendee("s", "ada") as ada:
            await ada.live()
            checks.equal("a newcomer gets welcome, history, history_complete, presence",
                         [event_of(e) for e in ada.all],
                         ["welcome", "message", "message", "history_complete", "presence"])
            first = ada.all[1]
            checks.equal("the original envelope", {**first, "ts": None},
                         {"type": "message", "seq": 1, "id": "m1", "session_id": "s", "from": "tom",
                          "role": "instructor", "ts": None, "data": {"text": "one"}})
            checks.check("... with its time", TIME.match(first["ts"]), first)
            checks.equal("... and their count", ada.all[3]["data"]["count"], 2)
            checks.equal("presence lists everyone, the newcomer too",
                         sorted((u["user_id"], u["role"], u["online"]) for u in ada.all[4]["data"]["users"]),
                         [("ada", "student", True), ("tom", "instructor", True)])
            joined = await tom.wait_for("attendee_joined")
            checks.equal("others see who has come", (joined["data"]["user_id"], joined["data"]["role"]),
                         ("ada", "student"))
            change = await tom.wait_for("presence")
            checks.equal("... and presence tells changes only", [u["user_id"] for u in change["data"]["users"]],
                         ["ada"])
        left = await tom.wait_for("attendee_left")
        checks.equal("... and who has left", (left["data"]["user_id"], left["data"]["reason"]), ("ada", "left"))
        change = (await tom.wait_for("presence"))["data"]["users"][0]
        checks.check("... with when", change["online"] is False and TIME.match(change["last_seen"]), change)


async def routes(hub):
    async with hub.attendee("s", "tom", "instructor") as tom, hub.attendee("s", "eva", "instructor") as eva, \
            hub.attendee("s", "ada") as ada, hub.attendee("s", "bob") as bob:
        people = {"tom": tom, "eva": eva, "ada": ada, "bob": bob}
        for person in people.values():
            await person.live()
        said = [(tom, "all", {}), (tom, "to ada", {"to": "ada"}), (tom, "to students", {"to_role": "student"}),
                (ada, "to eva", {"to": "eva"}), (ada, "to instructors", {"to_role": "instructor"}),
                (ada, "to itself", {"to": "ada"}), (bob, "from bob", {})]
        for number, (sender, text, to) in enumerate(said):
            checks.equal(f"{text} is acknowledged", (await sender.say(text, f"m{number}", **to))["type"], "ack")
        for person in people.values():
            await person.barrier()
        expected = {
            "tom": ["to eva", "to instructors", "to itself", "from bob"],
            "eva": ["all", "to ada", "to students", "to eva", "to instructors", "to itself", "from bob"],
            "ada": ["all", "to ada", "to students", "from bob"],
            "bob": ["all", "to students"],
        }
        for name, person in people.items():
            checks.equal(f"what {name} sees live", texts(person.all), expected[name])
    expected = {"tom": [text for _, text, _ in said], "eva": [text for _, text, _ in said],
                "ada": ["all", "to ada", "to students", "to eva", "to instructors", "to itself", "from bob"],
                "bob": ["all", "to students", "from bob"]}
    for name in expected:
        async with hub.attendee("s", name, "instructor" if name in ("tom", "eva") else "student") as again:
            await again.live()
            checks.equal(f"what {name} sees in the history", texts(again.all), expected[name])


async def refusals(hub):
    async with hub.attendee("s", "ada") as ada, hub.attendee("s", "tom", "instructor") as tom:
        await ada.live(), await tom.live()
        cases = [
            ("a student to a student", "forbidden", {"type": "message", "to": "bob", "data": {}}),
            ("a student to all students", "forbidden", {"type": "message", "to_role": "student", "data": {}}),
            ("a user whom nobody knows", "not_found", {"type": "message", "to": "zoe", "data": {}}),
            ("no type", "invalid_message", {"data": {}}),
            ("a type that is none", "unknown_type", {"type": "shout"}),
            ("data that is no object", "invalid_message", {"type": "message", "data": []}),
            ("an id that is too long", "invalid_message", {"type": "message", "id": "x" * 65, "data": {}}),
            ("a role that is none", "invalid_message", {"type": "message", "to_role": "teacher", "data": {}}),
            ("a student's comparison", "forbidden", {"type": "comparison_update", "data": {"comparison": {}}}),
            ("a student's notice", "forbidden", {"type": "system_notice", "data": {}}),
            ("too large", "too_large", {"type": "message", "data": {"text": "x" * 70000}}),
        ]
        for name, code, message in cases:
            await ada.socket.send(json.dumps({"id": "m1", **message} if code != "too_large" else message))
            error = await ada.wait_for("error")
            checks.equal(name, error["data"]["code"], code)
        await ada.socket.send("{no json")
        checks.equal("no JSON", (await ada.wait_for("error"))["data"]["code"], "invalid_json")
        await ada.socket.send(b"binary")
        checks.equal("a binary message", (await ada.wait_for("error"))["data"]["code"], "invalid_message")
        deep = '{"type":"message","data":' + '{"a":' * 40 + "1" + "}" * 41
        await ada.socket.send(deep)
        checks.equal("nested too deep", (await ada.wait_for("error"))["data"]["code"], "invalid_json")
        checks.equal("after errors the connection is as good as ever", (await ada.say("still here", "m2"))["seq"], 1)
        forged = {"seq": 9, "session_id": "t", "from": "tom", "role": "instructor", "ts": "1970-01-01T00:00:00.000Z"}
        await ada.send("message", id="m3", data={}, **forged)
        seen = await tom.wait_for("message", id="m3")
        checks.equal("sender and session are the server's to say",
                     (seen["seq"], seen["session_id"], seen["from"], seen["role"]), (2, "s", "ada", "student"))
        checks.check("... and the time", not seen["ts"].startswith("1970"), seen)
        for _ in range(20):
            await ada.socket.send("{")
        checks.equal("twenty malformed ones in a row end it", await ada.closed(), 1008)


async def idempotent(hub):
    async with hub.attendee("s", "ada") as ada, hub.attendee("s", "tom", "instructor") as tom:
        await ada.live(), await tom.live()
        first = await ada.say("once", "same")
        again = await ada.say("once", "same")
        checks.equal("the first ack is repeated", again["seq"], first["seq"])
        checks.equal("... but an id is a user's own", (await tom.say("mine", "same"))["seq"], first["seq"] + 1)
        await ada.send("message", id="burst", data={"text": "b"})
        await ada.send("message", id="burst", data={"text": "b"})
        acks = [await ada.answer("burst"), await ada.answer("burst")]
        checks.equal("also while the first is under way", acks[0]["seq"], acks[1]["seq"])
        await tom.barrier()
        checks.equal("it was taken once", texts(tom.all), ["once", "b"])


async def small_types(hub):
    async with hub.attendee("s", "ada") as ada, hub.attendee("s", "tom", "instructor") as tom:
        await ada.live(), await tom.live()
        await ada.send("typing", data={"active": True})
        checks.equal("typing", (await tom.wait_for("typing"))["data"]["active"], True)
        checks.equal("... ends by itself", (await tom.wait_for("typing", **{"from": "ada"}))["data"]["active"], False)
        await ada.send("status", data={"state": "away"})
        status = await tom.wait_for("status")
        checks.equal("status", (status["from"], status["data"]["state"]), ("ada", "away"))
        await ada.send("status", id="long", data={"state": "x" * 65})
        checks.equal("a state that is too long", (await ada.answer("long"))["data"]["code"], "invalid_message")
        await ada.send("heartbeat")
        checks.check("heartbeat", TIME.match((await ada.wait_for("heartbeat"))["ts"]))
        await ada.send("join_session")
        checks.equal("join_session", (await ada.wait_for("system"))["data"]["event"], "welcome")
        await tom.send("system_notice", id="n", data={"text": "a break"})
        checks.equal("a notice", (await ada.wait_for("system_notice"))["data"], {"text": "a break"})
        checks.equal("nothing but the notice is stored", (await tom.answer("n"))["seq"], 1)
        await ada.send("leave_session")
        checks.equal("leave_session", await ada.closed(), 1000)
        checks.equal("... is told", (await tom.wait_for("attendee_left"))["data"]["reason"], "left")


# ---------------------------------------------------------------------------------------------------------- delivery

async def acknowledged(hub):
    async with hub.attendee("s", "tom", "instructor") as tom, hub.attendee("s", "ada") as ada, \
            hub.attendee("s", "bob") as bob:
        for person in tom, ada, bob:
            await person.live()
        seq = (await tom.say("confirm", "m1", ack=True))["seq"]
        for person in ada, bob:
            checks.equal("receivers are asked", (await person.wait_for("message"))["ack"], True)
            await person.send("ack", seq=seq)
        delivered = await tom.wait_for("status", "delivered")
        checks.equal("the sender hears when all have", delivered["data"]["seq"], seq)
        seq = (await tom.say("only ada", "m2", to="ada", ack=True))["seq"]
        await ada.wait_for("message", id="m2")
        await bob.send("ack", seq=seq)
        await bob.barrier()
        await tom.barrier()
        checks.check("somebody else's ack does not count",
                     not any(e.get("data", {}).get("seq") == seq for e in tom.all), tom.all[-3:])
        await ada.send("ack", seq=seq)
        checks.equal("the receiver's does", (await tom.wait_for("status", "delivered"))["data"]["seq"], seq)


async def retried(hub):
    async with hub.attendee("s", "tom", "instructor") as tom, hub.attendee("s", "ada") as ada:
        await tom.live(), await ada.live()
        seq = (await tom.say("are you there", "m1", to="ada", ack=True))["seq"]
        await ada.wait_for("message")
        for retry in 1, 2, 3:
            again = await ada.wait_for("message")
            checks.equal(f"retry {retry}", (again["seq"], again["retry"], again["id"]), (seq, retry, "m1"))
        failed = await tom.wait_for("status", "delivery_failed")
        checks.equal("after the last the sender hears", (failed["data"]["seq"], failed["data"]["to"]), (seq, ["ada"]))
        seq = (await tom.say("offline", "m2", to="bob", ack=True))["seq"]
        failed = await tom.wait_for("status", "delivery_failed")
        checks.equal("retries to somebody who is offline count as tried", failed["data"]["seq"], seq)
        seq = (await tom.say("come back", "m3", to="bob", ack=True))["seq"]
        async with hub.attendee("s", "bob") as bob:
            message = await bob.seen("message", id="m3")
            checks.equal("who comes back gets it by replay, still asked", message["ack"], True)
            await bob.send("ack", seq=seq)
            checks.equal("... and may confirm", (await tom.wait_for("status", "delivered"))["data"]["seq"], seq)


async def resume(hub):
    async with hub.attendee("s", "tom", "instructor") as tom:
        await tom.live()
        ada = hub.attendee("s", "ada")
        await ada.__aenter__()
        welcome = await ada.live()
        checks.equal("a first entry resumes nothing", welcome["resumed"], False)
        await tom.say("seen", "m1")
        since = (await ada.wait_for("message"))["seq"]
        ada.socket.transport.abort()
        checks.equal("a vanished peer is told of", (await tom.wait_for("attendee_left"))["data"]["user_id"], "ada")
        for number in range(200):
            await tom.say(f"missed {number}", f"k{number}")
        async with hub.attendee("s", "ada", resume=welcome["resume_token"], since=since) as back:
            talk = asyncio.create_task(talk_on(tom))
            again = await back.live()
            await talk
            checks.equal("it resumes", again["resumed"], True)
            await back.seen("message", id="last")
            expected = [f"missed {number}" for number in range(200)] + [f"live {number}" for number in range(50)]
            checks.equal("exactly what was missed, once, in order", texts(back.all), [*expected, "last"])
            async with hub.attendee("s", "ada", resume=again["resume_token"], since=since) as newer:
                checks.equal("an old connection that is still open is replaced", await back.closed(), 4001)
                checks.equal("... by the one that resumes", (await newer.live())["resumed"], True)
                await newer.seen("message", id="last")
            foreign = again["resume_token"]
        for name, token in {"foreign": foreign, "wrong": "x.y"}.items():
            async with hub.attendee("s", "bob", resume=token, since=1) as bob:
                checks.equal(f"a {name} token is a full entry", (await bob.live())["resumed"], False)
                checks.equal("... with all of the history", len(texts(bob.all)), 252)


async def talk_on(tom):
    for number in range(50):
        await tom.say(f"live {number}", f"l{number}")
    await tom.say("last", "last")


async def in_order(hub):
    """Ten writers at once, each of 300 messages without waiting for answers."""
    names = [f"u{number}" for number in range(10)]
    async with hub.attendee("s", "tom", "instructor") as tom:
        await tom.live()
        writers = [hub.attendee("s", name) for name in names]
        for writer in writers:
            await writer.__aenter__()
        await asyncio.gather(*(write(writer) for writer in writers))
        while len(texts(tom.all)) < 3000:
            await tom.next()
        for name in names:
            own = [e["data"]["text"] for e in tom.all if e["type"] == "message" and e["from"] == name]
            checks.equal(f"{name}'s order holds", own, [f"{name} {number}" for number in range(300)])
        numbers = [e["seq"] for e in tom.all if e["type"] == "message"]
        checks.equal("numbers rise by one", numbers, list(range(1, 3001)))
        for writer in writers:
            await writer.__aexit__()


async def write(writer):
    await writer.live()
    for number in range(300):
        await writer.send("message", id=f"m{number}", data={"text": f"{writer.user_id} {number}"})
    for number in range(300):
        await writer.answer(f"m{number}")


# ---------------------------------------------------------------------------------------------------------- presence

async def replaced(hub):
    async with hub.attendee("s", "tom", "instructor") as tom, hub.attendee("s", "ada") as ada:
        await tom.live(), await ada.live()
        async with hub.attendee("s", "ada") as newer:
            await newer.live()
            checks.equal("a newer connection replaces the old", await ada.closed(), 4001)
            await tom.say("hello", "m1")
            checks.equal("the newer one is talked to", (await newer.wait_for("message"))["data"]["text"], "hello")
            checks.equal("a user joins once", tom.types().count("attendee_joined"), 1)
            checks.equal("... and has not left", tom.types().count("attendee_left"), 0)
        await tom.wait_for("attendee_left")


async def several(hub):
    async with hub.attendee("both", "tom", "instructor") as tom, hub.attendee("both", "ada") as one:
        await tom.live(), await one.live()
        async with hub.attendee("both", "ada") as two:
            await two.live()
            await one.say("from my other window", "m1")
            checks.equal("a user's other connection sees its message",
                         (await two.wait_for("message"))["data"]["text"], "from my other window")
            await tom.say("to both", "m2", to="ada")
            for connection in one, two:
                checks.equal("all connections of a user are sent to",
                             (await connection.wait_for("message", id="m2"))["data"]["text"], "to both")
        await tom.barrier()
        checks.equal("joins once, and has not left yet",
                     (tom.types().count("attendee_joined"), tom.types().count("attendee_left")), (1, 0))
    async with hub.attendee("both", "tom", "instructor") as tom:
        users = (await tom.wait_for("presence"))["data"]["users"]
        checks.equal("nobody is left behind", [user["user_id"] for user in users], ["tom"])


async def kicked(hub):
    async with hub.attendee("s", "tom", "instructor") as tom, hub.attendee("s", "ada") as ada:
        await tom.live(), await ada.live()
        status, _ = await asyncio.to_thread(hub.api, "POST", "/sessions/s/disconnect", {"user_id": "ada"})
        checks.equal("disconnect", status, 200)
        checks.equal("... closes with 4003", await ada.closed(), 4003)
        checks.equal("... and is told", (await tom.wait_for("attendee_left"))["data"]["reason"], "kicked")
        status, _ = await asyncio.to_thread(hub.api, "DELETE", "/sessions/s")
        checks.equal("the end of a session is told", (await tom.wait_for("system"))["data"]["event"], "session_ended")
        checks.equal("... and closes with 4002", await tom.closed(), 4002)


async def over_rate(hub):
    async with hub.attendee("s", "ada") as ada:
        await ada.live()
        for number in range(5):
            checks.equal("within the burst", (await ada.say("x", f"m{number}"))["type"], "ack")
        error = await ada.say("x", "m5")
        checks.equal("over the rate", (error["id"], error["data"]["code"]), ("m5", "rate_limited"))
        checks.check("... with when to come back", error["data"]["retry_after"] > 0, error)
        await ada.send("typing", data={"active": True})
        await ada.barrier()
        checks.equal("nothing of it was done", texts(ada.all), [])
        history = await asyncio.to_thread(hub.api, "GET", "/sessions/s/history")
        checks.equal("... nor kept", history[1]["last_seq"], 5)


async def paused(hub):
    async with hub.attendee("s", "ada") as ada:
        await ada.live()
        await asyncio.to_thread(hub.api, "PATCH", "/sessions/s", {"status": "paused"})
        checks.equal("in a paused session", (await ada.say("x", "m1"))["data"]["code"], "forbidden")
        checks.equal("... people stay", (await ada.barrier())["type"], "heartbeat")
        checks.equal("... newcomers are refused",
                     (await asyncio.to_thread(hub.refusal, "/hub?session_id=s&user_id=bob&role=student"))[:2],
                     (401, "session_inactive"))
        await asyncio.to_thread(hub.api, "PATCH", "/sessions/s", {"status": "active"})
        checks.equal("and active again", (await ada.say("x", "m2"))["type"], "ack")


def run(scenario, data, *flags):
    with tempfile.TemporaryDirectory() as folder:
        with Hub(WSD, *flags, *([f"--data={folder}/data"] if data else [])) as hub:
            hub.make_session("s", "ada", "bob", "tom:instructor", *(f"u{number}" for number in range(10)))
            hub.make_session("both", "ada", "tom:instructor", several_per_user=True)
            asyncio.run(scenario(hub))


for data in False, True:
    where = "on disk" if data else "in memory"
    for scenario in newcomer, routes, refusals, idempotent, small_types, acknowledged, resume, in_order, replaced, \
            several, kicked, paused:
        checks.attempt(f"{scenario.__name__} {where}", run, scenario, data)
checks.attempt("retried", run, retried, False, "--retry-interval=200ms")
checks.attempt("over_rate", run, over_rate, False, "--messages-per-user-minute=5")
sys.exit(checks.summary())
