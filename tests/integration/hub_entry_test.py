"""Entering the hub: every row of its table of refusals, the three places for a token, and whose word counts.

usage: hub_entry_test.py WSD
"""
import asyncio
import base64
import hashlib
import hmac
import json
import pathlib
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests" / "support"))

from daemon import Checks  # noqa: E402 (the path is set above)
from hub import SECRET, Attendee, Hub, entry_target  # noqa: E402

WSD = sys.argv[1]
checks = Checks()

HOUR_S = 3600


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def make_token(header=None, secret=SECRET, **claims):
    """A token by Python's own HMAC, right or wrong."""
    parts = [header or {"alg": "HS256", "typ": "JWT"}, claims]
    signed = ".".join(base64url(json.dumps(part).encode()) for part in parts)
    return f"{signed}.{base64url(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest())}"


def good_token(**more):
    claims = {"sub": "ada", "sid": "algebra-1", "role": "student", "exp": int(time.time()) + HOUR_S}
    return make_token(**{**claims, **more})


def refused(hub, name, status, code, target, *headers):
    answer = hub.refusal(target, *headers)
    checks.equal(name, answer[:2], (status, code))
    return answer[2]


# --------------------------------------------------------------------------------------------------- without a secret

def test_parameters():
    with Hub(WSD) as hub:
        hub.make_session("algebra-1", "ada")
        good = {"session_id": "algebra-1", "user_id": "ada", "role": "student"}
        for missing in good:
            refused(hub, f"no {missing}", 400, "missing_parameter", entry_target(**{**good, missing: None}))
        wrong = [("session_id", "a b"), ("session_id", "x" * 65), ("session_id", "a/b"), ("user_id", "\u00e4da"),
                 ("user_id", "x" * 65), ("role", "teacher"), ("role", "Student"), ("project_id", "a:b")]
        for name, value in wrong:
            refused(hub, f"{name}={value[:8]}", 400, "invalid_parameter", entry_target(**{**good, name: value}))
        refused(hub, "an empty parameter", 400, "missing_parameter", entry_target("algebra-1", "", "student"))
        refused(hub, "a broken escape", 400, "invalid_parameter", entry_target(**good) + "&project_id=%zz")
        refused(hub, "a parameter that stands twice", 400, "invalid_parameter",
                entry_target(**good) + "&user_id=bob")
        refused(hub, "since that is no number", 400, "invalid_parameter", entry_target(**good, resume="x", since="-1"))
        refused(hub, "no such session", 404, "session_not_found", entry_target("algebra-2", "ada", "student"))
        refused(hub, "a student who is not on the list", 403, "not_a_member",
                entry_target("algebra-1", "eve", "student"))
        status, headers, body = hub.http("GET", entry_target(**good))
        checks.equal("/hub without an upgrade", (status, headers["Upgrade"]), (426, "websocket"))
        checks.check("start-up warns that parameters are believed",
                     any("level=warn" in line and "jwt" in line for line in hub.log), hub.log)


def test_sessions():
    with Hub(WSD) as hub:
        hub.make_session("paused", "ada", status="paused")
        hub.make_session("owned", "ada", project_id="p1")
        hub.make_session("ended", "ada")
        refused(hub, "a paused session", 401, "session_inactive", entry_target("paused", "ada", "student"))
        refused(hub, "another project", 401, "wrong_project", entry_target("owned", "ada", "student", project_id="p2"))
        hub.api("DELETE", "/sessions/ended")
        refused(hub, "a session that has ended", 404, "session_not_found", entry_target("ended", "ada", "student"))


async def admitted(hub, *args, **options):
    async with hub.attendee(*args, **options) as attendee:
        return await attendee.live()


def test_let_in():
    with Hub(WSD) as hub:
        hub.make_session("algebra-1", "ada", "tom:instructor", name="Algebra", project_id="p1")
        welcome = asyncio.run(admitted(hub, "algebra-1", "ada", project_id="p1"))
        checks.equal("a member is welcome", (welcome["user_id"], welcome["role"]), ("ada", "student"))
        checks.equal("... and told of the session", (welcome["session"]["id"], welcome["session"]["name"],
                                                    welcome["session"]["status"]), ("algebra-1", "Algebra", "active"))
        checks.equal("... of its members", sorted(member["user_id"] for member in welcome["session"]["members"]),
                     ["ada", "tom"])
        checks.check("... and of what it needs to come back",
                     welcome["resume_token"] and welcome["connection_id"] and welcome["last_seq"] == 0
                     and welcome["heartbeat_s"] > 0, welcome)
        stranger = asyncio.run(admitted(hub, "algebra-1", "eva", role="instructor", project_id="p1"))
        checks.equal("an instructor enters any session", stranger["role"], "instructor")


# ------------------------------------------------------------------------------------------------------ with a secret

def test_tokens():
    with Hub(WSD, secret=SECRET) as hub:
        hub.make_session("algebra-1", "ada", "bob")
        target = entry_target("algebra-1", "ada", "student")
        refused(hub, "no token", 401, "token_missing", target)
        forged = {
            "not a token": "x.y",
            "another secret": good_token(secret="another secret that is long enough to sign"),
            "alg none": make_token({"alg": "none"}, sub="ada", sid="algebra-1", role="student"),
            "alg HS512": make_token({"alg": "HS512"}, sub="ada", sid="algebra-1", role="student"),
            "a cut signature": good_token()[:-4],
            "no signature": good_token().rsplit(".", 1)[0] + ".",
            "another token's header": base64url(b'{"typ":"JWT","alg":"HS256"}') + "." + good_token().split(".", 1)[1],
            "not valid yet": good_token(nbf=int(time.time()) + HOUR_S),
            "exp that is no number": good_token(exp="tomorrow"),
        }
        for name, token in forged.items():
            refused(hub, name, 401, "token_invalid", target, ("Authorization", f"Bearer {token}"))
        refused(hub, "an expired token", 401, "token_expired", target,
                ("Authorization", f"Bearer {good_token(exp=int(time.time()) - HOUR_S)}"))
        late = good_token(exp=int(time.time()) - 5)
        welcome = asyncio.run(admitted(hub, "algebra-1", "ada", token=late))
        checks.equal("clocks may differ by the leeway", welcome["user_id"], "ada")


def test_places():
    with Hub(WSD, secret=SECRET) as hub:
        hub.make_session("algebra-1", "ada")
        seat = ("algebra-1", "ada")
        for name, options in {
            "Authorization": {"headers": {"Authorization": f"Bearer {good_token()}"}},
            "the query": {"token": good_token()},
            "a subprotocol": {"protocols": ["wsd.v1", f"bearer.{good_token()}"]},
        }.items():
            welcome = asyncio.run(admitted(hub, *seat, **options))
            checks.equal(f"a token in {name}", welcome["user_id"], "ada")
        checks.check("no token is in the log", not any(good_token()[:20] in line for line in hub.log))
        made = subprocess.run([WSD, "token", "--secret-file", f"{hub.files.name}/jwt.secret", "--sub", "ada", "--sid",
                               "algebra-1", "--role", "student", "--ttl", "1h"], capture_output=True, text=True)
        welcome = asyncio.run(admitted(hub, *seat, token=made.stdout.strip()))
        checks.equal("a token of `wsd token`", (made.returncode, welcome["user_id"]), (0, "ada"))


def test_claims():
    with Hub(WSD, secret=SECRET) as hub:
        hub.make_session("algebra-1", "ada", "bob", project_id="p1")
        hub.make_session("algebra-2", "ada", project_id="p1")

        def bearer(**claims):
            return ("Authorization", f"Bearer {good_token(**claims)}")

        welcome = asyncio.run(admitted(hub, None, None, role=None, token=good_token()))
        checks.equal("claims fill in what the query leaves out", (welcome["user_id"], welcome["role"]),
                     ("ada", "student"))
        refused(hub, "another user than the token's", 403, "claim_mismatch",
                entry_target("algebra-1", "bob", "student"), bearer())
        refused(hub, "a role that the token does not have", 403, "claim_mismatch",
                entry_target("algebra-1", "ada", "instructor"), bearer())
        refused(hub, "another session than the token's", 403, "claim_mismatch",
                entry_target("algebra-2", "ada", "student"), bearer())
        refused(hub, "another project than the token's", 403, "claim_mismatch",
                entry_target("algebra-1", "ada", "student", project_id="p2"), bearer(pid="p1"))
        refused(hub, "a token for another project", 401, "wrong_project",
                entry_target("algebra-1", "ada", "student"), bearer(pid="p2"))
        anywhere = make_token(sub="ada", role="student", exp=int(time.time()) + HOUR_S)
        welcome = asyncio.run(admitted(hub, "algebra-2", "ada", token=anywhere))
        checks.equal("a token without sid is for any session", welcome["session"]["id"], "algebra-2")
        no_role = ("Authorization", f"Bearer {make_token(sub='ada', exp=int(time.time()) + HOUR_S)}")
        refused(hub, "nobody makes an instructor of himself", 403, "claim_mismatch",
                entry_target("algebra-1", "ada", "instructor"), no_role)
        welcome = asyncio.run(admitted(hub, "algebra-1", "ada", headers=dict([no_role])))
        checks.equal("... but a student", welcome["role"], "student")
        refused(hub, "a token without a role, and a query without one", 400, "missing_parameter",
                entry_target("algebra-1", "ada", None), no_role)


def test_rotation():
    second = "a second secret that is long enough to sign tokens"
    with Hub(WSD, secret=f"{SECRET}\n{second}") as hub:
        hub.make_session("algebra-1", "ada")
        for name, secret in {"first": SECRET, "second": second}.items():
            welcome = asyncio.run(admitted(hub, "algebra-1", "ada", token=good_token(secret=secret)))
            checks.equal(f"the {name} secret of a list verifies", welcome["user_id"], "ada")


def test_audience():
    with Hub(WSD, "--jwt-issuer=school", "--jwt-audience=hub", secret=SECRET) as hub:
        hub.make_session("algebra-1", "ada")
        target = entry_target("algebra-1", "ada", "student")
        refused(hub, "another issuer", 401, "token_invalid", target,
                ("Authorization", f"Bearer {good_token(iss='home', aud='hub')}"))
        refused(hub, "another audience", 401, "token_invalid", target,
                ("Authorization", f"Bearer {good_token(iss='school', aud=['chat'])}"))
        welcome = asyncio.run(admitted(hub, "algebra-1", "ada", token=good_token(iss="school", aud=["chat", "hub"])))
        checks.equal("issuer and audience as asked", welcome["user_id"], "ada")


async def expire(hub):
    token = good_token(exp=int(time.time()) + 1)
    async with hub.attendee("algebra-1", "ada", token=token) as ada:
        await ada.live()
        return await ada.closed()


def test_expiry_while_connected():
    with Hub(WSD, "--jwt-leeway=0", secret=SECRET) as hub:
        hub.make_session("algebra-1", "ada")
        checks.equal("a connection ends with its token", asyncio.run(expire(hub)), 4004)


# ------------------------------------------------------------------------------------------- the server's own refusals

def test_origins():
    with Hub(WSD, "--allow-origin=https://school.example", "--allow-origin=https://*.school.example") as hub:
        hub.make_session("algebra-1", "ada")
        target = entry_target("algebra-1", "ada", "student")
        refused(hub, "another origin", 403, "origin_not_allowed", target, ("Origin", "https://evil.example"))
        refused(hub, "no origin where there is a list", 403, "origin_not_allowed", target)
        for origin in "https://school.example", "https://www.school.example":
            welcome = asyncio.run(admitted(hub, "algebra-1", "ada", headers={"Origin": origin}))
            checks.equal(f"origin {origin}", welcome["user_id"], "ada")


async def crowd(hub):
    target = entry_target("algebra-1", "bob", "student")
    async with hub.attendee("algebra-1", "ada") as ada:
        await ada.live()
        return hub.refusal(target)


def test_limits():
    with tempfile.TemporaryDirectory() as folder:
        # Sessions of a file, as a call that makes one would be a connection too.
        sessions = pathlib.Path(folder, "sessions.json")
        members = [{"user_id": name, "role": "student"} for name in ("ada", "bob")]
        sessions.write_text(json.dumps([{"id": "algebra-1", "members": members}]))
        judge_limits(f"--sessions={sessions}")


def judge_limits(sessions):
    with Hub(WSD, sessions, "--max-connections-per-ip=1") as hub:
        status, code, headers = asyncio.run(crowd(hub))
        checks.equal("too many connections of one address", (status, code), (429, "too_many_connections"))
        checks.check("... with Retry-After", int(headers["Retry-After"]) > 0, headers.items())
    with Hub(WSD, sessions, "--connections-per-ip-minute=1") as hub:
        target = entry_target("algebra-1", "eve", "student")
        refused(hub, "the first connection in a minute", 403, "not_a_member", target)
        headers = refused(hub, "the second", 429, "too_many_connections", target)
        checks.check("... with Retry-After", int(headers["Retry-After"]) > 0, headers.items())
    with Hub(WSD, sessions, "--max-connections=1") as hub:
        checks.equal("a full server", asyncio.run(crowd(hub))[:2], (503, "server_full"))


async def accept_then_close(hub, target):
    async with Attendee(hub.addresses[0], *target) as attendee:
        return await attendee.closed()


def test_accept_then_close():
    with Hub(WSD, "--accept-then-close") as hub:
        hub.make_session("algebra-1", "ada")
        checks.equal("a browser can see why: no session",
                     asyncio.run(accept_then_close(hub, ("algebra-2", "ada"))), 4404)
        checks.equal("... not a member", asyncio.run(accept_then_close(hub, ("algebra-1", "eve"))), 4403)


for test in [test_parameters, test_sessions, test_let_in, test_tokens, test_places, test_claims, test_rotation,
             test_audience, test_expiry_while_connected, test_origins, test_limits, test_accept_then_close]:
    checks.attempt(test.__name__, test)
sys.exit(checks.summary())
