#!/usr/bin/python3
"""A daemon under clients of every kind for a long time: what it holds when they have left must not grow.

usage: tests/integration/soak.py WSD SECONDS

Clients connect, talk, compress, break the rules, leave in the middle of a request or a frame, reset, and do not read
what they have asked for. Twice, after a tenth of the time and at its end, all of them leave: then the process's memory
may be 2 % higher at most, its descriptors as many as before, and every connection that was opened is closed.
"""
import asyncio
import os
import random
import re
import socket
import struct
import sys
import urllib.request

import websockets

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import KEY, Daemon  # noqa: E402

WORKERS = 60
LIMIT_S = 30
REQUEST = ("GET / HTTP/1.1\r\nHost: soak\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode()


def frame(opcode, payload):
    """A final frame, masked with zeros."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
    elif size < 65536:
        head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, size)
    return head + bytes(4) + payload


def some_bytes():
    return os.urandom(random.choice((0, 20, 125, 1000, 5000, 70000, 300000)))


class Soak:
    def __init__(self, address, metrics_url):
        host, port = address.rsplit(":", 1)
        self.place = (host, int(port))
        self.url = f"ws://{address}/"
        self.metrics_url = metrics_url
        self.done = {}

    def metrics(self):
        with urllib.request.urlopen(self.metrics_url, timeout=LIMIT_S) as answer:
            text = answer.read().decode()
        return {name: float(value) for name, value in re.findall(r"^(\w+) (\S+)$", text, re.M)}

    async def upgraded(self, receive_bytes=None):
        """An open connection that no library takes care of."""
        sock = socket.socket()
        sock.setblocking(False)
        if receive_bytes:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        await asyncio.get_running_loop().sock_connect(sock, self.place)
        reader, writer = await asyncio.open_connection(sock=sock, limit=4096)  # the rest stays with the kernel
        writer.write(REQUEST)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        return reader, writer

    @staticmethod
    def reset(writer):
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async def talk(self, compression=None):
        async with websockets.connect(self.url, compression=compression, max_size=None) as ws:
            for _ in range(random.randrange(20)):
                sent = some_bytes()
                await ws.send(sent)
                assert await ws.recv() == sent

    async def talk_compressed(self):
        await self.talk("deflate")

    async def flood(self):
        reader, writer = await self.upgraded()
        sent = b"".join(frame(2, bytes(20)) for _ in range(2000))
        writer.write(sent)
        assert len(await reader.readexactly(2000 * 22)) == 44000
        self.reset(writer)

    async def leave_in_head(self):
        _, writer = await asyncio.open_connection(*self.place)
        writer.write(REQUEST[:random.randrange(len(REQUEST) - 1)])
        await writer.drain()
        random.choice((self.reset, lambda w: w.close()))(writer)

    async def leave_in_frame(self):
        _, writer = await self.upgraded()
        whole = frame(2, os.urandom(random.choice((10, 1000, 200000))))
        writer.write(whole[:random.randrange(1, len(whole))])
        random.choice((self.reset, lambda w: w.close()))(writer)

    async def break_a_rule(self):
        reader, writer = await self.upgraded()
        writer.write(random.choice((b"\x81\x01x", b"\x83\x80\0\0\0\0", frame(1, b"\xff"), b"\xf1\x80\0\0\0\0")))
        assert (await reader.readexactly(1))[0] == 0x88  # a close frame
        await reader.read()
        writer.close()

    async def read_slowly(self):
        """Asks for far more than fits on the way, waits until nothing moves, then reads it or goes away."""
        reader, writer = await self.upgraded(receive_bytes=4096)
        ask = asyncio.ensure_future(self.send_much(writer))
        await asyncio.wait([ask], timeout=0.2)
        if random.random() < 0.5:
            try:
                await asyncio.wait_for(reader.readexactly(40 * 65546), LIMIT_S)
            finally:
                await ask
            writer.close()
        else:
            ask.cancel()
            self.reset(writer)

    @staticmethod
    async def send_much(writer):
        for _ in range(40):
            writer.write(frame(2, bytes(65536)))
            await writer.drain()

    async def worker(self, until):
        loop = asyncio.get_running_loop()
        kinds = (self.talk, self.talk_compressed, self.flood, self.leave_in_head, self.leave_in_frame,
                 self.break_a_rule, self.read_slowly)
        while loop.time() < until:
            kind = random.choice(kinds)
            await asyncio.wait_for(kind(), LIMIT_S * 2)
            self.done[kind.__name__] = self.done.get(kind.__name__, 0) + 1

    async def work(self, seconds):
        until = asyncio.get_running_loop().time() + seconds
        await asyncio.gather(*(self.worker(until) for _ in range(WORKERS)))

    async def everybody_gone(self):
        """The figures when no connection is left but the one that asks, and nothing has changed for two seconds: blocks
        of large messages rest for one before they go back."""
        same_count, before = 0, {}
        for _ in range(LIMIT_S * 10):
            now = await asyncio.to_thread(self.metrics)
            same = now["wsd_connections"] == 1 and now["wsd_memory_bytes"] == before.get("wsd_memory_bytes")
            same_count = same_count + 1 if same else 0
            if same_count == 20:
                return now
            before = now
            await asyncio.sleep(0.1)
        sys.exit("soak: clients have left, but their connections or their memory have not")


def check(name, good, detail):
    print(("ok    " if good else "FAIL  ") + name + ": " + detail)
    return good


async def main(program, seconds):
    with Daemon(program, "--port=0", "--access-log=off", "--send-high-count=0") as daemon:
        soak = Soak(daemon.addresses[0], f"http://{daemon.addresses[0]}/metrics")
        await soak.work(seconds / 10)
        first = await soak.everybody_gone()
        await soak.work(seconds * 9 / 10)
        last = await soak.everybody_gone()
        print("soak: " + ", ".join(f"{name} {count}" for name, count in sorted(soak.done.items())))
        before, after = first["process_resident_memory_bytes"], last["process_resident_memory_bytes"]
        opened, closed = last["wsd_connections_opened_total"], last["wsd_connections_closed_total"]
        results = [
            check("memory has not grown", after <= before * 1.02,
                  f"{before / 2**20:.1f} MiB after a tenth of the time, {after / 2**20:.1f} MiB at the end"),
            check("no descriptor is lost", last["process_open_fds"] == first["process_open_fds"],
                  f"{first['process_open_fds']:.0f} then, {last['process_open_fds']:.0f} now"),
            check("what was opened is closed", opened == closed + last["wsd_connections_open"],
                  f"{opened:.0f} opened, {closed:.0f} closed, {last['wsd_connections_open']:.0f} open"),
            check("nothing is queued", last["wsd_queued_bytes"] == 0, f"{last['wsd_queued_bytes']:.0f} bytes"),
            check("the library holds what it held", last["wsd_memory_bytes"] <= first["wsd_memory_bytes"] * 1.02,
                  f"{first['wsd_memory_bytes']:.0f} bytes then, {last['wsd_memory_bytes']:.0f} now"),
        ]
        return all(results)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(0 if asyncio.run(main(sys.argv[1], float(sys.argv[2]))) else 1)
