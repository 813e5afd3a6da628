'use strict';
// The page around a HubClient: shows what it hears, and sends what its forms say. `#session=S&user=U&role=R` fills the
// form, so that a link can name a seat.

const WIRE_LINES_MAX = 500;
const TYPING_EVERY_MS = 3000;  // what others see of it ends after five seconds

const $ = (id) => document.getElementById(id);
let client = null;

function element(tag, text, properties = {}) {
    return Object.assign(document.createElement(tag), { textContent: text, ...properties });
}

function nameOf(userId) {
    return client && userId === client.options.user ? `${userId} (you)` : userId;
}

function showState(state) {
    $('state').textContent = state;
    $('state').dataset.state = state;
    $('drop').disabled = $('leave').disabled = state === 'ended';
    document.querySelector('#say button').disabled = state === 'ended';
    if (state === 'live') complain(null);
}

function showSession({ session }) {
    $('session').textContent = session.name || session.id;
    session.comparisons.forEach(showComparison);
}

function showPeople(people) {
    const rows = [...people.values()].sort((a, b) => b.online - a.online || a.user_id.localeCompare(b.user_id));
    $('people').replaceChildren(...rows.map((person) => element('li', `${nameOf(person.user_id)}, ${person.role}`, {
        className: person.online ? 'online' : 'offline',
        title: person.last_seen ? `last seen ${person.last_seen}` : '',
    })));
    const to = document.forms.say.elements.to;
    const chosen = to.value;
    const others = rows.filter((person) => person.user_id !== client.options.user);
    const choices = [['', 'everyone'], ['role:instructor', 'instructors'], ['role:student', 'students'],
        ...others.map(({ user_id: user }) => [`user:${user}`, user])];
    to.replaceChildren(...choices.map(([value, text]) => element('option', `to ${text}`, { value })));
    to.value = chosen;
    if (to.selectedIndex < 0) to.value = '';
}

// One line in the list of messages; a retry of one that stands there already adds nothing.
function showLine(envelope, text) {
    const key = envelope.seq ? `seq-${envelope.seq}` : '';
    if (key && $(key)) return;
    const line = element('li', '', { id: key });
    line.append(element('time', (envelope.ts || '').slice(11, 19)), ' ', text);
    $('messages').append(line);
    line.scrollIntoView({ block: 'nearest' });
}

function showMessage(envelope) {
    const said = typeof envelope.data.text === 'string' ? envelope.data.text : JSON.stringify(envelope.data);
    const to = envelope.to || (envelope.to_role && `${envelope.to_role}s`);
    showLine(envelope, `${nameOf(envelope.from)}${to ? ` to ${nameOf(to)}` : ''}: ${said}`);
}

// What others do, or what has become of a message of one's own.
function showStatus(envelope) {
    const { event, seq, state, to } = envelope.data;
    if (!event) return showLine(envelope, `${nameOf(envelope.from)} is ${state}`);
    const line = $(`seq-${seq}`);
    const outcome = event === 'delivered' ? 'confirmed by all' : `not confirmed by ${to.join(', ')}`;
    if (line) return line.append(element('small', ` ${outcome}`));
    showLine(envelope, `message ${seq}: ${outcome}`);
}

const typists = new Set();
function showTyping({ from, data }) {
    if (data.active) typists.add(from);
    else typists.delete(from);
    $('typing').textContent = typists.size ? `${[...typists].join(', ')} typing` : '';
}

// ------------------------------------------------------------------------------------------------------------- votes

function voteButton(comparison, feature) {
    const vote = feature
        ? { comparison_id: comparison.id, preferred_feature_id: feature.id, is_tie_vote: false }
        : { comparison_id: comparison.id, preferred_feature_id: null, is_tie_vote: true };
    const button = element('button', feature ? feature.title : 'tie', { type: 'button' });
    button.dataset.feature = vote.preferred_feature_id || '';
    button.addEventListener('click', async () => {
        if (await send('vote_submitted', { data: { vote } })) showOwnVote(vote);
    });
    return button;
}

function showOwnVote(vote) {
    const box = $(`comparison-${vote.comparison_id}`);
    if (!box) return;
    for (const button of box.querySelectorAll('button')) {
        button.ariaPressed = String(button.dataset.feature === (vote.preferred_feature_id || ''));
    }
}

function showVote(envelope) {
    showLine(envelope, `${nameOf(envelope.data.user_id)} has voted`);
    if (envelope.data.user_id === client.options.user) showOwnVote(envelope.data);  // of an earlier visit
}

function showComparison(comparison) {
    const box = element('fieldset', '', { id: `comparison-${comparison.id}` });
    box.append(element('legend', comparison.id), voteButton(comparison, comparison.feature_a),
        voteButton(comparison, comparison.feature_b), voteButton(comparison, null), element('p', ''));
    const before = $(box.id);
    if (before) before.replaceWith(box);
    else $('comparisons').append(box);
}

function showConsensus({ data }, text) {
    const box = $(`comparison-${data.comparison_id}`);
    if (box) box.querySelector('p').textContent = text;
}

// ------------------------------------------------------------------------------------------------------------ acting

function complain(error) {
    $('problem').textContent = error ? `${error.code}: ${error.message}` : '';
}

// A page is not told why it was not let in, unless the server says so by a close code.
function showLost(code, reason, entered) {
    typists.clear();  // their ends are missed
    $('typing').textContent = '';
    if (code === 1000) return;
    const refused = 'not let in: is the server there, and the session, and you on its list? ' +
        'A server with --accept-then-close says why.';
    complain({ code, message: reason || (entered ? 'the connection is lost' : refused) });
}

function clearSession() {
    for (const id of ['messages', 'comparisons', 'people', 'session', 'progress', 'typing']) $(id).replaceChildren();
    typists.clear();
}

async function send(type, fields) {
    complain(null);
    try {
        return await client.send(type, fields);
    } catch (error) {
        complain(error);
        return null;
    }
}

function listen() {
    client.on('state', showState)
        .on('people', showPeople)
        .on('message', showMessage)
        .on('system_notice', (envelope) => showLine(envelope, `notice: ${JSON.stringify(envelope.data)}`))
        .on('typing', showTyping)
        .on('status', showStatus)
        .on('system', ({ data }) => data.event === 'welcome' && showSession(data))
        .on('system', ({ data }) => data.event === 'history_unavailable' &&
            complain({ code: data.event, message: 'some of what was said before is lost' }))
        .on('reset', clearSession)
        .on('comparison_update', ({ data }) => showComparison(data.comparison))
        .on('vote_received', showVote)
        .on('consensus_reached', (envelope) => showConsensus(envelope,
            envelope.data.is_tie ? 'all agree: a tie' : `all agree: ${envelope.data.winner_title}`))
        .on('consensus_lost', (envelope) => showConsensus(envelope, 'no consensus any more'))
        .on('session_progress', ({ data }) => {
            $('progress').textContent = `${data.completed} of ${data.total} (${data.percentage} %)`;
        })
        .on('lost', showLost)
        .on('error', ({ data }) => complain(data))
        .on('envelope', (envelope) => {
            $('wire').append(`${JSON.stringify(envelope)}\n`);
            while ($('wire').childNodes.length > WIRE_LINES_MAX) $('wire').firstChild.remove();
        });
}

document.forms.enter.addEventListener('submit', (event) => {
    event.preventDefault();
    if (client) {
        client.mute();
        client.leave();
    }
    clearSession();
    complain(null);
    client = new HubClient(Object.fromEntries(new FormData(event.target)));
    listen();
    client.connect();
});

document.forms.say.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (!client) return;
    const { text, to, ack } = event.target.elements;
    const fields = { data: { text: text.value }, ack: ack.checked };
    const [kind, name] = to.value.split(':');
    if (kind) fields[kind === 'role' ? 'to_role' : 'to'] = name;
    const said = { from: client.options.user, ...fields, ts: new Date().toISOString() };
    text.value = '';
    const seq = await send('message', fields);
    if (seq) showMessage({ ...said, seq });  // the sender gets the number, not the message
    else if (!text.value) text.value = said.data.text;
});

let typedMs = 0;
document.forms.say.elements.text.addEventListener('input', () => {
    if (!client || Date.now() - typedMs < TYPING_EVERY_MS) return;
    typedMs = Date.now();
    client.tell('typing', { data: { active: true } });
});

$('leave').addEventListener('click', () => client && client.leave());
$('drop').addEventListener('click', () => client && client.drop('as if the network had failed'));

for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
    const field = document.forms.enter.elements[name];
    if (field) field.value = value;
}
