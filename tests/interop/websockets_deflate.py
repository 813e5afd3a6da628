"""Debian's python3-websockets with compression. usage: websockets_deflate.py URL echo|fanout LABEL

echo: every message comes back. fanout: it comes back to its sender, and as one prepared message to everybody.
"""
import asyncio
import itertools
import json
import os
import sys

import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

URL, MODE, LABEL = sys.argv[1:]
failed = 0


async def check(name, body):
    global failed
    try:
        await asyncio.wait_for(body, 40)
        print("ok    websockets, %s: %s" % (LABEL, name))
    except Exception as error:  # whatever it is, it is what the line is about
        failed += 1
        print("FAIL  websockets, %s: %s: %r" % (LABEL, name, error))


def records(size, seed):
    items, total = [], 0
    while total < size:
        i = seed + len(items)
        items.append({"id": i * 7919, "user": "user-%d" % (i % 17), "at": 1700000000 + i * 61,
                      "text": "héllo 漢字 %d" % (i % 5)})
        total += len(json.dumps(items[-1])) + 2
    return json.dumps(items)


def offers():
    """Every combination of what a client may ask for."""
    for server_no_takeover, client_no_takeover, bits in itertools.product((False, True), (False, True), (9, 15)):
        takeover = [name for name, no in (("server", server_no_takeover), ("client", client_no_takeover)) if not no]
        yield ("asks for takeover of %s, window %d" % (" and ".join(takeover) or "none", bits),
               ClientPerMessageDeflateFactory(server_no_takeover, client_no_takeover, bits, bits))


async def connect(offer):
    socket = await websockets.connect(URL, max_size=None, compression=None, extensions=[offer])
    assert [extension.name for extension in socket.extensions] == ["permessage-deflate"], "no compression"
    return socket


async def echoes(offer):
    socket = await connect(offer)
    messages = ["", "x", records(1 << 20, 1), os.urandom(1 << 20), os.urandom(100)]
    for message in messages + [records(10 + i * 40, i) for i in range(100)]:
        await socket.send(message)
        assert await socket.recv() == message, "the echo of %d differs" % len(message)
    parts = [records(3000, 1), "", records(3000, 2)]
    await socket.send(parts)
    assert await socket.recv() == "".join(parts), "the fragments differ"
    await socket.close()


async def fanout():
    sockets = [await connect(offer) for _, offer in offers()]
    rounds = 40
    everything = {records(50 + i * 60, s * 1000 + i) for s in range(len(sockets)) for i in range(rounds)}

    async def read(index, socket):
        own, shared = [], set()
        for _ in range(rounds * (len(sockets) + 1)):
            kind, text = (await socket.recv()).split(" ", 1)
            if kind == "own":
                own.append(text)
            else:
                shared.add(text)
        assert own == [records(50 + i * 60, index * 1000 + i) for i in range(rounds)], "an ordinary message differs"
        assert shared == everything, "a prepared message differs"

    readers = [asyncio.ensure_future(read(index, socket)) for index, socket in enumerate(sockets)]
    for i in range(rounds):
        for index, socket in enumerate(sockets):
            await socket.send(records(50 + i * 60, index * 1000 + i))
    await asyncio.gather(*readers)
    await asyncio.gather(*(socket.close() for socket in sockets))


async def main():
    if MODE == "fanout":
        await check("prepared and ordinary messages mixed, for every kind of client", fanout())
    else:
        for name, offer in offers():
            await check(name, echoes(offer))
    sys.exit(1 if failed else 0)


asyncio.run(main())
