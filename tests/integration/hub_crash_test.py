"""A hub that is killed in the middle of ten clients' sending, again and again: what was acknowledged is in the history,
in order and once, and what was not can be sent again without standing there twice.

usage: hub_crash_test.py WSD [KILLS]
"""
import asyncio
import pathlib
import random
import signal
import sys
import tempfile

import websockets

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests" / "support"))

from daemon import LIMIT_S, Checks  # noqa: E402 (the path is set above)
from hub import Hub  # noqa: E402

WSD = sys.argv[1]
KILLS = int(sys.argv[2]) if len(sys.argv) > 2 else 10
WRITERS = [f"u{number}" for number in range(10)]
AHEAD = 8  # messages that a writer sends without having seen the answers to those before
checks = Checks()


class Writer:
    """A user who sends message after message through all lives of the hub. `acked` has the number of each that was
    acknowledged, by its id; those of `open_ids` were sent and not answered."""

    def __init__(self, user_id):
        self.user_id = user_id
        self.acked = {}
        self.open_ids = []
        self.next_number = 0

    async def send(self, attendee, message_id):
        await attendee.send("message", id=message_id, data={"text": message_id})

    async def run(self, hub):
        """Sends until the connection is lost: first again what was left without an answer."""
        try:
            async with hub.attendee("s", self.user_id) as attendee:
                await attendee.wait_for("system", "welcome")
                for message_id in self.open_ids:
                    await self.send(attendee, message_id)
                while True:
                    while len(self.open_ids) < AHEAD:
                        self.open_ids.append(f"{self.user_id}-{self.next_number}")
                        self.next_number += 1
                        await self.send(attendee, self.open_ids[-1])
                    ack = await attendee.wait_for("ack")
                    self.open_ids.remove(ack["id"])
                    self.acked[ack["id"]] = ack["seq"]
        except (websockets.ConnectionClosed, OSError):
            pass  # it was killed


async def until_killed(hub, writers, count):
    """Kills the hub once `count` more messages have been acknowledged."""
    wanted = count + sum(len(writer.acked) for writer in writers)
    running = [asyncio.create_task(writer.run(hub)) for writer in writers]
    deadline = asyncio.get_running_loop().time() + LIMIT_S
    while sum(len(writer.acked) for writer in writers) < wanted and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0)  # to the writers, which wait for the acknowledgements
    hub.signal(signal.SIGKILL)
    await asyncio.gather(*running)


def history_of(hub):
    messages, since = [], 0
    while True:
        _, page = hub.api("GET", f"/sessions/s/history?since={since}&limit=1000")
        if not page["messages"]:
            return messages, page["last_seq"]
        messages += page["messages"]
        since = messages[-1]["seq"]


def judge(writers, messages, last_seq):
    """What is wrong with a history; empty if nothing is."""
    numbers = [message["seq"] for message in messages]
    if numbers != list(range(1, last_seq + 1)):
        return f"numbers are not 1 to {last_seq}"
    by_id = {}
    for message in messages:
        if by_id.setdefault(message["id"], message["seq"]) != message["seq"]:
            return f"{message['id']} stands there twice"
    for writer in writers:
        lost = {name: seq for name, seq in writer.acked.items() if by_id.get(name) != seq}
        if lost:
            return f"acknowledged, and not there: {lost}"
        own = [int(message["id"].rsplit("-", 1)[1]) for message in messages if message["from"] == writer.user_id]
        if own != sorted(own):
            return f"{writer.user_id}'s messages are out of order"
    return ""


def run(fsync, kills):
    chance = random.Random(1)  # the same each time
    writers = [Writer(name) for name in WRITERS]
    with tempfile.TemporaryDirectory() as folder:
        flags = [f"--data={folder}/data", f"--fsync={fsync}"]
        made = False
        wrong = []
        for number in range(kills):
            with Hub(WSD, *flags) as hub:
                if not made:
                    hub.make_session("s", *WRITERS)
                made = True
                asyncio.run(until_killed(hub, writers, chance.randint(1, 200)))
                hub.exit_status()
            with Hub(WSD, *flags) as hub:
                fault = judge(writers, *history_of(hub))
            if fault:
                wrong.append(f"kill {number + 1}: {fault}")
        checks.equal(f"--fsync {fsync}: nothing is lost and nothing doubled in {kills} kills", wrong, [])
        acked_count = sum(len(writer.acked) for writer in writers)
        checks.check(f"--fsync {fsync}: messages were acknowledged in each life", acked_count >= kills, acked_count)
        print(f"      {acked_count} messages acknowledged")


checks.attempt("always", run, "always", KILLS // 2)
checks.attempt("interval", run, "interval", KILLS - KILLS // 2)
sys.exit(checks.summary())
