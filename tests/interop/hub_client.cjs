'use strict';
// tools/hub-client's class on npm's ws, against a running hub: it enters, talks, votes, loses its connection in the
// middle of sending, and comes back. usage: hub_client.cjs WS_MODULE URL API_KEY
const path = require('path');
const WebSocket = require(process.argv[2]);
const { HubClient } = require(path.join(__dirname, '../../tools/hub-client/hub_client.js'));

const url = process.argv[3];
const key = process.argv[4];
const LIMIT_MS = 20000;
let failed = 0;

function expect(condition, what) {
    if (!condition) throw new Error(what);
}

function within(promise, what) {
    let timer;
    const limit = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`no ${what}`)), LIMIT_MS); });
    return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

// The first thing of that name that `accept` takes.
function hear(client, name, accept = () => true) {
    return within(new Promise((resolve) => {
        let heard = false;
        client.on(name, (detail) => {
            if (heard || !accept(detail)) return;
            heard = true;
            resolve(detail);
        });
    }), name);
}

async function check(name, body) {
    try {
        await body();
        console.log(`ok    hub, ws: ${name}`);
    } catch (error) {
        failed++;
        console.log(`FAIL  hub, ws: ${name}: ${error.message}`);
    }
}

async function api(method, target, body) {
    const answer = await fetch(url.replace(/^ws/, 'http').replace(/\/$/, '') + target,
        { method, body: JSON.stringify(body), headers: { Authorization: `Bearer ${key}` } });
    return answer.json();
}

async function enter(session, user, role = 'student') {
    const client = new HubClient({ url, session, user, role, WebSocket });
    const live = hear(client, 'state', (state) => state === 'live');
    client.connect();
    await live;
    return client;
}

async function main() {
    const colors = { id: 'colors', feature_a: { id: 'red', title: 'Red' }, feature_b: { id: 'blue', title: 'Blue' } };
    await api('POST', '/api/sessions', {
        id: 'ws', members: ['ada', 'bob'].map((name) => ({ user_id: name, role: 'student' })), comparisons: [colors],
    });
    const ada = await enter('ws', 'ada');
    const bob = await enter('ws', 'bob');
    await check('a message reaches the other, its number the sender', async () => {
        const heard = hear(bob, 'message');
        const seq = await ada.send('message', { data: { text: 'hello' } });
        expect((await heard).seq === seq && seq === 1, 'another number');
    });
    await check('receivers confirm by themselves', async () => {
        const delivered = hear(ada, 'status', ({ data }) => data.event === 'delivered');
        const seq = await ada.send('message', { data: { text: 'confirm' }, ack: true });
        expect((await delivered).data.seq === seq, 'another number');
    });
    await check('typing', async () => {
        const heard = hear(bob, 'typing');
        ada.tell('typing', { data: { active: true } });
        expect((await heard).from === 'ada', 'somebody else');
    });
    await check('votes and consensus', async () => {
        const reached = hear(bob, 'consensus_reached');
        const vote = { comparison_id: 'colors', preferred_feature_id: 'red', is_tie_vote: false };
        await ada.send('vote_submitted', { data: { vote } });
        await bob.send('vote_submitted', { data: { vote } });
        expect((await reached).data.winner_title === 'Red', 'another winner');
    });
    await check('an error is told to whoever sent', async () => {
        const error = await ada.send('message', { to: 'nobody', data: {} }).catch((reason) => reason);
        expect(error.code === 'not_found', `${error.code}`);
    });
    await check('what is sent around a lost connection arrives once and in order', async () => {
        const texts = [];
        bob.on('message', ({ data }) => texts.push(data.text));
        const sent = [];
        for (let number = 0; number < 300; number++) {
            sent.push(ada.send('message', { data: { text: `n${number}` } }));
            if (number === 100) ada.socket.terminate();
            if (number === 200) bob.socket.terminate();
        }
        await within(Promise.all(sent), 'acknowledgement of all');
        const last = hear(bob, 'message', ({ data }) => data.text === 'last');
        await ada.send('message', { data: { text: 'last' } });
        if (!texts.includes('last')) await last;
        const expected = [...Array(300).keys()].map((number) => `n${number}`);
        const numbered = texts.filter((text) => text !== 'last');
        expect(new Set(numbered).size === numbered.length, 'something came twice');
        expect(numbered.length === expected.length, `${numbered.length} came`);
    });
    await check('leaving is final', async () => {
        const ended = hear(ada, 'state', (state) => state === 'ended');
        ada.leave();
        await ended;
    });
    bob.leave();
    process.exitCode = failed ? 1 : 0;
}

main();
