"""The hub as its people see it, for tests: a daemon with --hub, its control API, and attendees that are clients of
python3-websockets. Every wait is for an event and is bounded. The attendee judges nothing; it only tells what came.
"""
import asyncio
import collections
import http.client
import json
import pathlib
import tempfile
import urllib.parse

import websockets

from daemon import LIMIT_S, Daemon

ADMIN_KEY = "admin-key-of-the-tests-0123456789abcdef"
SECRET = "a secret that is long enough to sign tokens with"

# What a test suite on one address needs to be let in at all.
OPEN_LIMITS = ["--max-connections-per-ip=0", "--connections-per-ip-minute=0", "--messages-per-user-minute=0"]


class Hub(Daemon):
    """A daemon that serves the hub; `with` ends it. `secret` asks its people for tokens."""

    def __init__(self, program, *flags, secret=None, env=None):
        self.files = tempfile.TemporaryDirectory()
        key = pathlib.Path(self.files.name, "admin.key")
        key.write_text(ADMIN_KEY + "\n")
        flags = ["--hub", "--port=0", f"--admin-key-file={key}", *OPEN_LIMITS, *flags]
        if secret:
            path = pathlib.Path(self.files.name, "jwt.secret")
            path.write_text(secret + "\n")
            flags.append(f"--jwt-secret-file={path}")
        super().__init__(program, *flags, env=env)

    def __exit__(self, *details):
        super().__exit__(*details)
        self.files.cleanup()

    def http(self, method, target, body=None, headers=None, address=None):
        """A plain request. Returns the status, the headers and the body: as JSON where it is that, else as bytes."""
        host, port = (address or self.addresses[0]).rsplit(":", 1)
        connection = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=LIMIT_S)
        try:
            text = body if isinstance(body, (str, bytes, type(None))) else json.dumps(body)
            connection.request(method, target, text, headers or {})
            answer = connection.getresponse()
            content = answer.read()
            is_json = answer.headers.get_content_type() == "application/json"
            return answer.status, answer.headers, json.loads(content) if is_json and content else content
        finally:
            connection.close()

    def api(self, method, path, body=None, key=ADMIN_KEY):
        """A call of the control API. Returns the status and the answer."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        status, _, answer = self.http(method, f"/api{path}", body, headers)
        return status, answer

    def make_session(self, session_id, *members, **fields):
        """A session whose members are "user" or "user:instructor"."""
        listed = [dict(zip(("user_id", "role"), [*member.split(":"), "student"])) for member in members]
        status, answer = self.api("POST", "/sessions", {"id": session_id, "members": listed, **fields})
        if status != 201:
            raise RuntimeError(f"no session: {status} {answer}")
        return answer

    def refusal(self, target, *headers):
        """What an upgrade that is refused is answered: the status, the code of the error, the headers."""
        fields = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
                  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", **dict(headers)}
        status, answered, body = self.http("GET", target, None, fields)
        return status, body["error"]["code"] if isinstance(body, dict) else body, answered

    def attendee(self, session_id, user_id, role="student", **options):
        return Attendee(self.addresses[0], session_id, user_id, role, **options)


def entry_target(session_id, user_id, role, **more):
    fields = {"session_id": session_id, "user_id": user_id, "role": role, **more}
    return "/hub?" + urllib.parse.urlencode({name: value for name, value in fields.items() if value is not None})


class Attendee:
    """One connection of a user; `async with` enters and leaves. `all` is everything that came, in order; wait_for() goes
    through it once, and answer() takes out of it what it asks for."""

    def __init__(self, address, session_id, user_id, role="student", resume=None, since=None, headers=None,
                 protocols=("wsd.v1",), **query):
        target = entry_target(session_id, user_id, role, resume=resume, since=since, **query)
        self.user_id = user_id
        self.all = []
        self._unread = collections.deque()
        self._url = f"ws://{address}{target}"
        self._options = {"extra_headers": headers or {}, "subprotocols": list(protocols), "max_queue": None,
                         "open_timeout": LIMIT_S, "close_timeout": LIMIT_S}
        self.socket = None

    async def __aenter__(self):
        self.socket = await websockets.connect(self._url, **self._options)
        return self

    async def __aexit__(self, *_):
        await self.socket.close()

    async def _receive(self):
        self.all.append(json.loads(await asyncio.wait_for(self.socket.recv(), LIMIT_S)))
        self._unread.append(self.all[-1])

    async def next(self):
        """The next envelope, whatever it is."""
        if not self._unread:
            await self._receive()
        return self._unread.popleft()

    async def wait_for(self, kind, event=None, **fields):
        """The next envelope of that type, with that data.event and these fields where they are given; what comes before
        it is passed over."""
        while True:
            envelope = await self.next()
            if envelope["type"] != kind or (event and envelope.get("data", {}).get("event") != event):
                continue
            if all(envelope.get(name) == value for name, value in fields.items()):
                return envelope

    async def seen(self, kind, **fields):
        """An envelope of that type with these fields, whether it came before or is to come."""
        looked_at_count = 0
        while True:
            while looked_at_count == len(self.all):
                await self._receive()
            envelope = self.all[looked_at_count]
            if envelope["type"] == kind and all(envelope.get(name) == value for name, value in fields.items()):
                return envelope
            looked_at_count += 1

    async def live(self):
        """Waits until history and presence have come. Returns the welcome's data."""
        welcome = await self.wait_for("system", "welcome")
        await self.wait_for("presence")
        return welcome["data"]

    async def send(self, kind, **fields):
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def say(self, text, message_id, **fields):
        """Sends a message and waits for its answer, an `ack` or an `error`."""
        await self.send("message", id=message_id, data={"text": text}, **fields)
        return await self.answer(message_id)

    async def answer(self, message_id):
        """The answer to that message, wherever it stands; what came before it is still to be gone through."""
        looked_at_count = 0
        while True:
            while looked_at_count == len(self._unread):
                await self._receive()
            envelope = self._unread[looked_at_count]
            if envelope["type"] in ("ack", "error") and envelope.get("id") == message_id:
                del self._unread[looked_at_count]
                return envelope
            looked_at_count += 1

    async def barrier(self):
        """Everything that the server had sent this connection before now has come when this returns."""
        await self.send("heartbeat")
        return await self.wait_for("heartbeat")

    async def closed(self):
        """Waits for the end. Returns its code."""
        try:
            while True:
                self.all.append(json.loads(await asyncio.wait_for(self.socket.recv(), LIMIT_S)))
        except websockets.ConnectionClosed:
            return self.socket.close_code

    def types(self, start=0):
        return [envelope["type"] for envelope in self.all[start:]]
