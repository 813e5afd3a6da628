// npm's ws against a running echo server. usage: ws_client.cjs WS_MODULE URL
'use strict';
const [wsModule, url] = process.argv.slice(2);
const WebSocket = require(wsModule);
const { once } = require('node:events');
const { randomBytes } = require('node:crypto');

let failed = 0;

async function check(name, body) {
    try {
        await body();
        console.log(`ok    ws: ${name}`);
    } catch (error) {
        failed++;
        console.log(`FAIL  ws: ${name}: ${error.message}`);
    }
}

function expect(condition, what) {
    if (!condition) throw new Error(what);
}

async function open(protocols) {
    const socket = new WebSocket(url, protocols);  // offers compression, which the server may decline
    await once(socket, 'open');
    return socket;
}

async function echo(socket, data, options = {}) {
    socket.send(data, options);
    const [answer, isBinary] = await once(socket, 'message');
    expect(isBinary === (typeof data !== 'string'), 'the echo is of another type');
    expect(Buffer.from(data).equals(answer), `the echo of ${data.length} differs`);
}

async function close(socket, code, reason) {
    socket.close(code, reason);
    const [seen] = await once(socket, 'close');
    return seen;
}

async function main() {
    await check('text, also empty and not ASCII', async () => {
        const socket = await open();
        for (const text of ['hello', '', 'h\u00e9llo \u6f22\u5b57 \u{1f600}']) await echo(socket, text);
        await close(socket);
    });
    await check('binary of every length form and 1 MiB', async () => {
        const socket = await open();
        for (const size of [0, 1, 125, 126, 65535, 65536, 1 << 20]) await echo(socket, randomBytes(size));
        await close(socket);
    });
    await check('1 MiB of text', async () => {
        const socket = await open();
        await echo(socket, '\u6f22'.repeat((1 << 20) / 3));
        await close(socket);
    });
    await check('a message in fragments, with a ping between', async () => {
        const socket = await open();
        socket.send('one ', { fin: false });
        socket.ping('between');
        socket.send('two ', { fin: false });
        socket.send('three');
        const [[pong], [message]] = await Promise.all([once(socket, 'pong'), once(socket, 'message')]);
        expect(pong.toString() === 'between', 'the pong differs');
        expect(message.toString() === 'one two three', 'the message differs');
        await close(socket);
    });
    await check('1000 messages in a row come back in order', async () => {
        const socket = await open();
        const seen = [];
        const done = new Promise((resolve) => {
            socket.on('message', (data) => {
                if (seen.push(data.toString()) === 1000) resolve();
            });
        });
        for (let i = 0; i < 1000; i++) socket.send(`message ${i}`);
        await done;
        expect(seen.every((text, i) => text === `message ${i}`), 'out of order');
        await close(socket);
    });
    await check('a close with a code is answered with that code', async () => {
        for (const code of [1000, 1001, 3000, 4999]) {
            const socket = await open();
            expect((await close(socket, code, 'reason')) === code, `not answered with ${code}`);
        }
    });
    await check('a subprotocol is chosen from the offer', async () => {
        const socket = await open(['other', 'chat.v2', 'chat.v1']);
        expect(socket.protocol === 'chat.v2', `chose "${socket.protocol}"`);
        await close(socket);
        const none = new WebSocket(url, ['other'], { perMessageDeflate: false });
        const [error] = await once(none, 'error');  // ws insists on an answer to its offer
        expect(/subprotocol/i.test(error.message), error.message);
    });
    await check('100 connections at once', async () => {
        const sockets = await Promise.all(Array.from({ length: 100 }, () => open()));
        await Promise.all(sockets.map((socket, i) => echo(socket, `connection ${i}`)));
        await Promise.all(sockets.map((socket) => close(socket, 1000)));
    });
    await check('a frame that is too large gets 1009', async () => {
        const socket = await open();
        socket.on('error', () => {});
        socket.send(Buffer.alloc((16 << 20) + 1));
        const [code] = await once(socket, 'close');
        expect(code === 1009, `closed with ${code}`);
    });
    process.exit(failed ? 1 : 0);
}

setTimeout(() => {
    console.log('FAIL  ws: no end in time');
    process.exit(1);
}, 60000).unref();
main();
