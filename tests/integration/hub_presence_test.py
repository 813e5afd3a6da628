"""Who is there: nobody who has gone stays on anybody's list, everyone who goes is told of with the reason, and whoever
does not keep up is the only one who notices. usage: hub_presence_test.py WSD
"""
import asyncio
import json
import pathlib
import socket
import struct
import sys
import tempfile
import threading

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests" / "support"))

from daemon import CLOSE, LIMIT_S, TEXT, Checks, Peer  # noqa: E402 (the path is set above)
from hub import Hub, entry_target  # noqa: E402

WSD = sys.argv[1]
checks = Checks()

LARGE = "x" * 30000
LARGE_COUNT = 600  # together far more than the sockets' buffers and the hub's queue take
FLOOD_COUNT = 100000  # whose answers do, too


class Passive:
    """A bare attendee that answers nothing, pings least of all, and reads when it is told to."""

    def __init__(self, hub, session_id, user_id):
        self.peer = Peer(hub.addresses[0])
        self.peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        status, _ = self.peer.request(target=entry_target(session_id, user_id, "student"))
        if status != 101:
            raise RuntimeError(f"not let in: {status}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.peer.socket.close()

    def _frame(self):
        opcode, size = self.peer.read(2)
        if size >= 126:  # §5.2
            size = struct.unpack("!H" if size == 126 else "!Q", self.peer.read(2 if size == 126 else 8))[0]
        return opcode & 0x0F, self.peer.read(size)

    def envelope(self):
        """The next text message."""
        while True:
            opcode, payload = self._frame()
            if opcode == TEXT:
                return json.loads(payload)

    def read_to_close(self):
        """The count of text messages that still come, and the code of the close."""
        count = 0
        while True:
            opcode, payload = self._frame()
            if opcode == CLOSE:
                return count, struct.unpack("!H", payload[:2])[0]
            count += opcode == TEXT


def users_of(envelope):
    return sorted(user["user_id"] for user in envelope["data"]["users"])


async def call(hub, *arguments):
    return await asyncio.to_thread(hub.api, *arguments)


async def online(hub, session_id="s"):
    answer = (await call(hub, "GET", f"/sessions/{session_id}/presence"))[1]
    return sorted(user["user_id"] for user in answer["users"])


# ------------------------------------------------------------------------------------------------------------- reasons

async def reasons(hub):
    """Each way of going, and what the others are told of it."""
    async with hub.attendee("s", "tom", "instructor") as tom:
        await tom.live()

        async def left(user_id, go):
            ada = hub.attendee("s", user_id)
            await ada.__aenter__()
            await ada.live()
            await go(ada)
            event = await tom.wait_for("attendee_left")
            change = await tom.wait_for("presence")
            checks.equal(f"{event['data']['reason']}: presence says the same",
                         (users_of(change), change["data"]["users"][0]["online"]), ([user_id], False))
            await ada.socket.close()
            return event["data"]["user_id"], event["data"]["reason"]

        async def vanish(ada):
            ada.socket.transport.abort()

        async def end(ada):
            ada.socket.transport.write_eof()

        async def wrong(ada):
            ada.socket.transport.write(b"\xff\xff\xff\xff")  # no frame (§5.2)

        checks.equal("a close frame", await left("ada", lambda ada: ada.socket.close()), ("ada", "left"))
        checks.equal("leave_session", await left("ada", lambda ada: ada.send("leave_session")), ("ada", "left"))
        checks.equal("a reset", await left("ada", vanish), ("ada", "error"))
        checks.equal("an end without a close frame", await left("ada", end), ("ada", "error"))
        checks.equal("a broken frame", await left("ada", wrong), ("ada", "error"))
        checks.equal("nobody but the one who stays is listed", await online(hub), ["tom"])


async def ghost(hub):
    """A peer that is gone without a word is gone for the others, too."""
    async with hub.attendee("s", "tom", "instructor") as tom:
        await tom.live()
        with Passive(hub, "s", "ada"):
            await tom.wait_for("attendee_joined")
            left = await tom.wait_for("attendee_left")
            checks.equal("who answers no ping is gone", (left["data"]["user_id"], left["data"]["reason"]),
                         ("ada", "timeout"))
            checks.equal("... from presence", users_of(await tom.wait_for("presence")), ["ada"])
        checks.equal("... and from the API", await online(hub), ["tom"])
        async with hub.attendee("s", "ada") as ada:
            await ada.live()
            joined = await tom.wait_for("attendee_joined")
            checks.equal("who comes back joins again", joined["data"]["user_id"], "ada")


# ---------------------------------------------------------------------------------------------------------------- slow

async def flood(tom):
    for number in range(LARGE_COUNT):
        await tom.send("message", id=f"m{number}", data={"text": LARGE})
    for number in range(LARGE_COUNT):
        await tom.answer(f"m{number}")


async def slow(hub):
    """Memory keeps fewer messages than the reader is behind."""
    async with hub.attendee("s", "tom", "instructor") as tom, hub.attendee("s", "bob") as bob:
        await tom.live(), await bob.live()
        with Passive(hub, "s", "ada") as ada:
            await tom.wait_for("attendee_joined")
            await flood(tom)
            checks.equal("nobody else waits for the slow one", (await bob.seen("message", id=f"m{LARGE_COUNT - 1}"))
                         ["seq"], LARGE_COUNT)
            count, code = await asyncio.to_thread(ada.read_to_close)
            checks.check("it gets what it was owed for as long as that is kept", 0 < count < LARGE_COUNT, count)
            checks.equal("... and is told that it was too slow", code, 4008)
            left = await tom.wait_for("attendee_left")
            checks.equal("... as the others are", (left["data"]["user_id"], left["data"]["reason"]), ("ada", "slow"))


async def stuck(hub):
    """A reader that takes nothing at all ends by the write timeout."""
    async with hub.attendee("s", "tom", "instructor") as tom:
        await tom.live()
        with Passive(hub, "s", "ada"):
            await tom.wait_for("attendee_joined")
            await flood(tom)
            left = await tom.wait_for("attendee_left")
            checks.equal("who takes nothing of what it is owed is too slow",
                         (left["data"]["user_id"], left["data"]["reason"]), ("ada", "slow"))
        checks.equal("... and on no list", await online(hub), ["tom"])


def unread_answers(hub):
    """Who sends and does not read the answers is not read any more, which is what its own queue is bounded by."""
    def send_all():
        for start in range(0, FLOOD_COUNT, 500):
            ada.peer.socket.sendall(b"".join(masked(b'{"type":"message","id":"m%d"}' % number)
                                             for number in range(start, start + 500)))

    with Passive(hub, "s", "ada") as ada:
        sender = threading.Thread(target=send_all, daemon=True)
        sender.start()
        queued_bytes = taken_count = 0
        while not queued_bytes and taken_count < FLOOD_COUNT:
            stats = hub.api("GET", "/stats")[1]["pool"]
            queued_bytes = stats["queued_bytes"]
            taken_count = hub.api("GET", "/sessions/s")[1]["last_seq"]
        checks.check("it is not read to the end", taken_count < FLOOD_COUNT, taken_count)
        checks.check("what is owed to it stays small", stats["memory_bytes"] < 8 << 20, stats)
        ada.peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        acks = []
        while len(acks) < FLOOD_COUNT:
            envelope = ada.envelope()
            if envelope["type"] == "ack":
                acks.append(envelope["seq"])
        sender.join(LIMIT_S)
        checks.equal("once it reads, all is done and answered in order", acks, list(range(1, FLOOD_COUNT + 1)))


def masked(payload):
    """A text frame of up to 125 bytes, with a mask of zero."""
    return struct.pack("!BB4x", 0x80 | TEXT, 0x80 | len(payload)) + payload


async def caught_up(hub):
    """On disk everything is kept: who was behind gets it all, and then hears who is there."""
    async with hub.attendee("s", "tom", "instructor") as tom:
        await tom.live()
        async with hub.attendee("s", "ada") as ada:
            await ada.live()
            ada.socket.transport.pause_reading()
            await flood(tom)
            await ada.send("message", id="late", data={})
            await tom.seen("message", id="late")
            async with hub.attendee("s", "bob") as bob:
                await bob.wait_for("system", "welcome")
                ada.socket.transport.resume_reading()
                await ada.seen("message", id=f"m{LARGE_COUNT - 1}")
                numbers = [e["seq"] for e in ada.all if e["type"] == "message"]
                checks.equal("all of it comes, once and in order", numbers, list(range(1, LARGE_COUNT + 1)))
                await ada.answer("late")
                checks.check("... and then the answer to what was sent meanwhile",
                             [e["seq"] for e in ada.all if "seq" in e] == [*numbers, LARGE_COUNT + 1])
                while "bob" not in users_of(await ada.wait_for("presence")):
                    pass
                checks.equal("its history is told of once", [e["data"]["event"] for e in ada.all
                                                             if e["type"] == "system"], ["welcome", "history_complete"])


# -------------------------------------------------------------------------------------------------------------- several

async def crowd(hub):
    """Fifty come at once and half of them go at once: everyone who stays has the same list."""
    people = [hub.attendee("crowd", f"u{number}") for number in range(50)]
    await asyncio.gather(*(person.__aenter__() for person in people))
    welcomes = await asyncio.gather(*(person.live() for person in people))
    checks.equal("each is somebody", len({welcome["connection_id"] for welcome in welcomes}), 50)
    gone, here = people[::2], people[1::2]
    await asyncio.gather(*(person.socket.close() for person in gone))
    names = sorted(person.user_id for person in here)
    wrong = [person.user_id for person in here if await list_after_changes(person, names) != names]
    checks.equal("snapshot and changes add up to who is there, for everyone", wrong, [])
    checks.equal("... and for the API", await online(hub, "crowd"), names)
    await asyncio.gather(*(person.socket.close() for person in here))


async def list_after_changes(person, wanted):
    """What presence has told since the snapshot, added up until it is what is wanted."""
    await person.barrier()
    there = {}
    looked_at_count = 0
    while True:
        for envelope in person.all[looked_at_count:]:
            if envelope["type"] == "presence":
                there.update((user["user_id"], user["online"]) for user in envelope["data"]["users"])
        looked_at_count = len(person.all)
        listed = sorted(name for name, present in there.items() if present)
        if listed == wanted:
            return listed
        await person.next()


async def two_sessions(hub):
    """The same user in two sessions is two attendees."""
    async with hub.attendee("s", "tom", "instructor") as tom, hub.attendee("t", "tom", "instructor") as other, \
            hub.attendee("s", "ada") as here, hub.attendee("t", "ada") as there:
        for person in tom, other, here, there:
            await person.live()
        checks.equal("numbers are each session's own", ((await here.say("here", "m1"))["seq"],
                                                        (await there.say("there", "m1"))["seq"]), (1, 1))
        for person, session_id, text in (tom, "s", "here"), (other, "t", "there"):
            message = await person.wait_for("message")
            checks.equal(f"what is said in {session_id} stays there", (message["session_id"], message["data"]["text"]),
                         (session_id, text))
        await call(hub, "POST", "/sessions/s/disconnect", {"user_id": "ada"})
        checks.equal("who is disconnected from one", await here.closed(), 4003)
        await tom.wait_for("attendee_left")
        checks.equal("... is still in the other", await online(hub, "t"), ["ada", "tom"])
        await call(hub, "DELETE", "/sessions/s")
        checks.equal("the end of one session", await tom.closed(), 4002)
        checks.equal("... is not the other's", (await there.say("still there", "m2"))["seq"], 2)
        checks.equal("... whose people saw nothing of it", other.types().count("attendee_left"), 0)


async def replaced_at_once(hub):
    """One user opens fifty connections at the same moment: the last one in stays."""
    connections = [hub.attendee("s", "ada") for _ in range(50)]
    await asyncio.gather(*(one.__aenter__() for one in connections))
    ends = [asyncio.create_task(one.closed()) for one in connections]
    while sum(end.done() for end in ends) < 49:
        await asyncio.wait([end for end in ends if not end.done()], return_when=asyncio.FIRST_COMPLETED)
    checks.equal("all but one are replaced", {end.result() for end in ends if end.done()}, {4001})
    checks.equal("... and that one is online", await online(hub), ["ada"])
    await call(hub, "POST", "/sessions/s/disconnect", {"user_id": "ada"})
    await asyncio.wait(ends)
    checks.equal("... alone", sorted(end.result() for end in ends), [4001] * 49 + [4003])
    checks.equal("nobody is left behind", await online(hub), [])


async def one_of_several(hub):
    """Where a user may have several connections, one that resumes takes the place of the one it names."""
    async with hub.attendee("both", "tom", "instructor") as tom, hub.attendee("both", "ada") as one, \
            hub.attendee("both", "ada") as two:
        await tom.live(), await one.live()
        token = (await two.live())["resume_token"]
        seq = (await tom.say("hello", "m1"))["seq"]
        async with hub.attendee("both", "ada", resume=token, since=seq) as newer:
            checks.equal("it resumes", (await newer.live())["resumed"], True)
            checks.equal("the one it names is replaced", await two.closed(), 4001)
            await tom.say("to both", "m2", to="ada")
            for person in one, newer:
                checks.equal("the others stay", (await person.wait_for("message", id="m2"))["seq"], seq + 1)
            await tom.barrier()
            checks.equal("nobody has joined again or left", (tom.types().count("attendee_joined"),
                                                             tom.types().count("attendee_left")), (1, 0))


async def typing(hub):
    async with hub.attendee("s", "tom", "instructor") as tom, hub.attendee("s", "ada") as ada:
        await tom.live(), await ada.live()
        await ada.send("typing", data={"active": True})
        await tom.wait_for("typing", data={"active": True})
        await ada.send("typing", data={"active": False})
        checks.equal("who stops typing", (await tom.wait_for("typing"))["data"], {"active": False})
        await ada.send("typing", data={"active": True})
        await tom.wait_for("typing", data={"active": True})
        await ada.socket.close()
        await tom.wait_for("attendee_left")
        await tom.barrier()
        checks.equal("who has left is not told of as typing any more",
                     [e for e in tom.all[tom.types().index("attendee_left") + 1:] if e["type"] == "typing"], [])
        await tom.send("typing", data={"active": "yes"}, id="t1")
        checks.equal("neither true nor false", (await tom.answer("t1"))["data"]["code"], "invalid_message")


def run(scenario, *flags):
    with Hub(WSD, *flags) as hub:
        hub.make_session("s", "ada", "bob", "tom:instructor")
        hub.make_session("t", "ada", "tom:instructor")
        hub.make_session("both", "ada", "tom:instructor", several_per_user=True)
        hub.make_session("crowd", *(f"u{number}" for number in range(50)))
        if asyncio.iscoroutinefunction(scenario):
            asyncio.run(asyncio.wait_for(scenario(hub), 3 * LIMIT_S))
        else:
            scenario(hub)


def run_on_disk(scenario, *flags):
    with tempfile.TemporaryDirectory() as folder:
        run(scenario, f"--data={folder}/data", *flags)


for scenario in reasons, crowd, two_sessions, replaced_at_once, one_of_several, typing, unread_answers:
    checks.attempt(scenario.__name__, run, scenario)
checks.attempt("ghost", run, ghost, "--ping-interval=250ms", "--stale-timeout=2s")
checks.attempt("slow", run, slow, "--history-max-count=50", "--write-timeout=1h")
checks.attempt("stuck", run, stuck, "--write-timeout=1s")
checks.attempt("caught_up", run_on_disk, caught_up, "--write-timeout=1h")
sys.exit(checks.summary())
