"""The envelope at its limits, what comes of messages that are wrong in a row, what a pause and a changed list of
members forbid, and history that grows too old. usage: hub_envelope_test.py WSD
"""
import asyncio
import json
import pathlib
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests" / "support"))

from daemon import LIMIT_S, Checks  # noqa: E402 (the path is set above)
from hub import Hub  # noqa: E402

WSD = sys.argv[1]
checks = Checks()

COLORS = {"id": "colors", "feature_a": {"id": "red", "title": "Red"}, "feature_b": {"id": "blue", "title": "Blue"}}
SIZE_MAX = 65536
DEPTH_MAX = 32


async def call(hub, *arguments):
    return await asyncio.to_thread(hub.api, *arguments)


async def outcome(attendee, text):
    """What the next answer to a raw message is: "ack" or the error's code."""
    await attendee.socket.send(text)
    while (envelope := await attendee.next())["type"] not in ("ack", "error"):
        pass
    return envelope["data"]["code"] if envelope["type"] == "error" else "ack"


def sized(size):
    head, tail = '{"type":"message","data":{"text":"', '"}}'
    return head + "x" * (size - len(head) - len(tail)) + tail


def nested(depth):
    """A message whose data takes it to that depth."""
    return '{"type":"message","data":' + '{"a":' * (depth - 1) + "1" + "}" * depth


async def limits(hub):
    async with hub.attendee("s", "ada") as ada, hub.attendee("s", "tom", "instructor") as tom:
        await ada.live(), await tom.live()
        rows = [
            ("64 KiB", sized(SIZE_MAX), "ack"), ("a byte more", sized(SIZE_MAX + 1), "too_large"),
            ("nested to the limit", nested(DEPTH_MAX), "ack"), ("one deeper", nested(DEPTH_MAX + 1), "invalid_json"),
            ("an id of 64 characters", json.dumps({"type": "message", "id": "\u6f22" * 64}), "ack"),
            ("an id of 65", json.dumps({"type": "message", "id": "\u6f22" * 65}), "invalid_message"),
            ("no data", '{"type":"message"}', "ack"), ("white space around", ' \n{"type":"message"}\t', "ack"),
            ("a name twice", '{"type":"message","type":"typing"}', "invalid_json"),
            ("two values", '{"type":"message"}{}', "invalid_json"), ("an array", "[]", "invalid_message"),
            ("a text", '"message"', "invalid_message"), ("an empty message", "", "invalid_json"),
            ("to and to_role", '{"type":"message","to":"tom","to_role":"instructor"}', "invalid_message"),
            ("an empty type", '{"type":""}', "invalid_message"), ("a type of another kind", '{"type":1}',
                                                                  "invalid_message"),
            ("ack that is no flag", '{"type":"message","ack":"yes"}', "invalid_message"),
            ("what is the server's to send", '{"type":"consensus_reached","data":{}}', "forbidden"),
            ("... as this", '{"type":"session_progress"}', "forbidden"),
            ("a number that is none", '{"type":"message","data":{"n":01}}', "invalid_json"),
            ("a lone surrogate", '{"type":"message","data":{"t":"\\ud800"}}', "invalid_json"),
            ("names that nobody knows", '{"type":"message","color":"red"}', "ack"),
        ]
        for name, text, expected in rows:
            checks.equal(name, await outcome(ada, text), expected)
        data = {"text": "\u00e9\U0001f600\u0000\"\\", "n": 1.5, "none": None}
        await ada.send("message", id="last", data=data)
        checks.equal("data arrives as it was", (await tom.wait_for("message", id="last"))["data"], data)
        large = next(e for e in tom.all if e["type"] == "message")
        checks.equal("the largest arrives whole", large["data"], json.loads(sized(SIZE_MAX))["data"])


async def in_a_row(hub):
    async with hub.attendee("s", "ada") as ada:
        await ada.live()
        for _ in range(3):
            for _ in range(19):
                await ada.socket.send("{")
            checks.equal("nineteen that are wrong, and one that is right", (await ada.barrier())["type"], "heartbeat")
        for _ in range(25):
            await ada.send("shout")
            await ada.send("message", to_role="student", data={})
        await ada.barrier()
        checks.equal("what is well formed and not allowed does not count", ada.types().count("error"), 57 + 50)


# ------------------------------------------------------------------------------------------------- paused, and members

async def paused(hub):
    async with hub.attendee("s", "ada") as ada, hub.attendee("s", "tom", "instructor") as tom:
        token = (await ada.live())["resume_token"]
        await tom.live()
        await call(hub, "PATCH", "/sessions/s", {"status": "paused"})
        vote = {"vote": {"comparison_id": "colors", "preferred_feature_id": "red", "is_tie_vote": False}}
        for person in ada, tom:
            await person.send("vote_submitted", id="v1", data=vote)
            checks.equal("in a paused session nobody votes", (await person.answer("v1"))["data"]["code"], "forbidden")
            checks.equal("... or talks", (await person.say("x", "m1"))["data"]["code"], "forbidden")
        checks.equal("... whatever role newcomers have", (await asyncio.to_thread(
            hub.refusal, "/hub?session_id=s&user_id=eve&role=instructor"))[:2], (401, "session_inactive"))
        status, sent = await call(hub, "POST", "/sessions/s/messages", {"data": {"text": "back soon"}})
        checks.equal("the API still speaks", (status, (await ada.wait_for("message"))["seq"]), (200, sent["seq"]))
        await ada.socket.close()
        refused = await asyncio.to_thread(hub.refusal, f"/hub?session_id=s&user_id=ada&role=student&resume={token}")
        checks.equal("who left is not let in again", refused[:2], (401, "session_inactive"))
        await call(hub, "PATCH", "/sessions/s", {"status": "active"})
        async with hub.attendee("s", "ada", resume=token, since=0) as ada:
            checks.equal("... before it is active", (await ada.live())["session"]["status"], "active")
            checks.equal("... and its ids are as good as new", (await ada.say("x", "m1"))["type"], "ack")


async def members(hub):
    async with hub.attendee("s", "ada") as ada, hub.attendee("s", "tom", "instructor") as tom:
        await ada.live(), await tom.live()
        await call(hub, "PATCH", "/sessions/s", {"members": [{"user_id": "bob", "role": "student"}]})
        checks.equal("a student who is not on the list any more", await ada.closed(), 4003)
        checks.equal("... is gone", (await tom.wait_for("attendee_left"))["data"], {"user_id": "ada", "role": "student",
                                                                                   "reason": "kicked"})
        checks.equal("an instructor stays", (await tom.barrier())["type"], "heartbeat")
        refused = await asyncio.to_thread(hub.refusal, "/hub?session_id=s&user_id=ada&role=student")
        checks.equal("... and does not come back", refused[:2], (403, "not_a_member"))
        checks.equal("somebody unknown", (await tom.say("x", "m1", to="zoe"))["data"]["code"], "not_found")
        checks.equal("a member who is offline", (await tom.say("x", "m2", to="bob"))["type"], "ack")
        async with hub.attendee("s", "bob") as bob:
            await bob.live()
            checks.equal("... hears of it when he comes", [e["id"] for e in bob.all if e["type"] == "message"], ["m2"])


# ------------------------------------------------------------------------------------------------------------- too old

async def old(hub):
    """Talks on until the first message has gone; --history-max-age bounds that."""
    async with hub.attendee("s", "ada") as ada:
        await ada.live()
        said_count = 0
        messages = []
        while not messages or messages[0]["seq"] == 1:
            said_count += 1
            await ada.say("x", f"m{said_count}")
            messages = (await call(hub, "GET", "/sessions/s/history?limit=1"))[1]["messages"] or messages
        history = (await call(hub, "GET", "/sessions/s/history"))[1]
        checks.equal("what is too old goes, and numbers stay", history["last_seq"], said_count)
        async with hub.attendee("s", "tom", "instructor") as tom:
            await tom.live()
            first = next((e["seq"] for e in tom.all if e["type"] == "message"), 0)
            checks.check("a newcomer sees what is left", first != 1, first)
            checks.equal("... which is all there is", tom.all[-2]["data"]["event"], "history_complete")


def run(scenario, *flags):
    with Hub(WSD, *flags) as hub:
        hub.make_session("s", "ada", "bob", "tom:instructor", comparisons=[COLORS])
        asyncio.run(asyncio.wait_for(scenario(hub), 3 * LIMIT_S))


def run_on_disk(scenario, *flags):
    with tempfile.TemporaryDirectory() as folder:
        run(scenario, f"--data={folder}/data", *flags)


for scenario in limits, in_a_row, paused, members:
    checks.attempt(scenario.__name__, run, scenario)
for where in run, run_on_disk:
    checks.attempt("old", where, old, "--history-max-age=1s")
sys.exit(checks.summary())
