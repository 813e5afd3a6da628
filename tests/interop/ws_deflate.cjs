// npm's ws with compression against a running server. usage: ws_deflate.cjs WS_MODULE URL echo|fanout LABEL
// echo: every message comes back. fanout: it comes back to its sender, and as one prepared message to everybody.
'use strict';
const [wsModule, url, mode, label] = process.argv.slice(2);
const WebSocket = require(wsModule);
const { once } = require('node:events');
const { randomBytes } = require('node:crypto');

let failed = 0;

function expect(condition, what) {
    if (!condition) throw new Error(what);
}

async function check(name, body) {
    try {
        await body();
        console.log(`ok    ws, ${label}: ${name}`);
    } catch (error) {
        failed++;
        console.log(`FAIL  ws, ${label}: ${name}: ${error.message}`);
    }
}

function json(bytes, seed) {
    const items = [];
    for (let size = 0, i = seed; size < bytes; i++) {
        items.push({ id: i * 7919, user: `user-${i % 17}`, at: 1700000000 + i * 61, text: `h\u00e9llo ${i % 5} \u6f22\u5b57` });
        size += JSON.stringify(items[items.length - 1]).length + 1;
    }
    return JSON.stringify(items);
}

// Every combination of what a client may ask for.
function* offers() {
    for (const serverNoContextTakeover of [false, true]) {
        for (const clientNoContextTakeover of [false, true]) {
            for (const bits of [9, 15]) {
                yield {
                    serverNoContextTakeover,
                    // `false` would forbid the server to say it, which RFC 7692 7.1.1.2 allows.
                    clientNoContextTakeover: clientNoContextTakeover || undefined,
                    serverMaxWindowBits: bits,
                    clientMaxWindowBits: bits,
                    threshold: 0,
                };
            }
        }
    }
}

function describe(offer) {
    const takeover = [offer.serverNoContextTakeover ? '' : 'server', offer.clientNoContextTakeover ? '' : 'client'];
    return `asks for takeover of ${takeover.filter(Boolean).join(' and ') || 'none'}, window ${offer.serverMaxWindowBits}`;
}

async function open(offer) {
    const socket = new WebSocket(url, { perMessageDeflate: offer, maxPayload: 64 << 20 });
    const messages = [];
    let wake = () => {};
    socket.on('message', (data, isBinary) => {
        messages.push(isBinary ? data : data.toString());
        wake();
    });
    socket.next = async () => {
        while (messages.length === 0) {
            expect(socket.readyState === WebSocket.OPEN, 'the server closed');
            await new Promise((resolve) => (wake = resolve));
        }
        return messages.shift();
    };
    socket.on('close', () => wake());
    socket.on('error', () => {});
    await once(socket, 'open');
    expect(socket.extensions.includes('permessage-deflate'), `no compression: "${socket.extensions}"`);
    return socket;
}

async function close(socket) {
    socket.close(1000);
    const [code] = await once(socket, 'close');
    expect(code === 1000, `closed with ${code}`);
}

async function echoes(offer) {
    const socket = await open(offer);
    const echo = async (data) => {
        socket.send(data);
        const answer = await socket.next();
        expect(typeof data === 'string' ? answer === data : data.equals(answer), `the echo of ${data.length} differs`);
    };
    for (const data of ['', 'x', json(1 << 20, 1), randomBytes(1 << 20), randomBytes(100)]) await echo(data);
    for (let i = 0; i < 100; i++) await echo(json(10 + i * 40, i));
    const [one, two] = [json(3000, 1), json(3000, 2)];
    socket.send(one, { fin: false });
    socket.send('', { fin: false });
    socket.send(two);
    expect((await socket.next()) === one + two, 'the fragments differ');
    await close(socket);
}

// Ordinary and prepared messages in any order on every connection, which must all go on understanding each other.
async function fanout() {
    const sockets = await Promise.all([...offers()].map(open));
    const rounds = 40;
    const read = async (socket, index) => {
        const own = [];
        const shared = new Set();
        for (let i = 0; i < rounds * (sockets.length + 1); i++) {
            const { kind, text } = /^(?<kind>own|all) (?<text>.*)$/s.exec(await socket.next()).groups;
            if (kind === 'own') own.push(text);
            else shared.add(text);
        }
        expect(own.every((text, i) => text === json(50 + i * 60, index * 1000 + i)), 'an ordinary message differs');
        expect(own.length === rounds && shared.size === rounds * sockets.length, 'messages are missing');
        for (let s = 0; s < sockets.length; s++) {
            for (let i = 0; i < rounds; i++) {
                expect(shared.has(json(50 + i * 60, s * 1000 + i)), 'a prepared message differs');
            }
        }
    };
    const readers = sockets.map(read);
    for (let i = 0; i < rounds; i++) sockets.forEach((socket, s) => socket.send(json(50 + i * 60, s * 1000 + i)));
    await Promise.all(readers);
    await Promise.all(sockets.map(close));
}

async function main() {
    if (mode === 'fanout') {
        await check('prepared and ordinary messages mixed, for every kind of client', fanout);
    } else {
        for (const offer of offers()) await check(describe(offer), () => echoes(offer));
    }
    process.exit(failed ? 1 : 0);
}

setTimeout(() => {
    console.log(`FAIL  ws, ${label}: no end in time`);
    process.exit(1);
}, 60000).unref();
main();
