"""The table: each code that the emulator gives by itself, what provokes it, and the fact behind."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import pytest

from openparallax.emulator.graph.errors import KINDS
from openparallax.emulator.graph.kinds import Kind
from openparallax.emulator.webhooks.delivery import Update
from tests.emulator.graph.desk import Desk, Said, desk, open_door
from tests.emulator.graph.saying import (
    ANN,
    BOB,
    CAROL,
    NOBODY,
    body_of,
    buttons,
    heard,
    put,
    said,
    send,
    template,
    text,
    word,
)
from tests.fakes.clock import TurnedClock

ASYNC = 0
"""Instead of an HTTP status: the send is taken, and fails later by status."""


class Row(NamedTuple):
    """A refusal.

    Attributes:
        status: HTTP status, or `ASYNC`.
        fact: Section of the facts page, or whose sentence it is.
    """

    code: int
    why: str
    fact: str
    provoke: Callable[[Desk], Awaitable[Said]]
    status: int = 400
    subcode: int | None = None


def a_send(body: Any, **of_number: Any) -> Callable[[Desk], Awaitable[Said]]:
    """Send this, everybody's window open, from a number that is changed like that."""

    async def provoke(desk: Desk) -> Said:
        heard(desk.emulator)
        for name, value in of_number.items():
            setattr(desk.number, name, value)
        return await send(desk, body)

    return provoke


def with_token(**details: Any) -> Callable[[Desk], Awaitable[Said]]:
    async def provoke(desk: Desk) -> Said:
        heard(desk.emulator)
        desk.account.add_token("EAAlisted", **details)
        return await send(desk, text(), token="EAAlisted")

    return provoke


async def not_listed(desk: Desk) -> Said:
    desk.account.add_token("EAAlisted")
    return await send(desk, text(), token="EAAanother")


def with_template(**changes: Any) -> Callable[[Desk], Awaitable[Said]]:
    """Send a template of two positional parameters that is kept with these changes."""
    kept = {
        "id": "1",
        "name": "mine",
        "language": "de",
        "status": "APPROVED",
        "category": "UTILITY",
        "parameter_format": "POSITIONAL",
        "components": [{"type": "BODY", "text": "Hello {{1}}, {{2}}"}],
    }

    async def provoke(desk: Desk) -> Said:
        sent = {"more": body_of(word("a"), word("b")), **changes.get("sent", {})}
        desk.account.templates.append({**kept, **changes.get("kept", {})})
        return await send(desk, template("mine", "de", **sent))

    return provoke


async def too_fast_for_the_number(desk: Desk) -> Said:
    heard(desk.emulator)
    desk.number.messages_per_second = 1
    assert (await send(desk, text())).status == 200
    return await send(desk, text(to=BOB))


async def too_fast_for_the_pair(desk: Desk) -> Said:
    heard(desk.emulator)
    for _ in range(45):
        assert (await send(desk, text())).status == 200
    assert (await send(desk, text(to=BOB))).status == 200
    return await send(desk, text())


async def not_paid(desk: Desk) -> Said:
    desk.account.funding_id = None
    return await send(desk, template())


async def a_day_later(desk: Desk) -> Said:
    heard(desk.emulator)
    desk.emulator.clock.move(86_400)
    return await send(desk, text())


async def a_song_as_a_picture(desk: Desk) -> Said:
    heard(desk.emulator)
    medium = desk.emulator.media.keep(desk.number.id, "audio/ogg", b"la", lasts_s=60)
    return await send(desk, said("image", {"id": medium.id}))


async def a_bot_that_is_elsewhere(desk: Desk) -> Said:
    async with open_door() as door:
        wanted = {"override_callback_uri": door.url, "verify_token": "another"}
        return await desk.post(f"{desk.account.waba_id}/subscribed_apps", json=wanted)


async def exchange(desk: Desk, **said: str) -> Said:
    query = {"client_id": desk.account.app_id, "grant_type": "fb_exchange_token", **said}
    return await desk.get("oauth/access_token", params=query, token=None)


async def register(desk: Desk, pin: str = "123456") -> Said:
    return await desk.post(
        f"{desk.number.id}/register", json={"messaging_product": "whatsapp", "pin": pin}
    )


async def unverified(desk: Desk) -> Said:
    desk.number.code_verification_status = "NOT_VERIFIED"
    return await register(desk)


async def another_pin(desk: Desk) -> Said:
    assert (await register(desk)).status == 200
    return await register(desk, "654321")


async def again_and_again(desk: Desk) -> Said:
    for _ in range(5):
        assert (await register(desk)).status == 200
        assert (await desk.post(f"{desk.number.id}/deregister")).status == 200
    return await register(desk)


async def asked_too_often(desk: Desk) -> Said:
    desk.number.status = "PENDING"
    for _ in range(200):
        assert (await desk.get(f"{desk.account.waba_id}?fields=id")).status == 200
    return await desk.get(f"{desk.account.waba_id}/subscribed_apps")


async def a_day_later_told_late(desk: Desk) -> Said:
    desk.emulator.rules.late_window = True
    return await send(desk, text())


async def reacted(desk: Desk, *, days: float = 0, is_gone: bool = False) -> Said:
    """React to a message of Ann's."""
    message = desk.emulator.say("ann", "hello")
    desk.emulator.clock.move(days * 86_400)
    heard(desk.emulator)
    message.is_deleted = is_gone
    return await send(desk, said("reaction", {"message_id": message.wamid, "emoji": "👍"}))


async def reacted_to_a_reaction(desk: Desk) -> Said:
    first = await reacted(desk)
    wamid = first.body["messages"][0]["id"]
    return await send(desk, said("reaction", {"message_id": wamid, "emoji": "👍"}))


async def an_advertisement_to_who_wants_none(desk: Desk) -> Said:
    desk.emulator.prefer("ann", marketing=False)
    kept = {"name": "offer", "category": "MARKETING", "language": "de", "components": []}
    desk.account.templates.append(kept)
    return await send(desk, template("offer", "de"))


async def app_edge(desk: Desk) -> Said:
    return await desk.get(f"{desk.account.app_id}/subscriptions")


OFF_EARTH = said("location", {"latitude": 91, "longitude": 1})
LONG_TITLE = said("interactive", put(buttons(), "action.buttons.0.reply.title", "x" * 21))
TO_NOTHING = said("reaction", {"message_id": "wamid.x", "emoji": "👍"})
TO_GROUP = text(recipient_type="group", to="Y2FwaV9ncm91")
NO_ID = text(to=None, recipient="US.1")
NO_NAME = {"name_status": "PENDING_REVIEW"}
CODE_TO_ID = with_template(
    kept={"category": "AUTHENTICATION"}, sent={"to": None, "recipient": CAROL}
)
NOT_NAMED = with_template(sent={"more": body_of(word("a", parameter_name="x"), word("b"))})
LONG = with_template(sent={"more": body_of(word("a"), word("b" * 1024))})
NAMED = {"parameter_format": "NAMED", "components": [{"type": "BODY", "text": "Hi {{who}}"}]}
UNNAMED = with_template(kept=NAMED, sent={"more": body_of(word("a"))})

TABLE = (
    # who asks
    Row(1, "a wrong app secret", "14", lambda d: exchange(d, client_secret="x"), 400),
    Row(10, "a token without messaging", "8, 14", with_token(scopes=()), 403),
    Row(15, "an app's edge without its token", "14", app_edge),
    Row(101, "no app secret", "14", exchange),
    Row(190, "no token", "8", lambda d: send(d, text(), token=None), 401),
    Row(190, "a token nobody gave", "8", not_listed, 401),
    Row(190, "an expired token", "8, 14", with_token(expires_at=1), 401, 463),
    Row(190, "a token that was withdrawn", "8, 14", with_token(is_valid=False), 401, 467),
    Row(190, "another app's token", "14", lambda d: send(d, text(), token="1|x"), 401),
    Row(200, "a token for another account", "8, 14", with_token(target_ids=("9",)), 403),
    Row(100, "a wrong proof", "14", lambda d: send(d, text(appsecret_proof="x"))),
    # what is asked
    Row(100, "an id of nothing", "8", lambda d: d.post("9/messages", json=text()), 400, 33),
    Row(100, "an edge that there is not", "Graph's own", lambda d: d.get(f"{d.number.id}/colour")),
    Row(2500, "a path that there is not", "Graph's own", lambda d: d.get("what/is/that")),
    Row(2200, "a callback that does not know the word", "3.1", a_bot_that_is_elsewhere),
    Row(100, "no product", "2.1", a_send(text(messaging_product=None))),
    Row(100, "a parameter misspelled", "8", a_send(text(txet={}))),
    Row(100, "a text too long", "2.2", a_send(text("x" * 4097))),
    Row(100, "marketing sent directly", "2.9", a_send(text(category="marketing"))),
    Row(131008, "no recipient", "8", a_send(text(to=None))),
    Row(131009, "a place that is not on earth", "8", a_send(OFF_EARTH)),
    Row(131009, "a button's title too long", "2.7", a_send(LONG_TITLE)),
    Row(131009, "a reaction to nothing", "2.4", a_send(TO_NOTHING), ASYNC),
    Row(131009, "a reaction to a reaction", "2.4", reacted_to_a_reaction, ASYNC),
    Row(131009, "a reaction a month late", "2.4", lambda d: reacted(d, days=31), ASYNC),
    Row(131009, "a reaction to what is gone", "2.4", lambda d: reacted(d, is_gone=True), ASYNC),
    Row(131009, "the id of a group", "groups are out of scope", a_send(text(to="Y2FwaV9ncm91"))),
    Row(100, "a message to a group", "groups are out of scope", a_send(TO_GROUP)),
    Row(131051, "a kind that only people send", "8", a_send(said("order", {}))),
    Row(131053, "a song as a picture", "2.3", a_song_as_a_picture, ASYNC),
    # to whom, from whom, when
    Row(131021, "to oneself", "8", lambda d: a_send(text(to=d.number.display_phone_number))(d)),
    Row(131026, "nobody has this number", "8", a_send(text(to=NOBODY)), ASYNC),
    Row(131026, "nobody has this business-scoped id", "8", a_send(NO_ID), ASYNC),
    Row(131030, "not on the list of a test number", "8, 12", a_send(text(), allow_list={BOB[1:]})),
    Row(131031, "a locked account", "8", a_send(text(), status="BANNED"), 403),
    Row(131037, "a number of Meta's without a name", "8", a_send(text(), **NO_NAME)),
    Row(131042, "no way to pay", "10, 14", not_paid, ASYNC),
    Row(131047, "they never wrote", "10", lambda d: send(d, text())),
    Row(131047, "they wrote a day ago", "10", a_day_later),
    Row(131047, "they never wrote, told late", "2.1, 10", a_day_later_told_late, ASYNC),
    Row(131050, "marketing to who stopped it", "8, 13", an_advertisement_to_who_wants_none, ASYNC),
    Row(130429, "the number's throughput", "9", too_fast_for_the_number, 429),
    Row(131056, "the pair's rate", "9", too_fast_for_the_pair),
    Row(131062, "a code to an id", "4", CODE_TO_ID),
    Row(133005, "another pin", "8, 14", another_pin),
    Row(133006, "a number that is not verified", "8, 14", unverified),
    Row(133010, "a number that is not registered", "8, 14", a_send(text(), status="PENDING")),
    Row(133016, "registered too often", "8, 9", again_and_again),
    Row(80008, "asked too often", "9", asked_too_often),
    # templates
    Row(132000, "too few parameters", "2.8", with_template(sent={"more": body_of(word("a"))})),
    Row(132001, "no such template", "2.8", lambda d: send(d, template("another")), 404),
    Row(132001, "not in this language", "2.8", lambda d: send(d, template(code="fr")), 404),
    Row(132001, "not approved", "2.8", with_template(kept={"status": "PENDING"}), 404),
    Row(132005, "too long with its parameters", "8", LONG),
    Row(132012, "names where there are none", "2.8", NOT_NAMED),
    Row(132012, "no name where there is one", "2.8", UNNAMED),
    Row(132015, "a template that is paused", "8", with_template(kept={"status": "PAUSED"})),
    Row(132016, "a template that is disabled", "8", with_template(kept={"status": "DISABLED"})),
)  # fmt: skip


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.code}-{row.why}".replace(" ", "-"))
async def test_each_refusal_is_provoked_by_what_meta_refuses(
    row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = TurnedClock()
    async with desk(clock=clock) as asking:
        told: list[Update] = []
        monkeypatch.setattr(asking.emulator.delivery, "post", told.append)
        answer = await row.provoke(asking)
        if row.status != ASYNC:
            assert answer.refusal == (row.status, row.code, row.subcode)
            return
        assert answer.status == 200
        await clock.turn(1)
        wamid = answer.body["messages"][0]["id"]
        statuses = [one for update in told for one in update.value.get("statuses", ())]
        (status,) = [one for one in statuses if one["id"] == wamid]
        assert status["status"] == "failed"
        assert [error["code"] for error in status["errors"]] == [row.code]


def test_every_code_that_is_not_only_for_faults_is_in_the_table() -> None:
    assert {row.code for row in TABLE} == {
        kind.code for kind in KINDS.values() if not kind.is_injected
    }
    assert all(row.fact and row.why for row in TABLE)


ON_THE_FACTS_PAGE = {
    *(0, 1, 2, 3, 4, 10, 33, 100, 190, 200, 368, 80007, 80008, 130403, 130429, 130472, 130497),
    *(131000, 131005, 131008, 131009, 131016, 131021, 131026, 131030, 131031, 131037, 131042),
    *(131044, 131045, 131047, 131048, 131049, 131050, 131051, 131052, 131053, 131055, 131056),
    *(131057, 131060, 131062, 131063, 131064, 132000, 132001, 132005, 132007, 132008, 132012),
    *(132015, 132016, 132018, 132068, 132069, 133000, 133004, 133005, 133006, 133008, 133009),
    *(133010, 133015, 133016, 134011, 134100, 134101, 134102, 135000, 137000),
}
"""Section 8, line by line; groups, calls and the block list are out of scope there too."""


def test_every_code_of_the_facts_page_is_provoked_or_played() -> None:
    assert ON_THE_FACTS_PAGE - KINDS.keys() == set()


def test_each_kind_says_where_it_is_from() -> None:
    assert all(kind.fact and kind.title for kind in KINDS.values())


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS.values() if kind.is_injected], ids=lambda kind: str(kind.code)
)
async def test_what_nothing_provokes_is_played_by_a_switch(kind: Kind) -> None:
    async with desk() as asking:
        heard(asking.emulator)
        asking.emulator.faults.set("refuse", value=kind.code)
        answer = await send(asking, text(to=ANN))
        assert answer.refusal == (kind.http_status, kind.code, None)
        assert answer.error["message"] == f"(#{kind.code}) {kind.title}"
        assert not asking.emulator.sending.accepted
