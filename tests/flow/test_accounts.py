"""Several of our numbers in one house: each has its own people, limits, secrets and state.

Which number and which token each send came with: ``test_sending_numbers.py``.
"""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from openparallax.dispatch import turn
from openparallax.session.notices import SENTENCES
from tests.canary import Canary, heard_singing
from tests.fakes import behaviours, meta
from tests.fakes.engines import FakeEngine
from tests.flow.records import T0, awake, moment, troubles
from tests.town import ANN, BOB, Town

FIRST, SECOND = meta.PHONE_NUMBER_ID, "2000000000000002"
SECRET = "the_second_ones_secret"
DISPLAYS = {FIRST: "+1 555-000-1111", SECOND: "+55 (11) 98765-4321"}


def changes_for(folder: Path, *, has_second: bool = True, **more: Any) -> dict[str, Any]:
    token, secret = folder / "second.token", folder / "second.secret"
    token.write_text("another")
    secret.write_text(SECRET)
    second = {
        "phone_number_id": SECOND,
        "access_token": f"file:{token}",
        "app_secret": f"file:{secret}",
        "verify_token": "another_verify_token",
        **more,
    }
    return {"channels": {"whatsapp": {"accounts": [second] if has_second else []}}}


async def restart(town: Town, *, has_second: bool = True, **more: Any) -> None:
    town.changes = changes_for(town.folder, has_second=has_second, **more)
    await town.restart()


@pytest_asyncio.fixture
async def town(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: FakeEngine
) -> AsyncIterator[Town]:
    async with Town(tmp_path, monkeypatch, engine=engine, changes=changes_for(tmp_path)) as town:
        town.graph.tokens = {FIRST: "token", SECOND: "another"}
        yield town


def raw_of(*items: meta.Item) -> bytes:
    """One request in which each number of ours has its own digits."""
    body = meta.envelope(*items)
    for change in body["entry"][0]["changes"]:
        metadata = change["value"].get("metadata", {})
        if metadata:
            metadata["display_phone_number"] = DISPLAYS[metadata["phone_number_id"]]
    return meta.dump(body)


async def post(town: Town, *items: meta.Item, secret: str) -> int:
    return await meta.post(town.session, town.url, raw_of(*items), secret)


def sent(town: Town, sender: str = ANN) -> list[tuple[str, str]]:
    return [(one.phone_number_id, one.body) for one in town.graph.accepted if one.to == sender]


def to(number: str, words: str, sender: str = ANN, **more: Any) -> meta.Item:
    return meta.text(sender, words, phone_number_id=number, **more)


async def test_a_secret_speaks_for_its_own_number_only(town: Town, engine: FakeEngine) -> None:
    canary = Canary()
    assert await post(town, to(FIRST, "one"), secret=meta.SECRET) == 200
    assert await post(town, to(SECOND, "two"), secret=SECRET) == 200
    await town.graph.wait_for(2)
    items = [
        to(SECOND, canary.words, BOB),
        meta.echo(ANN, canary.words, phone_number_id=SECOND),
        meta.revoke(ANN, "wamid.x", phone_number_id=SECOND),
        meta.preference(ANN, phone_number_id=SECOND),
        meta.system(ANN, wa_id=BOB, phone_number_id=SECOND),
        to(FIRST, "mine in the same request"),
    ]
    assert await post(town, *items, secret=meta.SECRET) == 200
    await town.graph.wait_for(3)
    await moment(town)
    assert sent(town) == [(FIRST, "one"), (SECOND, "two"), (FIRST, "mine in the same request")]
    assert sent(town, BOB) == []
    assert heard_singing(town, canary) == []
    assert town.up.metrics.value("inbound_unsupported", "not_its_number") == 5
    counts = await town.up.database.read(
        lambda c: [
            c.execute("SELECT count(*) FROM contacts").fetchone()[0],
            c.execute("SELECT max(taken_until) FROM chats").fetchone()[0],
        ]
    )
    assert counts == [2, 0]


async def test_people_limits_and_silence_belong_to_one_number(
    town: Town, engine: FakeEngine
) -> None:
    await restart(
        town,
        allowed_numbers=[ANN],
        rate_limit={"window_seconds": 60, "max_messages": 1},
        presence="typing",
        human_takeover_minutes=1,
    )
    await awake(town)
    now = int(time.time())
    await post(town, to(FIRST, "b", BOB), secret=meta.SECRET)
    await post(town, to(SECOND, "b", BOB), secret=SECRET)
    for place in range(3):
        await post(town, to(FIRST, f"f{place}", at=now - 9), secret=meta.SECRET)
        await post(town, to(SECOND, f"s{place}", at=now - 9), secret=SECRET)
        await moment(town)
    assert sent(town, BOB) == [(FIRST, "b")]
    assert [one for one in sent(town) if one[0] == SECOND] == [
        (SECOND, "s0"),
        (SECOND, SENTENCES["rate_limited"]),
    ]
    assert [one for one in sent(town) if one[0] == FIRST] == [(FIRST, f"f{n}") for n in range(3)]
    assert {one["message_id"] for one in town.graph.reads}
    assert {number for number, _, _ in town.graph.presence} == {SECOND}
    assert engine.asked[-1].chat.account == FIRST
    # A person of the second number takes over there, and nowhere else, and for its own time.
    await post(town, meta.echo(ANN, "hi", at=now - 300, phone_number_id=SECOND), secret=SECRET)
    await post(town, to(SECOND, "silent", at=now - 241), secret=SECRET)
    await post(town, to(FIRST, "f3", at=now - 241), secret=meta.SECRET)
    await post(town, to(SECOND, "over", at=now - 240), secret=SECRET)
    await moment(town)
    assert [body for _, body in sent(town)][-2:] == ["f3", "over"]


async def test_one_is_paused_and_the_other_goes_on(town: Town) -> None:
    town.graph.tokens[SECOND] = "renewed"
    await post(town, to(SECOND, "waits"), secret=SECRET)
    await town.until(lambda: "account_paused" in town.log.getvalue())
    for place in range(3):
        await post(town, to(FIRST, f"{place}"), secret=meta.SECRET)
        await town.graph.wait_for(place + 1)
    assert sent(town) == [(FIRST, str(place)) for place in range(3)]


async def test_our_own_numbers_are_learnt_and_known_after_a_restart(
    town: Town, engine: FakeEngine
) -> None:
    """Two bots that answer each other would never end, in whichever spelling they meet."""
    await post(town, to(SECOND, "hello"), secret=SECRET)
    await town.graph.wait_for(1)
    await town.restart()
    for own in ("5511987654321", "551187654321", "15550001111"):
        await post(town, to(FIRST, "from ourselves", own), secret=meta.SECRET)
    await moment(town)
    assert len(engine.asked) == 1
    assert town.up.metrics.value("inbound", "own_number") == 3
    # A number that is not ours any more is anybody's.
    await restart(town, has_second=False)
    await post(town, to(FIRST, "bought it", "5511987654321"), secret=meta.SECRET)
    await town.graph.wait_for(2)


@pytest.mark.parametrize("words", ["kept", "/status", "/otr"])
async def test_a_number_that_is_not_configured_any_more(
    town: Town, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    """What it owes waits: no other number answers, and it goes on when it is back."""
    monkeypatch.setattr(turn, "LOST_AFTER_S", 0)
    town.up.dispatcher.stop_claiming()  # the daemon ends before it is answered
    await post(town, to(SECOND, words, at=T0 + 1), secret=SECRET)
    await post(town, to(SECOND, "and this", at=T0 + 2), secret=SECRET)
    await restart(town, has_second=False)
    commits = town.up.database._writer._commits
    await post(town, to(FIRST, "hello"), secret=meta.SECRET)
    # Signed by nobody we know; and, where the first one's app signs it, for nobody we serve.
    assert await post(town, to(SECOND, "more"), secret=SECRET) == 401
    assert await post(town, to(SECOND, "more"), secret=meta.SECRET) == 200
    await town.until(lambda: (FIRST, "hello") in sent(town))
    for _ in range(5):
        await town.post(meta.status("wamid.nobodys"))
    await town.until(lambda: town.up.dispatcher.running == 0)
    assert town.up.database._writer._commits - commits < 40, "it runs in circles"
    # The confirmation of /otr goes out at once, unless that was too late.
    assert {body for number, body in sent(town) if number == SECOND} <= {SENTENCES["otr"]}
    assert troubles(town) == []
    assert "foreign_number_ignored" in town.log.getvalue()
    await restart(town)
    last = SENTENCES["lost"] if words == "/otr" else "and this"
    await town.until(lambda: any(last in body for _, body in sent(town)))
    assert {number for number, body in sent(town) if body != "hello"} == {SECOND}
    assert troubles(town) == []


async def test_a_dead_number_of_a_contact_of_both(town: Town) -> None:
    """131026 for one of our numbers says nothing about the other."""
    town.graph.queue(behaviours.error(131026))
    await post(town, to(SECOND, "lost"), secret=SECRET)
    await town.until(lambda: "parcel_failed" in town.log.getvalue())
    await post(town, to(FIRST, "heard"), secret=meta.SECRET)
    await town.graph.wait_for(1)
    assert sent(town) == [(FIRST, "heard")]
