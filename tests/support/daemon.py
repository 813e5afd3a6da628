"""The daemon as a program, for tests that stand outside it: starts one, waits for the lines of its log, ends it by its
process id, speaks to it as a bare peer, and counts what was checked.

Every wait is for an event and is bounded; nothing here sleeps, guesses a free port, or looks for a process by its name.
The peer refuses to be a client: it sends what it is told, right or wrong, and leaves every judgement to the test.
"""
import json
import os
import re
import socket
import struct
import subprocess
import threading

LIMIT_S = 20  # no wait is longer, so that a hang is a failure; ample for a sanitizer build on a busy machine

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10  # §5.2

# The key of §1.3, and the answer that goes with it.
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

_FIELD = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|[^" ]+)(?: (?=.)|$)')


def parse_line(line):
    """The fields of one log line in either format, by name. ValueError for what is no log line."""
    if line.startswith("{"):
        return json.loads(line)
    fields, at = {}, 0
    while at < len(line):
        field = _FIELD.match(line, at)
        if not field:
            raise ValueError(f"no field at column {at} of {line!r}")
        fields[field[1]] = json.loads(field[2]) if field[2].startswith('"') else field[2]
        at = field.end()
    return fields


class Daemon:
    """One running daemon; `with` ends it. `addresses` are where it listens, in the order of its flags, and
    `admin_addresses` where it does for admins only."""

    def __init__(self, program, *flags, env=None, pass_fds=()):
        self.log = []  # every line so far, without its newline
        self._changed = threading.Condition()
        self._passed_count = 0  # lines that wait_for() has gone past
        self._ended = False
        self.process = subprocess.Popen([program, *flags], stderr=subprocess.PIPE, text=True, pass_fds=pass_fds,
                                        env={**os.environ, **(env or {})})
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.started = self.wait_for("started")
            fields = [parse_line(line) for line in self.log[:self._passed_count]]
            self.addresses = [line["address"] for line in fields if line["event"] == "listening"]
            self.admin_addresses = [line["address"] for line in fields if line["event"] == "listening_admin"]
        except BaseException:
            self.kill()
            raise

    def _read(self):
        for line in self.process.stderr:
            with self._changed:
                self.log.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait_for(self, event):
        """The fields of the next line with this event, among those that no earlier call has gone past."""
        with self._changed:
            while True:
                while self._passed_count < len(self.log):
                    self._passed_count += 1
                    line = self.log[self._passed_count - 1]
                    if line.startswith("wsd: "):  # not of the log: why it does not start
                        raise RuntimeError(line)
                    fields = parse_line(line)
                    if fields["event"] == event:
                        return fields
                if self._ended or not self._changed.wait(LIMIT_S):
                    raise RuntimeError(f"the daemon never logged {event!r}; its log: {self.log}")

    def signal(self, number):
        self.process.send_signal(number)

    def exit_status(self):
        """Waits for the end, and for the whole log."""
        status = self.process.wait(LIMIT_S)
        self._reader.join(LIMIT_S)
        self.process.stderr.close()
        return status

    def kill(self):
        self.process.kill()
        self.exit_status()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()  # whoever cares how it ends has asked exit_status() before


class Peer:
    """A bare connection to an address as the log names it; `with` closes it."""

    def __init__(self, address):
        if address.startswith("unix:"):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(LIMIT_S)
            self.socket.connect(address.removeprefix("unix:"))
        else:
            host, port = address.rsplit(":", 1)
            self.socket = socket.create_connection((host.strip("[]"), int(port)), LIMIT_S)
        self._in = self.socket.makefile("rb")

    def request(self, *headers, target="/", version="HTTP/1.1"):
        """Asks for an upgrade. Returns the answer's status and its headers."""
        lines = [f"GET {target} {version}", "Host: wsd.test", "Connection: Upgrade", "Upgrade: websocket",
                 "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {KEY}", *headers]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        return self.answer()

    def answer(self):
        """The head of an HTTP answer: its status, and its headers with small names."""
        first = self._in.readline()
        if not first:
            raise RuntimeError("the stream ended before an answer")
        status = int(first.split()[1])
        fields = {}
        while (line := self._in.readline().decode().strip()):
            name, value = line.split(":", 1)
            fields[name.lower()] = value.strip()
        return status, fields

    def ask(self, target, *headers, method="GET", body=""):
        """Makes a plain request. Returns the answer's status, its headers and its body."""
        lines = [f"{method} {target} HTTP/1.1", "Host: wsd.test", f"Content-Length: {len(body)}", *headers]
        self.socket.sendall("\r\n".join([*lines, "", body]).encode())
        status, fields = self.answer()
        return status, fields, b"" if method == "HEAD" else self._in.read(int(fields["content-length"]))

    def open(self):
        """Upgrades, or fails."""
        status, fields = self.request()
        if (status, fields.get("sec-websocket-accept")) != (101, ACCEPT):
            raise RuntimeError(f"no upgrade: {status} {fields}")
        return self

    def send(self, opcode, payload=b"", final=True):
        """One masked frame of up to 125 bytes. The mask is zero, which leaves the payload readable (§5.3)."""
        self.socket.sendall(struct.pack("!BB4x", opcode | (0x80 if final else 0), 0x80 | len(payload)) + payload)

    def frame(self):
        """Opcode and payload of the next frame, which is whole, unmasked and of up to 125 bytes."""
        header = self._in.read(2)
        if len(header) < 2:
            raise RuntimeError("the stream ended before a frame")
        first, length = header
        if not first & 0x80 or length > 125:
            raise RuntimeError(f"not a small whole frame: {first:02x} {length:02x}")
        return first & 0x0F, self._in.read(length)

    def close_code(self):
        """Reads on to a close frame and returns its code (§5.5.1)."""
        while (frame := self.frame())[0] != CLOSE:
            pass
        return struct.unpack("!H", frame[1][:2])[0]

    def read(self, count):
        """That many bytes of what comes next."""
        return self._in.read(count)

    def at_end(self):
        """Whether nothing more comes: the end of the stream or a reset. Waits for either, or for a byte."""
        try:
            return self._in.read(1) == b""
        except ConnectionResetError:
            return True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._in.close()
        self.socket.close()


class Checks:
    """One line a check, and a count at the end."""

    def __init__(self):
        self.passed_count = self.failed_count = 0

    def check(self, name, held, detail=""):
        if held:
            self.passed_count += 1
            print("ok   ", name, flush=True)
        else:
            self.failed_count += 1
            print("FAIL ", name + ":", detail or "does not hold", flush=True)

    def equal(self, name, got, expected):
        self.check(name, got == expected, f"expected {expected!r}, got {got!r}")

    def attempt(self, name, scenario, *arguments):
        """Runs a scenario; an exception that leaves it is one failed check, and the scenarios after it still run."""
        try:
            scenario(*arguments)
        except Exception as error:  # whatever it is, it belongs in the list
            self.check(name, False, f"{type(error).__name__}: {error}")

    def summary(self):
        """Prints the last line; returns the status to exit with."""
        print(f"{self.passed_count} passed, {self.failed_count} failed", flush=True)
        return 1 if self.failed_count or not self.passed_count else 0
