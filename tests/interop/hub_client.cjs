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

// --------------------------------------------------------------------------------------------- without a hub, by hand

// Sockets that do what the test says.
class FakeSocket {
    static all = [];
    constructor(address) {
        Object.assign(this, { address, readyState: 0, sent: [] });
        FakeSocket.all.push(this);
    }
    send(text) { this.sent.push(JSON.parse(text)); }
    close(code = 1006) { this.fail(code); }
    fail(code, reason = '') {
        this.readyState = 3;
        this.onclose({ code, reason });
    }
    tell(envelope) { this.onmessage({ data: JSON.stringify(envelope) }); }
    welcome(data) {
        this.readyState = 1;
        const session = { id: 's', comparisons: [] };
        const always = { event: 'welcome', session, heartbeat_s: 1000, resume_token: 'r' };
        this.tell({ type: 'system', data: { ...always, ...data } });
    }
}

function enterFake(options = {}) {
    const client = new HubClient({ url: 'ws://none', session: 's', user: 'ada', role: 'student', WebSocket: FakeSocket,
        random: () => 0, ...options });
    const heard = [];
    client.on('message', ({ seq }) => heard.push(seq)).on('reset', () => heard.push('reset'));
    client.connect();
    return { client, heard };
}

const newest = () => FakeSocket.all.at(-1);

function tellMessages(...seqs) {
    for (const seq of seqs) newest().tell({ type: 'message', seq, from: 'bob', data: {} });
}

async function checkAlone() {
    await check('a hub that begins anew is listened to anew', async () => {
        const { client, heard } = enterFake();
        newest().welcome({ resumed: false, last_seq: 2 });
        tellMessages(1, 2, 3);
        newest().fail(1006);
        client.connect();
        expect(newest().address.includes('resume=r&since=3'), newest().address);
        newest().welcome({ resumed: false, last_seq: 1 });
        tellMessages(1, 2);
        expect(heard.join() === '1,2,3,reset,1,2', heard.join());
        client.leave();
    });
    await check('a hub that has lost its latest messages gives their numbers to others', async () => {
        const { client, heard } = enterFake();
        newest().welcome({ resumed: false, last_seq: 3 });
        tellMessages(1, 2, 3);
        newest().fail(1006);
        client.connect();
        newest().welcome({ resumed: true, last_seq: 2 });
        tellMessages(3);
        expect(heard.join() === '1,2,3,3', heard.join());
        client.leave();
    });
    await check('what is not answered is sent again, once for each connection', async () => {
        const { client } = enterFake();
        const sent = client.send('message', { data: {} });
        newest().welcome({ resumed: false, last_seq: 0 });
        newest().welcome({ resumed: false, last_seq: 0 });  // as after a join_session
        expect(newest().sent.length === 1, `${newest().sent.length} times`);
        newest().fail(1006);
        client.connect();
        newest().welcome({ resumed: true, last_seq: 0 });
        newest().tell({ type: 'ack', id: newest().sent[0].id, seq: 1 });
        expect(await sent === 1, 'another number');
        client.leave();
    });
    await check('what was acknowledged does not come back', async () => {
        const { client, heard } = enterFake();
        newest().welcome({ resumed: false, last_seq: 2 });
        tellMessages(1, 2);
        newest().tell({ type: 'ack', id: 'x', seq: 3 });
        newest().tell({ type: 'ack', id: 'early', seq: 1 });
        newest().fail(1006);
        client.connect();
        expect(newest().address.endsWith('since=3'), newest().address);
        newest().welcome({ resumed: true, last_seq: 4 });
        tellMessages(4);
        expect(heard.join() === '1,2,4', heard.join());
        client.leave();
    });
    await check('a connection that does not answer is given up', async () => {
        const { client } = enterFake();
        const waiting = hear(client, 'state', (state) => state === 'waiting');
        newest().welcome({ resumed: false, last_seq: 0, heartbeat_s: 0.01 });
        await waiting;
        expect(newest().sent[0].type === 'heartbeat', 'no heartbeat before');
        client.leave();
    });
    await check('leaving before it is in is final, too', async () => {
        const { client } = enterFake();
        client.leave();
        expect(client.state === 'ended', client.state);
    });
    await check('which ends are final', async () => {
        const outcomes = [1000, 1001, 1006, 1008, 4001, 4002, 4003, 4004, 4008, 4403, 4404, 4429, 4503].map((code) => {
            const { client } = enterFake();
            newest().fail(code);
            const { state } = client;
            client.leave();
            return state === 'ended' ? code : -code;
        });
        const expected = '1000,-1001,-1006,1008,4001,4002,4003,4004,-4008,4403,4404,-4429,-4503';
        expect(outcomes.join() === expected, outcomes.join());
    });
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
    await checkAlone();
    process.exitCode = failed ? 1 : 0;
}

main();
