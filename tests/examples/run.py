"""The examples and the demonstration as programs: each is started on a free port, talked to by python3-websockets, and
ended by its process id with SIGTERM, after which it has to leave with status 0.

It refuses to test the library, which has its own tests: only what each example is there to show. usage: run.py OUT
"""
import asyncio
import hashlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

try:
    import websockets
except ImportError:
    sys.exit("missing: python3-websockets (apt-get install python3-websockets)")

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests" / "support"))

from daemon import LIMIT_S, Checks, Peer  # noqa: E402 (the path is set above)

OUT = pathlib.Path(sys.argv[1]).resolve()
checks = Checks()


class Program:
    """One running example, on a port that it was left to choose; `async with` ends it and judges how it left."""

    def __init__(self, name, *command, env=None):
        self.name = name
        self.command = command or (OUT / "examples" / name,)
        self.env = {**os.environ, **(env or {})}

    async def line(self):
        return (await asyncio.wait_for(self.process.stdout.readline(), LIMIT_S)).decode().rstrip("\n")

    async def __aenter__(self):
        self.process = await asyncio.create_subprocess_exec(
            *self.command, "127.0.0.1:0", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=self.env)
        first = await self.line()
        if not first.startswith("listening on 127.0.0.1:"):
            await self.end(signal.SIGKILL)
            raise RuntimeError(f"it does not say where it listens: {first!r}")
        self.host = first.removeprefix("listening on ")
        return self

    async def end(self, number):
        if self.process.returncode is None:
            self.process.send_signal(number)
        self.rest = (await asyncio.wait_for(self.process.communicate(), LIMIT_S))[0].decode()

    async def __aexit__(self, kind, *_):
        await self.end(signal.SIGTERM if kind is None else signal.SIGKILL)
        if kind is None:
            checks.equal(f"{self.name}: SIGTERM ends it in order", self.process.returncode, 0)

    def connect(self, path="/", **options):
        return websockets.connect(f"ws://{self.host}{path}", max_size=None, **options)

    def get(self, path):
        """Status and body of a plain request."""
        try:
            with urllib.request.urlopen(f"http://{self.host}{path}", timeout=LIMIT_S) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, ""


async def next_of(socket):
    return await asyncio.wait_for(socket.recv(), LIMIT_S)


async def end_of(socket):
    """The close code that the server ends a connection with."""
    await asyncio.wait_for(socket.wait_closed(), LIMIT_S)
    return socket.close_code


async def status_of(connecting):
    """101, or the status of the refusal."""
    try:
        async with connecting:
            return 101
    except websockets.InvalidStatusCode as refusal:
        return refusal.status_code


# ---------------------------------------------------------------------------------------------------------- examples

async def echo():
    async with Program("echo") as program:
        async with program.connect() as socket:
            for message in ["hello", "", b"\x00\xff", "漢" * 100000]:
                await socket.send(message)
                checks.equal(f"echo: {len(message)} of {type(message).__name__}", await next_of(socket), message)
            # More than the queue and the kernel's buffers hold: the server has to stop reading, and to go on.
            messages = [os.urandom(1 << 18) for _ in range(160)]

            async def send_all():
                for message in messages:
                    await socket.send(message)
            sending = asyncio.create_task(send_all())
            got = [await next_of(socket) for _ in messages]
            await sending
            checks.check("echo: 40 MiB sent ahead of the answers come back in order", got == messages)
        stays = await program.connect()
        await program.end(signal.SIGTERM)
        checks.equal("echo: who is connected when it ends gets 1001", await end_of(stays), 1001)


async def chat_room():
    async with Program("chat_room") as program:
        async with program.connect("/kitchen") as ada, program.connect("/garden") as eve:
            checks.equal("chat_room: one's own coming is told", await next_of(ada), "* guest 1 joins")
            checks.equal("chat_room: in each room", await next_of(eve), "* guest 2 joins")
            bob = await program.connect("/kitchen")
            checks.equal("chat_room: somebody comes", await next_of(ada), "* guest 3 joins")
            checks.equal("chat_room: and is told, too", await next_of(bob), "* guest 3 joins")
            await bob.send("/name bob")
            checks.equal("chat_room: a new name", await next_of(ada), "* guest 3 is now bob")
            checks.equal("chat_room: is told to all", await next_of(bob), "* guest 3 is now bob")
            await ada.send("hello")
            await bob.send("hi")
            checks.equal("chat_room: a line is heard", await next_of(bob), "guest 1: hello")
            checks.equal("chat_room: by the others", await next_of(ada), "bob: hi")
            await bob.close()
            checks.equal("chat_room: somebody leaves", await next_of(ada), "* bob leaves")
            await eve.send(b"\x00")
            checks.equal("chat_room: only text is taken", await end_of(eve), 1003)
        checks.equal("chat_room: a plain request", program.get("/kitchen")[0], 404)


async def auth():
    async with Program("auth") as program:
        for user in ("ada", "bob"):
            async with program.connect(extra_headers={"Authorization": f"Bearer s3cret-of-{user}"}) as socket:
                checks.equal("auth: the right token of " + user, await next_of(socket), "hello " + user)
        for name, headers in [("none", {}), ("a wrong one", {"Authorization": "Bearer s3cret-of-eve"}),
                              ("one that is too long", {"Authorization": "Bearer s3cret-of-ada-and-more"}),
                              ("the beginning of one", {"Authorization": "Bearer s3cret"}),
                              ("an empty one", {"Authorization": "Bearer "}),
                              ("another scheme", {"Authorization": "Basic s3cret-of-ada"})]:
            checks.equal("auth: " + name, await status_of(program.connect(extra_headers=headers)), 401)
        checks.equal("auth: a plain request", program.get("/")[0], 426)


def memory_peak_kib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])


async def stream_file():
    size = (48 << 20) + 12345
    with tempfile.NamedTemporaryFile() as large, tempfile.NamedTemporaryFile() as empty:
        large.write(os.urandom(size))
        large.flush()
        large.seek(0)
        expected = hashlib.sha256(large.read()).hexdigest()
        async with Program("stream_file", OUT / "examples" / "stream_file", large.name) as program:
            before = memory_peak_kib(program.process.pid)
            stuck = Peer(program.host).open()  # never reads on
            for _ in range(3):
                socket = await program.connect()
                checks.equal("stream_file: the file", hashlib.sha256(await next_of(socket)).hexdigest(), expected)
                checks.equal("stream_file: and its end", await end_of(socket), 1000)
            stuck.socket.close()
            grown = memory_peak_kib(program.process.pid) - before
            # A build with a sanitizer keeps what was freed, so that only much less than the file can be asked for.
            checks.check("stream_file: memory does not grow with the file", grown < size / 1024 / 4, f"{grown} KiB")
        async with Program("stream_file", OUT / "examples" / "stream_file", empty.name) as program:
            async with program.connect() as socket:
                checks.equal("stream_file: an empty file", await next_of(socket), b"")


async def publish():
    async with Program("publish") as program:
        async with program.connect() as socket, program.connect() as other:
            await socket.send("subscribe ACME")
            checks.equal("publish: subscribing", await next_of(socket), "ok subscribe ACME")
            await other.send("subscribe INIT")
            checks.equal("publish: to something else", await next_of(other), "ok subscribe INIT")
            ticks = [(await next_of(socket)).split() for _ in range(3)]
            cents = [round(float(price) * 100) for _, price in ticks]
            checks.equal("publish: only that share is told", {name for name, _ in ticks}, {"ACME"})
            checks.equal("publish: price after price", cents, [cents[0], cents[0] + 25, cents[0] + 50])
            checks.check("publish: the other share", (await next_of(other)).startswith("INIT "))
            await socket.send("subscribe NONE")
            await socket.send("unsubscribe ACME")
            answers = [line for line in [await next_of(socket) for _ in range(2)] if not line.startswith("ACME")]
            while len(answers) < 2:
                line = await next_of(socket)
                if not line.startswith("ACME"):
                    answers.append(line)
            checks.equal("publish: answers", answers, ["cannot subscribe NONE", "ok unsubscribe ACME"])
            await next_of(other)
            await next_of(other)  # two rounds later
            await socket.send("nonsense")
            checks.equal("publish: nothing more after unsubscribing", await next_of(socket), "cannot nonsense")


async def foreign_loop():
    async with Program("foreign_loop") as program:
        async with program.connect() as ada, program.connect() as bob:
            program.process.stdin.write(b"one\ntwo\nhal")
            await program.process.stdin.drain()
            for socket in (ada, bob):
                checks.equal("foreign_loop: lines go to all", [await next_of(socket), await next_of(socket)],
                             [b"one", b"two"])
            program.process.stdin.write(b"f\n")
            await program.process.stdin.drain()
            checks.equal("foreign_loop: a line in two pieces", await next_of(ada), b"half")
            program.process.stdin.close()
            async with program.connect() as late:
                await (await late.ping())
                checks.check("foreign_loop: it serves on when its input has ended", True)


async def threads():
    async with Program("threads") as program:
        async with program.connect() as socket:
            for question, answer in [("12", "12 = 2 2 3"), ("97", "97 = 97"), ("1", "1 ="),
                                     ("1000000016000000063", "1000000016000000063 = 1000000007 1000000009"),
                                     ("x", "not a number"), ("-3", "not a number"), ("0", "not a number")]:
                await socket.send(question)
                checks.equal("threads: " + question, await next_of(socket), answer)
            for number in range(1, 101):
                await socket.send(str(number))
            answers = {int((await next_of(socket)).split()[0]) for _ in range(100)}
            checks.equal("threads: a hundred at once", answers, set(range(1, 101)))
        leaver = await program.connect()
        await leaver.send("18446744073709551557")  # the largest prime below 2^64, which is not soon found to be one
        await leaver.close()
        async with program.connect() as socket:
            await socket.send("6")
            checks.equal("threads: others do not wait for slow work", await next_of(socket), "6 = 2 3")


async def plain():
    async with Program("plain") as program:
        status, page = program.get("/")
        checks.check("plain: the page", status == 200 and "new WebSocket" in page, f"{status} {page!r}")
        checks.equal("plain: no page", program.get("/nothing")[0], 404)
        checks.equal("plain: the WebSocket, asked for as a page", program.get("/count")[0], 426)
        checks.equal("plain: no WebSocket", await status_of(program.connect("/other")), 404)
        async with program.connect("/count") as ada:
            checks.equal("plain: one client", await next_of(ada), "1")
            async with program.connect("/count") as bob:
                checks.equal("plain: two, as one is told", await next_of(ada), "2")
                checks.equal("plain: and the other", await next_of(bob), "2")
            checks.equal("plain: one again", await next_of(ada), "1")
    checks.equal("plain: it says who left, and why", program.rest, "plain: a client is gone: peer, code 1000\n" * 2)


async def ctypes_echo():
    command = ("/usr/bin/python3", "-B", TOP / "tools" / "examples" / "ctypes_echo.py")
    async with Program("ctypes_echo", *command, env={"LIBWSD": str(OUT / "libwsd.so.0")}) as program:
        async with program.connect() as socket:
            for message in ["hello", "", b"\x00\xff", "漢" * 100000]:
                await socket.send(message)
                checks.equal(f"ctypes_echo: {len(message)} of {type(message).__name__}", await next_of(socket), message)
            await socket.close(3001)
        checks.equal("ctypes_echo: the close info is read as it is", await program.line(), "closed: 3001 peer")


async def failures():
    """What each says where it cannot listen."""
    for name in ["echo", "chat_room", "auth", "publish", "foreign_loop", "threads", "plain"]:
        done = subprocess.run([OUT / "examples" / name, "nowhere"], capture_output=True, text=True, timeout=LIMIT_S,
                              check=False)
        lines = done.stderr.splitlines()
        named = len(lines) == 1 and lines[0].startswith(f"{name}: nowhere: ")
        checks.check(f"{name}: no address", done.returncode == 1 and named, f"{done.returncode} {done.stderr!r}")


# ----------------------------------------------------------------------------------------------------- demonstration

DEMO = """server started on 127\\.0\\.0\\.1:\\d+
ada connected, session [0-9a-f]{32}
bob connected, session [0-9a-f]{32}
pool size: 2
ada sent: hello, bob
bob received: hello, bob
bob sent: hello, ada
ada received: hello, ada
bob disconnected: 1000
pool size: 1
sessions active: 2
connections in total: 2
handshakes failed: 0
"""


async def demo():
    done = subprocess.run([OUT / "demo"], capture_output=True, text=True, timeout=LIMIT_S, check=False)
    checks.equal("demo: it leaves in order", (done.returncode, done.stderr), (0, ""))
    checks.check("demo: what it prints, in order", re.fullmatch(DEMO, done.stdout), repr(done.stdout))
    ids = re.findall(r"session (\w+)", done.stdout)
    checks.check("demo: each session has an id of its own", len(set(ids)) == 2, repr(ids))


async def main():
    for scenario in [echo, chat_room, auth, stream_file, publish, foreign_loop, threads, plain, ctypes_echo, failures,
                     demo]:
        try:
            await scenario()
        except Exception as error:  # whatever it is, it belongs in the list, and the others still run
            checks.check(scenario.__name__, False, f"{type(error).__name__}: {error}")
    return checks.summary()


sys.exit(asyncio.run(main()))
