"""SIGTERM under a thousand busy clients: each gets every reply that it was owed and a close of 1001, at once or spread
over a window, and the daemon exits with 0. What was owed is what the daemon's own log says it read.

usage: drain_test.py WSD
"""
import os
import resource
import selectors
import signal
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import CLOSE, LIMIT_S, TEXT, Checks, Daemon, Peer, parse_line  # noqa: E402 (the path is set above)

WSD = sys.argv[1]
CLIENTS = 1000
OUTSTANDING = 4  # messages that each client has on the way
BUSY_REPLIES = CLIENTS * 8  # when all are known to be talking
checks = Checks()


def masked(opcode, payload):
    return struct.pack("!BB4x", 0x80 | opcode, 0x80 | len(payload)) + payload


class Talker:
    """A client that sends number after number, and expects each to come back in its turn."""

    def __init__(self, address):
        self.peer = Peer(address).open()
        self.name = "127.0.0.1:%d" % self.peer.socket.getsockname()[1]
        self.peer.socket.setblocking(False)
        self.sent = self.replies = 0
        self.input = b""
        self.code = None  # of the close frame
        self.ended = False
        self.wrong = None
        for _ in range(OUTSTANDING):
            self.say()

    def say(self):
        self.peer.socket.send(masked(TEXT, b"%d" % self.sent))
        self.sent += 1

    def take(self, opcode, payload):
        if self.code is not None:
            self.wrong = f"opcode {opcode} after the close"
        elif opcode == CLOSE:
            self.code = struct.unpack("!H", payload[:2])[0]
            self.peer.socket.send(masked(CLOSE, payload[:2]))
        elif payload != b"%d" % self.replies:
            self.wrong = f"{payload!r} in place of {self.replies}"
        else:
            self.replies += 1
            self.say()

    def read(self):
        received = self.peer.socket.recv(65536)
        self.ended = not received
        self.input += received
        while len(self.input) >= 2 and len(self.input) >= 2 + self.input[1]:
            size = 2 + self.input[1]
            frame, self.input = self.input[:size], self.input[size:]
            self.take(frame[0] & 0x0F, frame[2:])


def talk(talkers, until):
    """Serves the clients until `until` is true. False if it never is."""
    end = time.monotonic() + LIMIT_S
    with selectors.DefaultSelector() as selector:
        for talker in talkers:
            if not talker.ended:
                selector.register(talker.peer.socket, selectors.EVENT_READ, talker)
        while not until() and time.monotonic() < end:
            for key, _ in selector.select(1):
                key.data.read()
                if key.data.ended:
                    selector.unregister(key.fileobj)
                    key.data.peer.__exit__()
    return until()


def test_drain(*flags):
    name = " ".join(["SIGTERM", *flags])
    with Daemon(WSD, "--port=0", "--drain-grace=1h", "--close-timeout=1h", *flags) as daemon:
        talkers = [Talker(daemon.addresses[0]) for _ in range(CLIENTS)]
        busy = talk(talkers, lambda: sum(talker.replies for talker in talkers) >= BUSY_REPLIES)
        checks.check(f"{name}: {CLIENTS} clients are busy", busy)
        daemon.signal(signal.SIGTERM)
        checks.check(f"{name}: all streams end", talk(talkers, lambda: all(talker.ended for talker in talkers)))
        checks.equal(f"{name}: the daemon exits with 0", daemon.exit_status(), 0)
    lines = [parse_line(line) for line in daemon.log]
    owed = {line["peer"]: int(line["messages_in"]) for line in lines if line["event"] == "close"}
    checks.equal(f"{name}: nothing is wrong on the way", [talker.wrong for talker in talkers if talker.wrong], [])
    checks.equal(f"{name}: every close is a 1001", {talker.code for talker in talkers}, {1001})
    checks.equal(f"{name}: every reply that was owed has come",
                 {talker.name: talker.replies for talker in talkers}, owed)
    checks.check(f"{name}: it came while they were talking", all(talker.sent > talker.replies for talker in talkers))


def main():
    for flags in ([], ["--drain-window=500ms"]):
        checks.attempt("drain " + " ".join(flags), test_drain, *flags)
    return checks.summary()


if __name__ == "__main__":
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    sys.exit(main())
