"""What is kept and what is not: a damaged journal, a torn one, a full disk, the order of disk and acknowledgement, the
end in the middle of sending, retention, and taking up again from any number. usage: hub_history_test.py WSD
"""
import asyncio
import contextlib
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import tempfile
import threading

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests" / "support"))

from daemon import LIMIT_S, Checks, parse_line  # noqa: E402 (the path is set above)
from hub import Hub  # noqa: E402

WSD = sys.argv[1]
checks = Checks()

COLORS = {"id": "colors", "feature_a": {"id": "red", "title": "Red"}, "feature_b": {"id": "blue", "title": "Blue"}}


def texts(envelopes):
    return [envelope["data"]["text"] for envelope in envelopes if envelope["type"] == "message"]


def lines_with(hub, event):
    return [line for line in map(parse_line, hub.log) if line["event"] == event]


async def say_all(hub, said, user_id="ada"):
    async with hub.attendee("s", user_id) as attendee:
        await attendee.live()
        for text in said:
            await attendee.say(text, f"id {text}")


async def seen_by(hub, user_id="ada", role="student", **resuming):
    """An attendee that has come and gone."""
    async with hub.attendee("s", user_id, role, **resuming) as attendee:
        await attendee.live()
        return attendee


def journal_of(folder):
    (path,) = pathlib.Path(folder, "data", "sessions", "s-s").glob("*.j1")
    return path


@contextlib.contextmanager
def lives(*flags):
    """A function that starts a hub on a directory which outlives it, and that directory's parent."""
    with tempfile.TemporaryDirectory() as folder:
        def start(*more):
            hub = Hub(WSD, f"--data={folder}/data", *flags, *more)
            if hub.api("GET", "/sessions/s")[0] == 404:
                hub.make_session("s", "ada", "bob", "tom:instructor", comparisons=[COLORS])
            return hub

        yield start, folder


# -------------------------------------------------------------------------------------------------------------- damage

def test_damage():
    with lives() as (start, folder):
        with start() as hub:
            asyncio.run(say_all(hub, ["one", "two", "three", "four", "five"]))
        path = journal_of(folder)
        content = bytearray(path.read_bytes())
        content[content.index(b'"three"') + 1] ^= 1
        path.write_bytes(content)
        with start() as hub:
            (line,) = lines_with(hub, "history damaged")
            checks.check("damage in the middle is in the log",
                         line["session"] == "s" and "missing 3-3" in line["detail"], line)
            ada = asyncio.run(seen_by(hub))
            told = next(e["data"] for e in ada.all if e["type"] == "system" and e["data"]["event"] != "welcome")
            checks.equal("a newcomer is told what is missing", told,
                         {"event": "history_unavailable", "count": 4, "missing": [{"first": 3, "last": 3}]})
            checks.equal("... and gets the rest", texts(ada.all), ["one", "two", "four", "five"])
            history = hub.api("GET", "/sessions/s/history")[1]
            checks.equal("the control API tells of it, too",
                         ([m["seq"] for m in history["messages"]], history["missing"], history["last_seq"]),
                         ([1, 2, 4, 5], [{"first": 3, "last": 3}], 5))
            asyncio.run(say_all(hub, ["six"]))
            checks.equal("numbers go on", hub.api("GET", "/sessions/s/history?since=5")[1]["messages"][0]["seq"], 6)


def test_torn():
    with lives() as (start, folder):
        with start() as hub:
            asyncio.run(say_all(hub, ["one", "two", "three"]))
        path = journal_of(folder)
        os.truncate(path, path.stat().st_size - 5)
        with start() as hub:
            checks.equal("a torn end is cut", len(lines_with(hub, "torn end of history cut")), 1)
            ada = asyncio.run(seen_by(hub))
            checks.equal("... which is no damage", (texts(ada.all), ada.all[-2]["data"]["event"]),
                         (["one", "two"], "history_complete"))
            asyncio.run(say_all(hub, ["three", "two"]))
            history = hub.api("GET", "/sessions/s/history")[1]
            checks.equal("what was lost is taken again, what was not is not",
                         ([(m["seq"], m["data"]["text"]) for m in history["messages"]], history["last_seq"]),
                         ([(1, "one"), (2, "two"), (3, "three")], 3))
        with start() as hub:
            checks.equal("the next life finds nothing to mend", lines_with(hub, "torn end of history cut"), [])


# ----------------------------------------------------------------------------------------------------------- full disk

def allow_file_bytes(hub, count):
    """No file of the hub's may be larger: to it that is a disk that is full."""
    hard = resource.prlimit(hub.process.pid, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(hub.process.pid, resource.RLIMIT_FSIZE, (count, hard))


async def fill_disk(hub, folder):
    async with hub.attendee("s", "ada") as ada, hub.attendee("s", "bob") as bob:
        await ada.live(), await bob.live()
        await ada.say("before", "m1")
        vote = {"vote": {"comparison_id": "colors", "preferred_feature_id": "red", "is_tie_vote": False}}
        await ada.send("vote_submitted", id="v1", data=vote)
        await ada.answer("v1")

        allow_file_bytes(hub, journal_of(folder).stat().st_size + 10)
        for number in range(5):
            await ada.send("message", id=f"lost {number}", data={"text": "lost"}, ack=True)
        errors = [await ada.answer(f"lost {number}") for number in range(5)]
        checks.equal("a full disk is told to the sender", [(e["type"], e["data"].get("code")) for e in errors],
                     [("error", "internal")] * 5)
        await bob.send("vote_submitted", id="v2", data=vote)
        checks.equal("... a vote's, too", (await bob.answer("v2"))["data"]["code"], "internal")
        status, answer = await asyncio.to_thread(hub.api, "POST", "/sessions/s/messages", {"data": {"text": "lost"}})
        checks.equal("... and the control API's", (status, answer["error"]["code"]), (500, "internal"))
        await bob.barrier()
        checks.equal("nobody has seen anything of it", (texts(bob.all), bob.types().count("consensus_reached")),
                     (["before"], 0))
        progress = (await asyncio.to_thread(hub.api, "GET", "/sessions/s/progress"))[1]
        checks.equal("the vote does not count", progress["completed"], 0)
        await ada.send("typing", data={"active": True})
        checks.equal("what is not stored goes on", (await bob.wait_for("typing"))["from"], "ada")

        allow_file_bytes(hub, resource.RLIM_INFINITY)
        again = await ada.say("lost", "lost 0")
        checks.equal("with room again the same id is taken, and numbers have no gap", (again["type"], again["seq"]),
                     ("ack", 3))
        checks.equal("... and it is seen", (await bob.wait_for("message", id="lost 0"))["seq"], 3)
        async with hub.attendee("s", "tom", "instructor") as tom:
            await tom.live()
            checks.equal("a newcomer sees what was kept", texts(tom.all), ["before", "lost"])


def test_full_disk():
    with lives() as (start, folder):
        with start() as hub:
            asyncio.run(fill_disk(hub, folder))
            checks.equal("the log tells when it began and when it was over",
                         (len(lines_with(hub, "history not written")), len(lines_with(hub, "history written again"))),
                         (1, 1))
        with start() as hub:
            history = hub.api("GET", "/sessions/s/history")[1]
            checks.equal("the next life has what was acknowledged and nothing else",
                         [(m["seq"], m.get("id")) for m in history["messages"]], [(1, "m1"), (2, "v1"), (3, "lost 0")])


def test_full_disk_definitions():
    with lives() as (start, _):
        with start() as hub:
            allow_file_bytes(hub, 10)
            status, answer = hub.api("POST", "/sessions", {"id": "t", "members": []})
            checks.equal("a session that cannot be stored is not made", (status, answer["error"]["code"]),
                         (500, "internal"))
            checks.equal("... so that it is not there", hub.api("GET", "/sessions/t")[0], 404)
            checks.equal("a change that cannot be stored", hub.api("PATCH", "/sessions/s", {"name": "new"})[0], 500)
            checks.equal("... is not made", hub.api("GET", "/sessions/s")[1]["name"], "")
            allow_file_bytes(hub, resource.RLIM_INFINITY)
            checks.equal("with room both work", (hub.api("POST", "/sessions", {"id": "t", "members": []})[0],
                                                 hub.api("PATCH", "/sessions/s", {"name": "new"})[0]), (201, 200))


# ----------------------------------------------------------------------------------------------- disk, then the answer

class Trace:
    """The system calls of a hub that are about its journal and its answers, in the order in which they ended."""

    CALLS = "pwrite64,fdatasync,fsync,sendto,sendmsg,writev"
    RESUMED = re.compile(r"^(\d+) .*<\.\.\. (\w+) resumed>(.*)")
    WHOLE = re.compile(r"^(\d+) +(\w+)\((.*)")

    def __init__(self, hub):
        command = ["strace", "-f", "-s", "400", "-e", f"trace={self.CALLS}", "-p", str(hub.process.pid)]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.lines = []
        self._attached = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._attached.wait(LIMIT_S)

    def _read(self):
        attached_count = 0
        for line in self.process.stderr:
            attached_count += " attached" in line
            self.lines.append(line)
            if attached_count:
                self._attached.set()
        self._attached.set()

    def end(self):
        """Lets the hub go. Returns pairs of a call's name and its text, or nothing where tracing is not allowed."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(LIMIT_S)
        self._reader.join(LIMIT_S)
        self.process.stderr.close()
        return list(self._calls())

    def _calls(self):
        begun = {}
        for line in self.lines:
            line = re.sub(r"^\[pid +(\d+)\] ", r"\1 ", line)
            if resumed := self.RESUMED.match(line):
                yield resumed[2], begun.pop(resumed[1], "") + resumed[3]
            elif whole := self.WHOLE.match(line):
                if "<unfinished" in whole[3]:
                    begun[whole[1]] = whole[3]
                    if whole[2] in ("sendto", "sendmsg", "writev"):
                        yield whole[2], whole[3]  # an answer counts from where it begins
                else:
                    yield whole[2], whole[3]


def judge_order(calls, count):
    """What is wrong with the order of write, sync and acknowledgement; empty if nothing is."""
    written = synced = acked = 0
    for name, text in calls:
        if name == "pwrite64":
            written += text.count(r"\"type\":\"message\"")
        elif name in ("fdatasync", "fsync") and text.rstrip().endswith("= 0"):
            synced = written
        elif r"\"type\":\"ack\"" in text:
            acked += text.count(r"\"type\":\"ack\"")
            if acked > synced:
                return f"ack {acked} with {synced} synced"
    return "" if (written, acked) == (count, count) else f"{written} written, {acked} acknowledged of {count}"


def test_sync_order():
    with lives("--fsync=always", "--no-deflate") as (start, _):
        with start() as hub:
            asyncio.run(say_all(hub, ["first"]))
            trace = Trace(hub)
            asyncio.run(say_all(hub, [f"t{number}" for number in range(20)]))
            calls = trace.end()
        if not calls:
            print("SKIP  --fsync always under strace: nothing may be traced here")
            return
        checks.equal("--fsync always: on disk first, then acknowledged", judge_order(calls, 20), "")


# ------------------------------------------------------------------------------------------------------------- the end

async def drain_while_sending(hub):
    """SIGTERM while answers are awaited. Returns the numbers that were acknowledged and the close codes."""
    async with hub.attendee("s", "ada") as ada, hub.attendee("s", "tom", "instructor") as tom:
        await ada.live(), await tom.live()

        async def send_on(person):
            with contextlib.suppress(Exception):  # the close ends it
                for number in range(100000):
                    await person.send("message", id=f"{person.user_id}-{number}", data={"text": "x" * 100})
                    await asyncio.sleep(0)

        sending = [asyncio.create_task(send_on(person)) for person in (ada, tom)]
        await ada.answer("ada-50")
        hub.signal(signal.SIGTERM)
        codes = await ada.closed(), await tom.closed()
        await asyncio.gather(*sending)
        acked = {e["id"]: e["seq"] for person in (ada, tom) for e in person.all if e["type"] == "ack"}
        return acked, codes


def history_of(hub):
    messages = []
    while True:
        since = messages[-1]["seq"] if messages else 0
        page = hub.api("GET", f"/sessions/s/history?since={since}&limit=1000")[1]
        if not page["messages"]:
            return messages
        messages += page["messages"]


def test_drain():
    with lives() as (start, _):
        with start() as hub:
            acked, codes = asyncio.run(drain_while_sending(hub))
            checks.equal("SIGTERM while people send closes with 1001", codes, (1001, 1001))
            checks.equal("... and ends with 0", hub.exit_status(), 0)
        with start() as hub:
            kept = {message["id"]: message["seq"] for message in history_of(hub)}
            lost = {name: seq for name, seq in acked.items() if kept.get(name) != seq}
            checks.equal(f"all {len(acked)} that were acknowledged are kept", lost, {})
            checks.check("... of which there were some from each", {name.split("-")[0] for name in acked}
                         == {"ada", "tom"}, len(acked))


# ------------------------------------------------------------------------------------------------------ taking up again

async def beyond(hub):
    async with hub.attendee("s", "ada") as ada:
        token = (await ada.live())["resume_token"]
        await ada.say("one", "m1")
    for since, expected in (1, []), (0, ["one"]), (99, []), (2**63, []):
        async with hub.attendee("s", "ada", resume=token, since=since) as back:
            welcome = await back.live()
            checks.equal(f"since {since} of 1", (welcome["resumed"], texts(back.all), back.all[-2]["data"]),
                         (True, expected, {"event": "history_complete", "count": len(expected)}))
    async with hub.attendee("s", "ada", resume=token, since=99) as back, hub.attendee("s", "bob") as bob:
        await back.live(), await bob.live()
        await bob.say("two", "m2")
        checks.equal("what comes after it is seen all the same", (await back.wait_for("message"))["seq"], 2)
    async with hub.attendee("s", "ada", since=1) as back:
        checks.equal("a number without a token is a full entry", (await back.live())["resumed"], False)
        checks.equal("... with all of the history", texts(back.all), ["one", "two"])


async def expired(hub):
    """Enters with the same token until it is not good any more, which --resume-timeout bounds."""
    async with hub.attendee("s", "ada") as ada:
        token = (await ada.live())["resume_token"]
        await ada.say("one", "m1")
    seen = []
    while not seen or seen[-1][0]:
        back = await seen_by(hub, resume=token, since=1)
        seen.append((back.all[0]["data"]["resumed"], texts(back.all)))
    checks.equal("a token is good for a while", seen[0], (True, []))
    checks.equal("... and then a full entry, never a refusal", seen[-1], (False, ["one"]))


async def retained(hub):
    async with hub.attendee("s", "ada") as ada:
        token = (await ada.live())["resume_token"]
        for number in range(1, 51):
            await ada.say(f"{number}", f"m{number}")
    back = await seen_by(hub, resume=token, since=5)
    checks.equal("who was away for longer than history is kept is told what is missing", back.all[-2]["data"],
                 {"event": "history_unavailable", "count": 10, "missing": [{"first": 6, "last": 40}]})
    checks.equal("... and gets the rest", texts(back.all), [f"{number}" for number in range(41, 51)])
    newcomer = await seen_by(hub)
    checks.equal("a newcomer misses nothing: that is all the history there is",
                 (newcomer.all[-2]["data"], texts(newcomer.all)),
                 ({"event": "history_complete", "count": 10}, [f"{number}" for number in range(41, 51)]))


def run(scenario, *flags):
    with Hub(WSD, *flags) as hub:
        hub.make_session("s", "ada", "bob", "tom:instructor")
        asyncio.run(asyncio.wait_for(scenario(hub), 3 * LIMIT_S))


def test_token_outlives_process():
    async def enter(hub):
        return (await seen_by(hub)).all[0]["data"]["resume_token"]

    with lives() as (start, _):
        with start() as hub:
            asyncio.run(say_all(hub, ["one", "two"]))
            token = asyncio.run(enter(hub))
        with start() as hub:
            back = asyncio.run(seen_by(hub, resume=token, since=1))
            checks.equal("a resume token outlives the process", (back.all[0]["data"]["resumed"], texts(back.all)),
                         (True, ["two"]))
        with Hub(WSD) as hub:
            hub.make_session("s", "ada")
            back = asyncio.run(seen_by(hub, resume=token, since=1))
            checks.equal("... but not another hub's", back.all[0]["data"]["resumed"], False)


for test in test_damage, test_torn, test_full_disk, test_full_disk_definitions, test_sync_order, test_drain, \
        test_token_outlives_process:
    checks.attempt(test.__name__, test)
checks.attempt("beyond", run, beyond)
checks.attempt("expired", run, expired, "--resume-timeout=1s")
checks.attempt("retained", run, retained, "--history-max-count=10")
sys.exit(checks.summary())
