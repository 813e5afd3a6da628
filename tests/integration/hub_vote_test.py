"""Votes: who may, what others see and in which order, consensus reached, lost and reached again, and all of it after a
restart. usage: hub_vote_test.py WSD
"""
import asyncio
import pathlib
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests" / "support"))

from daemon import Checks  # noqa: E402 (the path is set above)
from hub import Hub  # noqa: E402

WSD = sys.argv[1]
checks = Checks()

COLORS = {"id": "colors", "feature_a": {"id": "red", "title": "Red"}, "feature_b": {"id": "blue", "title": "Blue"}}
SHAPES = {"id": "shapes", "feature_a": {"id": "ring", "title": "Ring"}, "feature_b": {"id": "bar", "title": "Bar"}}
OF_VOTES = ("vote_received", "consensus_reached", "consensus_lost", "session_progress", "comparison_update")


def vote_of(comparison, feature):
    return {"vote": {"comparison_id": comparison, "preferred_feature_id": feature, "is_tie_vote": feature is None}}


async def vote(attendee, comparison, feature, message_id):
    await attendee.send("vote_submitted", id=message_id, data=vote_of(comparison, feature))
    return await attendee.answer(message_id)


async def seen_of_votes(attendee):
    """The types about votes that have come and were not waited for."""
    await attendee.send("heartbeat")
    kinds = []
    while (kind := (await attendee.next())["type"]) != "heartbeat":
        kinds.append(kind)
    return [kind for kind in kinds if kind in OF_VOTES]


async def consensus(hub):
    async with hub.attendee("s", "ada") as ada, hub.attendee("s", "bob") as bob, \
            hub.attendee("s", "tom", "instructor") as tom:
        welcome = await ada.live()
        await bob.live(), await tom.live()
        checks.equal("a newcomer is told of the comparisons", welcome["session"]["comparisons"], [COLORS, SHAPES])

        first = await vote(ada, "colors", "red", "v1")
        checks.equal("a vote is acknowledged", (first["type"], first["seq"]), ("ack", 1))
        received = await bob.wait_for("vote_received")
        checks.equal("others see it", received["data"],
                     {"comparison_id": "colors", "user_id": "ada", "name": "Ada", "preferred_feature_id": "red",
                      "is_tie_vote": False})
        checks.check("the voter does not", "vote_received" not in await seen_of_votes(ada), ada.types())
        await bob.barrier()

        await vote(bob, "colors", "red", "v2")
        reached = await bob.wait_for("consensus_reached")
        checks.equal("all agree", reached["data"],
                     {"comparison_id": "colors", "winner_id": "red", "is_tie": False, "feature_a_title": "Red",
                      "feature_b_title": "Blue", "winner_title": "Red"})
        progress = (await bob.wait_for("session_progress"))["data"]
        checks.equal("progress", (progress["total"], progress["completed"], progress["percentage"],
                                  progress["complete"]), (2, 1, 50, False))
        checks.equal("in this order", await seen_of_votes(tom),
                     ["vote_received", "vote_received", "consensus_reached", "session_progress"])

        await vote(bob, "colors", "blue", "v3")
        lost = await ada.wait_for("consensus_lost")
        checks.equal("a change breaks it", lost["data"]["comparison_id"], "colors")
        checks.equal("... and progress goes back", (await ada.wait_for("session_progress"))["data"]["completed"], 0)
        await vote(ada, "colors", "blue", "v4")
        checks.equal("agreed on the other", (await tom.wait_for("consensus_reached", data=reached_by("blue", "Blue")))
                     ["data"]["winner_id"], "blue")

        for person, number in ((ada, 5), (bob, 6)):
            await vote(person, "shapes", None, f"v{number}")
        tie = await tom.wait_for("consensus_reached")
        checks.equal("a tie can be agreed on, too", tie["data"],
                     {"comparison_id": "shapes", "winner_id": None, "is_tie": True, "feature_a_title": "Ring",
                      "feature_b_title": "Bar"})
        progress = (await tom.wait_for("session_progress"))["data"]
        checks.equal("all is agreed on", (progress["completed"], progress["percentage"], progress["complete"]),
                     (2, 100, True))


def reached_by(feature, title):
    return {"comparison_id": "colors", "winner_id": feature, "is_tie": False, "feature_a_title": "Red",
            "feature_b_title": "Blue", "winner_title": title}


async def refusals(hub):
    async with hub.attendee("s", "ada") as ada, hub.attendee("s", "eva", "instructor") as eva:
        await ada.live(), await eva.live()
        cases = [
            (ada, "no such comparison", "not_found", vote_of("sounds", "red")),
            (ada, "a feature of another comparison", "invalid_message", vote_of("colors", "ring")),
            (ada, "a tie with a preference", "invalid_message",
             {"vote": {"comparison_id": "colors", "preferred_feature_id": "red", "is_tie_vote": True}}),
            (ada, "neither preference nor tie", "invalid_message", {"vote": {"comparison_id": "colors"}}),
            (ada, "no vote", "invalid_message", {}),
            (eva, "an instructor who is not on the list", "forbidden", vote_of("colors", "red")),
        ]
        for number, (person, name, code, data) in enumerate(cases):
            await person.send("vote_submitted", id=f"r{number}", data=data)
            checks.equal(name, (await person.answer(f"r{number}"))["data"]["code"], code)
        checks.equal("nothing was voted", await seen_of_votes(ada), [])


async def comparisons_change(hub):
    async with hub.attendee("s", "ada") as ada, hub.attendee("s", "bob") as bob, \
            hub.attendee("s", "tom", "instructor") as tom:
        for person in ada, bob, tom:
            await person.live()
        await vote(ada, "colors", "red", "v1"), await vote(bob, "colors", "red", "v2")
        await tom.wait_for("session_progress")
        changed = {**COLORS, "feature_b": {"id": "green", "title": "Green"}}
        await tom.send("comparison_update", id="c1", data={"comparison": changed})
        update = await tom.wait_for("comparison_update")
        checks.equal("everyone sees the change, who made it too", update["data"]["comparison"], changed)
        progress = await tom.wait_for("session_progress")
        checks.equal("votes on a changed one are dropped", progress["data"]["completed"], 0)
        # Without waiting: what is said later is judged by what was said before.
        sounds = {"id": "sounds", "feature_a": {"id": "low", "title": "L"}, "feature_b": {"id": "high", "title": "H"}}
        await tom.send("comparison_update", id="c2", data={"comparison": sounds})
        await tom.send("vote_submitted", id="t1", data=vote_of("sounds", "low"))
        checks.equal("a comparison that has just been added can be voted on by members only",
                     (await tom.answer("t1"))["data"]["code"], "forbidden")
        await ada.wait_for("comparison_update", data={"comparison": sounds})
        checks.equal("an added one can be voted on", (await vote(ada, "sounds", "low", "v3"))["type"], "ack")


async def members_change(hub):
    async with hub.attendee("s", "ada") as ada, hub.attendee("s", "bob") as bob:
        await ada.live(), await bob.live()
        await vote(ada, "colors", "red", "v1"), await vote(bob, "colors", "red", "v2")
        await ada.wait_for("consensus_reached")

        async def listed(*names):
            await asyncio.to_thread(hub.api, "PATCH", "/sessions/s",
                                    {"members": [{"user_id": name, "role": "student"} for name in names]})

        await listed("ada", "bob", "cid")
        checks.equal("a late joiner has not agreed", (await ada.wait_for("consensus_lost"))["data"]["comparison_id"],
                     "colors")
        async with hub.attendee("s", "cid") as cid:
            await cid.live()
            await vote(cid, "colors", "blue", "v3")
            await ada.wait_for("vote_received")
            await listed("ada", "bob")
            checks.equal("a removed member's vote does not count", (await ada.wait_for("consensus_reached"))["data"]
                         ["winner_id"], "red")


async def before_restart(hub):
    async with hub.attendee("s", "ada") as ada:
        await ada.live()
        await vote(ada, "colors", "red", "v1")
        await vote(ada, "colors", "blue", "v2")


async def after_restart(hub):
    async with hub.attendee("s", "bob") as bob:
        await bob.live()
        await vote(bob, "colors", "blue", "v1")
        checks.equal("votes outlive the process", (await bob.wait_for("consensus_reached"))["data"]["winner_id"],
                     "blue")
        progress = (await asyncio.to_thread(hub.api, "GET", "/sessions/s/progress"))[1]
        checks.equal("... and the control API tells of them", (progress["total"], progress["completed"]), (2, 1))


def make(hub):
    hub.make_session("s", comparisons=[COLORS, SHAPES], members=[
        {"user_id": "ada", "role": "student", "name": "Ada"}, {"user_id": "bob", "role": "student"}])


def run(scenario, *flags):
    with Hub(WSD, *flags) as hub:
        make(hub)
        asyncio.run(scenario(hub))


def test_restart():
    with tempfile.TemporaryDirectory() as folder:
        with Hub(WSD, f"--data={folder}/data") as hub:
            make(hub)
            asyncio.run(before_restart(hub))
        with Hub(WSD, f"--data={folder}/data") as hub:
            asyncio.run(after_restart(hub))


for scenario in consensus, refusals, comparisons_change, members_change:
    checks.attempt(scenario.__name__, run, scenario)
checks.attempt("test_restart", test_restart)
sys.exit(checks.summary())
