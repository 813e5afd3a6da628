"""Debian's python3-websockets against a running echo server. usage: websockets_client.py URL"""
import asyncio
import os
import sys

import websockets

URL = sys.argv[1]
failed = 0


async def check(name, body):
    global failed
    try:
        await asyncio.wait_for(body(), 30)
        print("ok    websockets: " + name)
    except Exception as error:  # whatever it is, it is what the line is about
        failed += 1
        print("FAIL  websockets: %s: %r" % (name, error))


def connect(**options):
    return websockets.connect(URL, max_size=None, compression=None, **options)


async def echo(socket, message):
    await socket.send(message)
    assert await socket.recv() == message


async def text_and_binary():
    async with connect() as socket:
        for message in ["hello", "", "héllo 漢字 \U0001f600", b"", b"\x00\xff", os.urandom(1 << 20), "漢" * (1 << 18)]:
            await echo(socket, message)


async def fragments():
    async with connect() as socket:
        await socket.send(["one ", "two ", "three" * 10000])
        assert await socket.recv() == "one two " + "three" * 10000


async def ping():
    async with connect() as socket:
        await asyncio.wait_for(await socket.ping("payload"), 10)


async def pipelined():
    async with connect() as socket:
        for i in range(1000):
            await socket.send("message %d" % i)
        for i in range(1000):
            assert await socket.recv() == "message %d" % i


async def close_codes():
    for code in (1000, 1001, 3000, 4999):
        socket = await connect()
        await socket.close(code, "reason")
        assert socket.close_code == code, socket.close_code


async def subprotocol():
    async with connect(subprotocols=["other", "chat.v1"]) as socket:
        assert socket.subprotocol == "chat.v1", socket.subprotocol


async def many():
    sockets = await asyncio.gather(*(connect() for _ in range(100)))
    await asyncio.gather(*(echo(socket, "connection %d" % i) for i, socket in enumerate(sockets)))
    await asyncio.gather(*(socket.close() for socket in sockets))


async def main():
    await check("text and binary up to 1 MiB", text_and_binary)
    await check("a message in fragments", fragments)
    await check("a ping gets its pong", ping)
    await check("1000 messages in a row come back in order", pipelined)
    await check("a close with a code is answered with that code", close_codes)
    await check("a subprotocol is chosen from the offer", subprotocol)
    await check("100 connections at once", many)
    sys.exit(1 if failed else 0)


asyncio.run(main())
