"""From sender to receivers: long bursts in order, receipts and retries through lost connections, who may address whom,
and how much anybody may say. usage: hub_delivery_test.py WSD
"""
import asyncio
import pathlib
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests" / "support"))

from daemon import LIMIT_S, Checks  # noqa: E402 (the path is set above)
from hub import Hub  # noqa: E402

WSD = sys.argv[1]
checks = Checks()

BURST_COUNT = 2000


def texts(envelopes):
    return [envelope["data"].get("text") for envelope in envelopes if envelope["type"] == "message"]


async def call(hub, *arguments):
    return await asyncio.to_thread(hub.api, *arguments)


async def code_of(attendee, message_id, **fields):
    """What becomes of a message: "ack" or the error's code."""
    answer = await attendee.say("x", message_id, **fields)
    return answer["data"]["code"] if answer["type"] == "error" else answer["type"]


# --------------------------------------------------------------------------------------------------------------- burst

async def burst(hub):
    """One client sends without waiting for anything."""
    async with hub.attendee("s", "tom", "instructor") as tom, hub.attendee("s", "ada") as ada:
        await tom.live(), await ada.live()
        for number in range(BURST_COUNT):
            await ada.send("message", id=f"m{number}", data={"text": f"{number}"})
        await tom.seen("message", id=f"m{BURST_COUNT - 1}")
        await ada.answer(f"m{BURST_COUNT - 1}")
        expected = [f"{number}" for number in range(BURST_COUNT)]
        checks.equal("a burst arrives whole and in order", texts(tom.all), expected)
        acks = [(e["id"], e["seq"]) for e in ada.all if e["type"] == "ack"]
        checks.equal("... is acknowledged in order", acks, [(f"m{n}", n + 1) for n in range(BURST_COUNT)])
        checks.equal("... to whom it does not come back", texts(ada.all), [])
        kept = []
        for since in range(0, BURST_COUNT, 1000):
            kept += texts((await call(hub, "GET", f"/sessions/s/history?since={since}&limit=1000"))[1]["messages"])
        checks.equal("... and is kept so", kept, expected)
        async with hub.attendee("s", "bob") as bob:
            await bob.live()
            checks.equal("... and replayed so", texts(bob.all), expected)


# ------------------------------------------------------------------------------------------------------------ receipts

async def retry_after_reconnect(hub):
    """The receiver loses its connection between two retries."""
    async with hub.attendee("s", "tom", "instructor") as tom:
        await tom.live()
        async with hub.attendee("s", "ada") as ada:
            token = (await ada.live())["resume_token"]
            seq = (await tom.say("are you there", "m1", to="ada", ack=True))["seq"]
            await ada.seen("message", id="m1", retry=1)
            ada.socket.transport.abort()
            await tom.wait_for("attendee_left")
        async with hub.attendee("s", "ada", resume=token, since=seq) as back:
            again = await back.wait_for("message")
            checks.equal("retries go on after a reconnect", (again["seq"], again["retry"] > 1, again["ack"]),
                         (seq, True, True))
            await back.send("ack", seq=seq)
            checks.equal("... until it is acknowledged", (await tom.wait_for("status"))["data"],
                         {"event": "delivered", "seq": seq})
            await back.send("ack", seq=seq)
            await back.send("ack", seq=seq + 7)
            await back.send("ack", id="a1")
            checks.equal("an ack without a number", (await back.answer("a1"))["data"]["code"], "invalid_message")
            await back.barrier()
            await tom.barrier()
            checks.equal("acks of nothing are harmless", tom.types().count("status"), 1)


async def sender_reconnects(hub):
    """Receipts go to whatever connections the sender has by then."""
    async with hub.attendee("s", "ada") as ada:
        await ada.live()
        async with hub.attendee("s", "tom", "instructor") as tom:
            await tom.live()
            seq = (await tom.say("confirm", "m1", to="ada", ack=True))["seq"]
        async with hub.attendee("s", "tom", "instructor") as tom:
            await tom.live()
            await ada.send("ack", seq=seq)
            status = await tom.wait_for("status")
            checks.equal("a sender that came back hears of it", (status["id"], status["data"]),
                         ("m1", {"event": "delivered", "seq": seq}))
            seq = (await tom.say("and this", "m2", to="ada", ack=True))["seq"]
            failed = await tom.wait_for("status")
            checks.equal("... and of what fails", failed["data"],
                         {"event": "delivery_failed", "seq": seq, "to": ["ada"]})
            await ada.barrier()
            retries = [e.get("retry", 0) for e in ada.all if e.get("id") == "m2"]
            checks.equal("... after three retries", retries, [0, 1, 2, 3])


async def receipts_of_several(hub):
    """All connections of a sender hear of it; one of a receiver's is enough."""
    async with hub.attendee("both", "tom", "instructor") as one, hub.attendee("both", "tom", "instructor") as two, \
            hub.attendee("both", "ada") as ada, hub.attendee("both", "ada") as window, \
            hub.attendee("both", "bob") as bob:
        for person in one, two, ada, window, bob:
            await person.live()
        seq = (await one.say("confirm", "m1", ack=True))["seq"]
        for person in ada, window, bob:
            checks.equal("every connection is asked", (await person.wait_for("message"))["ack"], True)
        await window.send("ack", seq=seq)
        await window.barrier()
        checks.equal("it is not delivered before all have it", one.types().count("status"), 0)
        await bob.send("ack", seq=seq)
        for person in one, two:
            checks.equal("each of the sender's connections hears of it", (await person.wait_for("status"))["data"],
                         {"event": "delivered", "seq": seq})
        seq = (await ada.say("to the teachers", "m2", to_role="instructor", ack=True))["seq"]
        await two.wait_for("message")
        await two.send("ack", seq=seq)
        for person in ada, window:
            checks.equal("to a role: whoever of it was online", (await person.wait_for("status"))["data"]["seq"], seq)
        await bob.barrier()
        checks.equal("who is not addressed sees nothing of it", texts(bob.all), ["confirm"])


async def nobody_to_confirm(hub):
    async with hub.attendee("s", "tom", "instructor") as tom:
        await tom.live()
        seq = (await tom.say("hello?", "m1", ack=True))["seq"]
        checks.equal("with nobody there it is delivered at once", (await tom.wait_for("status"))["data"],
                     {"event": "delivered", "seq": seq})


# --------------------------------------------------------------------------------------------------------- who to whom

async def quiet_students(hub):
    async with hub.attendee("quiet", "ada") as ada, hub.attendee("quiet", "tom", "instructor") as tom:
        await ada.live(), await tom.live()
        checks.equal("where students may not broadcast", await code_of(ada, "m1"), "forbidden")
        checks.equal("... they may address instructors", await code_of(ada, "m2", to_role="instructor"), "ack")
        checks.equal("... one of them", await code_of(ada, "m3", to="tom"), "ack")
        checks.equal("... and themselves", await code_of(ada, "m4", to="ada"), "ack")
        checks.equal("... and instructors may", await code_of(tom, "m5"), "ack")
        await call(hub, "PATCH", "/sessions/quiet", {"students_may_broadcast": True})
        checks.equal("the flag changes while they are in", await code_of(ada, "m6"), "ack")
        await tom.barrier()
        checks.equal("only what was allowed was seen", [e["id"] for e in tom.all if e["type"] == "message"],
                     ["m2", "m3", "m4", "m6"])


# ------------------------------------------------------------------------------------------------------------ how much

async def until_taken(attendee, prefix):
    """Sends until one is taken. Returns the errors before it; the rate bounds their time."""
    errors = []
    while True:
        answer = await attendee.say("again", f"{prefix}{len(errors)}")
        if answer["type"] == "ack":
            return errors
        errors.append(answer["data"])


async def refill(hub):
    async with hub.attendee("s", "ada") as ada:
        await ada.live()
        for number in range(10):
            await ada.send("message", id=f"b{number}", data={})
        answers = [await ada.answer(f"b{number}") for number in range(10)]
        checks.equal("the burst is taken", [answer["type"] for answer in answers[:2]], ["ack", "ack"])
        errors = [answer["data"] for answer in answers if answer["type"] == "error"]
        checks.equal("over it: rate_limited", {error["code"] for error in errors}, {"rate_limited"})
        checks.check("... and when to come back", all(0 < error["retry_after"] <= 0.1 for error in errors), errors)
        checks.check("then a token comes back", len(await until_taken(ada, "r")) < 10000)


async def burst_of_ten(hub):
    """As the rule has it: ten at once, refilled by one a second. It is a user's, whatever the type and the session."""
    async with hub.attendee("s", "tom", "instructor") as tom, hub.attendee("t", "tom", "instructor") as other:
        await tom.live(), await other.live()
        for number in range(5):
            await tom.send("message", id=f"m{number}", data={})
            await other.send("system_notice", id=f"n{number}", data={})
        answers = [await tom.answer(f"m{number}") for number in range(5)]
        answers += [await other.answer(f"n{number}") for number in range(5)]
        checks.equal("ten at once", [answer["type"] for answer in answers], ["ack"] * 10)
        for number in range(30):
            await tom.send("message", id=f"over{number}", data={})
        over = [(await tom.answer(f"over{number}"))["type"] for number in range(30)]
        checks.check("no thirty more", over.count("error") > 0, over)
        for number in range(30):
            await tom.send("typing", data={"active": True})
            await tom.send("status", data={"state": "here"})
        await tom.barrier()
        checks.equal("what is not stored is not counted", tom.types().count("error"), over.count("error"))
        async with hub.attendee("s", "ada") as ada:
            await ada.live()
            checks.equal("another user's is another's", await code_of(ada, "a1"), "ack")


def run(scenario, *flags):
    with Hub(WSD, *flags) as hub:
        hub.make_session("s", "ada", "bob", "tom:instructor")
        hub.make_session("t", "ada", "tom:instructor")
        hub.make_session("both", "ada", "bob", "tom:instructor", several_per_user=True)
        hub.make_session("quiet", "ada", "bob", "tom:instructor", students_may_broadcast=False)
        asyncio.run(asyncio.wait_for(scenario(hub), 3 * LIMIT_S))


def run_on_disk(scenario):
    with tempfile.TemporaryDirectory() as folder:
        run(scenario, f"--data={folder}/data")


for scenario in burst, receipts_of_several, nobody_to_confirm, quiet_students:
    checks.attempt(scenario.__name__, run, scenario)
checks.attempt("burst on disk", run_on_disk, burst)
for scenario in retry_after_reconnect, sender_reconnects:
    checks.attempt(scenario.__name__, run, scenario, "--retry-interval=700ms")  # in which one must be able to come back
checks.attempt("refill", run, refill, "--messages-per-user-minute=600", "--message-burst=2")
checks.attempt("burst_of_ten", run, burst_of_ten, "--messages-per-user-minute=60", "--message-burst=10")
sys.exit(checks.summary())
