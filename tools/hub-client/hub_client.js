'use strict';
// A client of the hub, for pages and for Node: it enters a session, and comes back after a lost connection with its
// resume token, so that nothing is missed and nothing is shown twice. It draws nothing; see page.js.
//
//     const client = new HubClient({ url: 'ws://127.0.0.1:9001', session: 'algebra-1', user: 'ada', role: 'student' });
//     client.on('message', (envelope) => show(envelope.from, envelope.data.text));
//     client.connect();
//     await client.send('message', { data: { text: 'hello' } });   // its number, once it is kept
//
// Events: 'state' (connecting, replaying, live, waiting, ended), 'lost' (code, reason, whether it had been let in),
// 'envelope' (everything that comes, in order), 'people' (who is there), 'reset' (the history comes from its beginning
// again: what was shown of it is void), and each envelope under its own type. A listener that throws is not caught.

const RETRY_FIRST_MS = 500;
const RETRY_LAST_MS = 30000;

// These close codes mean that coming back would end the same way.
const FINAL_CODES = new Set([1000, 1008, 4001, 4002, 4003, 4004]);
const isFinal = (code) => FINAL_CODES.has(code) || (code >= 4400 && code < 4429) || (code > 4429 && code < 4500);

class HubError extends Error {
    constructor(data) {
        super(data.message);
        this.code = data.code;
        this.retryAfterS = data.retry_after;
    }
}

class HubClient {
    // options: url of the server; session, user, role; token, project where the server asks for them; WebSocket, where
    // the platform has none of its own; random, for tests.
    constructor(options) {
        this.options = { random: Math.random, ...options };
        this.WebSocket = options.WebSocket || globalThis.WebSocket;
        this.state = 'idle';
        this.people = new Map();    // user id -> {user_id, role, online, last_seen?}
        this.lastSeq = 0;           // of what has been seen
        this.resumeToken = '';
        this.welcome = null;        // data of the latest welcome
        this.pending = new Map();   // id -> {text, resolve, reject}: sent, and not yet answered
        this.listeners = new Map();
        this.nextId = 1;
        this.idPrefix = Math.floor(this.options.random() * 2 ** 40).toString(36);
        this.failures = 0;
        this.entered = false;       // the connection that there is has been let in
        this.leaving = false;       // for good
        this.heard = false;         // something, since the latest heartbeat
    }

    // Nothing of it is heard any more.
    mute() {
        this.listeners.clear();
    }

    on(name, listener) {
        const list = this.listeners.get(name) || [];
        this.listeners.set(name, [...list, listener]);
        return this;
    }

    emit(name, ...details) {
        for (const listener of this.listeners.get(name) || []) listener(...details);
    }

    connect() {
        clearTimeout(this.retryTimer);
        this.entered = false;
        this.leaving = false;
        this.setState('connecting');
        const protocols = this.options.token ? ['wsd.v1', `bearer.${this.options.token}`] : ['wsd.v1'];
        const socket = new this.WebSocket(this.address(), protocols);
        this.socket = socket;
        socket.onmessage = (event) => socket === this.socket && this.take(event.data);
        socket.onclose = (event) => socket === this.socket && this.lost(event.code, event.reason);
        socket.onerror = () => {};  // a close follows, and tells more
    }

    address() {
        const { url, session, user, role, project } = this.options;
        const query = new URLSearchParams({ session_id: session, user_id: user, role });
        if (project) query.set('project_id', project);
        if (this.resumeToken) {
            query.set('resume', this.resumeToken);
            query.set('since', String(this.lastSeq));
        }
        return `${url.replace(/\/+$/, '')}/hub?${query}`;
    }

    // Leaves for good.
    leave() {
        clearTimeout(this.retryTimer);
        this.leaving = true;
        if (this.socket) this.socket.close(1000);
        else this.end('left');
    }

    // Sends a message that is answered. Resolves to its number once it is kept, rejects with a HubError. A message that
    // was not answered when the connection was lost is sent again after the next welcome; its id keeps it from counting
    // twice.
    send(type, fields = {}) {
        const id = fields.id || `${this.idPrefix}-${this.nextId++}`;
        const text = JSON.stringify({ type, ...fields, id });
        return new Promise((resolve, reject) => {
            this.pending.set(id, { text, resolve, reject });
            if (this.entered && this.isOpen()) this.socket.send(text);
        });
    }

    // Sends what only matters now; lost where there is no connection.
    tell(type, fields = {}) {
        if (this.isOpen()) this.socket.send(JSON.stringify({ type, ...fields }));
    }

    isOpen() {
        return Boolean(this.socket) && this.socket.readyState === 1;
    }

    take(text) {
        this.heard = true;
        const envelope = JSON.parse(text);
        if (envelope.seq) {
            // An ack stands in the place of the message that it is for, unless it is told a second time.
            if (envelope.seq <= this.lastSeq && envelope.type !== 'ack' && !envelope.retry) return;
            this.lastSeq = Math.max(this.lastSeq, envelope.seq);
        }
        const own = `on_${envelope.type}`;
        if (this[own]) this[own](envelope);
        if (envelope.ack && this.concerns(envelope)) this.tell('ack', { seq: envelope.seq });
        this.emit('envelope', envelope);
        this.emit(envelope.type, envelope);
    }

    // Is this user among those who are asked to acknowledge?
    concerns({ from, to, to_role: toRole }) {
        if (to) return to === this.options.user;
        if (toRole) return toRole === this.options.role && from !== this.options.user;
        return from !== this.options.user;
    }

    on_system({ data }) {
        if (data.event === 'welcome') this.welcomed(data);
        if (data.event === 'history_complete' || data.event === 'history_unavailable') this.setState('live');
    }

    welcomed(data) {
        const returning = Boolean(this.welcome);
        this.welcome = data;
        this.resumeToken = data.resume_token;
        if (this.entered) return;  // the answer to a join_session: nothing comes again
        this.entered = true;
        this.failures = 0;
        if (returning && !data.resumed) {
            this.lastSeq = 0;
            this.emit('reset');
        }
        // A hub that lost the latest of its messages gives their numbers to others.
        this.lastSeq = Math.min(this.lastSeq, data.last_seq);
        this.people.clear();
        this.setState('replaying');
        this.beat(data.heartbeat_s * 1000);
        for (const { text } of this.pending.values()) this.socket.send(text);
    }

    // Nobody tells a page that the network is gone: an answer that does not come does.
    beat(everyMs) {
        clearInterval(this.heartbeatTimer);
        this.heard = true;
        this.heartbeatTimer = setInterval(() => {
            if (!this.heard) return this.drop('no answer');
            this.heard = false;
            this.tell('heartbeat');
        }, everyMs);
    }

    // Gives the connection up without waiting for its end.
    drop(why) {
        const { socket } = this;
        if (!socket) return;
        this.lost(1006, why);
        socket.close();
    }

    on_presence({ data }) {
        for (const person of data.users) this.people.set(person.user_id, person);
        this.emit('people', this.people);
    }

    on_ack({ id, seq }) {
        const pending = this.pending.get(id);
        this.pending.delete(id);
        if (pending) pending.resolve(seq);
    }

    on_error({ id, data }) {
        const pending = this.pending.get(id);
        this.pending.delete(id);
        if (pending) pending.reject(new HubError(data));
    }

    lost(code, reason) {
        clearInterval(this.heartbeatTimer);
        this.socket = null;
        this.emit('lost', code, reason, this.entered);
        if (this.leaving || isFinal(code)) return this.end(reason || String(code));
        // Everyone who was cut off at the same moment would come back at the same moment, too.
        const longest = Math.min(RETRY_LAST_MS, RETRY_FIRST_MS * 2 ** this.failures++);
        this.setState('waiting');
        this.retryTimer = setTimeout(() => this.connect(), longest * (0.5 + this.options.random() / 2));
    }

    end(why) {
        clearInterval(this.heartbeatTimer);
        for (const { reject } of this.pending.values()) reject(new HubError({ code: 'ended', message: why }));
        this.pending.clear();
        this.setState('ended');
    }

    setState(state) {
        this.state = state;
        this.emit('state', state);
    }
}

if (typeof module !== 'undefined') module.exports = { HubClient, HubError };
