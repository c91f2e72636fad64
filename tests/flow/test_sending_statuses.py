"""Delivery statuses in any order, repeated, early, late, foreign, and what they may change."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.fakes import meta
from tests.fakes.behaviours import Behaviour, http_500_after_accepting
from tests.flow.sending import TurnedTown, is_idle
from tests.town import ANN

GOOD = ("sent", "delivered", "read", "played")


@pytest_asyncio.fixture
async def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TurnedTown]:
    async with TurnedTown(tmp_path, monkeypatch) as town:
        yield town


async def status_of(town: TurnedTown) -> int:
    found = await town.up.database.read(
        lambda c: c.execute("SELECT status FROM parcels ORDER BY number DESC").fetchone()
    )
    return int(found[0])


@pytest.mark.parametrize("order", list(itertools.permutations(("sent", "delivered", "read"))))
async def test_statuses_only_move_a_parcel_up(town: TurnedTown, order: tuple[str, ...]) -> None:
    await town.say(ANN, "hello")
    await town.graph.wait_for(1)
    await town.until(lambda: is_idle(town))
    call = town.graph.calls[0]
    highest = 0
    for state in (*order, *order):
        await town.report(call, state)
        highest = max(highest, GOOD.index(state) + 1)
        assert await status_of(town) == highest
    assert await town.states() == ["ACCEPTED"]


@pytest.mark.parametrize("good", ["delivered", "read", "played"])
@pytest.mark.parametrize("code", [131026, 131047, 130429, 190, 131000])
@pytest.mark.parametrize("is_first", [True, False])
async def test_failed_never_overrides_delivered_in_whatever_order(
    town: TurnedTown, good: str, code: int, *, is_first: bool
) -> None:
    await town.say(ANN, "hello")
    await town.graph.wait_for(1)
    await town.until(lambda: is_idle(town))
    call = town.graph.calls[0]
    said = [("failed", code), (good, None)] if is_first else [(good, None), ("failed", code)]
    items = [
        meta.status(call.wamid, state, callback=call.callback, code=number)
        for state, number in (*said, *said)
    ]
    await town.post(*items)
    await town.turn(400)
    assert await town.states() == ["ACCEPTED"]
    assert town.heard(ANN) == ["hello"]
    await town.until(lambda: is_idle(town))


async def test_sent_that_comes_behind_its_failed_changes_nothing(town: TurnedTown) -> None:
    await town.say(ANN, "hello")
    await town.graph.wait_for(1)
    await town.until(lambda: is_idle(town))
    call = town.graph.calls[0]
    await town.report(call, "failed", 130429)
    await town.report(call, "sent")
    await town.turn(40)
    assert town.heard(ANN) == ["hello", "hello"]
    await town.report(town.graph.calls[1], "delivered")
    assert town.count("statuses", "sent_twice") == 0


async def test_a_failed_status_of_our_number_pauses_it_and_the_message_is_kept(
    town: TurnedTown,
) -> None:
    await town.say(ANN, "hello")
    await town.graph.wait_for(1)
    await town.until(lambda: is_idle(town))
    await town.report(town.graph.calls[0], "failed", 131042)
    assert [line["code"] for line in town.logged("account_paused")] == [131042]
    await town.turn(6)
    assert town.heard(ANN) == ["hello", "hello"]
    # It takes messages and lets each fail: the pauses grow all the same.
    await town.report(town.graph.calls[1], "failed", 131042)
    await town.turn(11)
    await town.report(town.graph.calls[2], "failed", 131042)
    assert [line["wait_s"] for line in town.logged("account_paused")] == [5, 10, 20]


async def test_a_status_before_the_sends_own_answer_counts(town: TurnedTown) -> None:
    release = asyncio.Event()
    town.graph.queue(Behaviour(waits_for=release))
    await town.say(ANN, "one")
    await town.graph.wait_for(1)
    await town.say(ANN, "two")
    await town.report(town.graph.calls[0], "sent")
    # The next part does not wait for the first one's answer.
    assert await town.hears(ANN, 2) == ["one", "two"]
    release.set()
    await town.until(lambda: is_idle(town))
    assert await town.states() == ["ACCEPTED", "ACCEPTED"]
    assert len(town.graph.calls) == 2


async def test_a_failed_status_before_the_sends_own_answer_counts(town: TurnedTown) -> None:
    town.graph.queue(town.graph.hang(accepts=True))
    await town.say(ANN, "one")
    await town.graph.wait_for(1)
    await town.say(ANN, "two")
    await town.report(town.graph.calls[0], "failed", 131026)
    assert await town.hears(ANN, 2) == ["one", "two"]
    await town.until(lambda: is_idle(town))
    assert await town.states() == ["FAILED", "ACCEPTED"]


async def test_what_cannot_be_matched_is_counted_and_dropped(town: TurnedTown) -> None:
    town.graph.queue(http_500_after_accepting())
    await town.say(ANN, "hello")
    await town.graph.wait_for(1)
    await town.until(lambda: town.up.outbox.in_flight == 0)
    call = town.graph.calls[0]
    number, _, token = call.callback.partition(".")
    garbage = [
        None,
        "",
        ".",
        "another app's",
        token,
        f"{number}.{'0' * 32}",
        f"{number}.{token[:-1]}",
        f"{number}.{token}0",
        f"{number}.{token.upper()}",
        f"{int(number, 16) + 1:x}.{token}",
        f"-{number}.{token}",
        f"{'f' * 30}.{token}",
        f"{'9' * 5000}.{token}",
        "\u0661.\u0662",
        "x" * 100_000,
    ]
    items = [meta.status(call.wamid, "delivered", callback=one) for one in garbage]
    items.append(
        meta.status(call.wamid, "delivered", callback=call.callback, phone_number_id="999")
    )
    items.append(meta.status(call.wamid, "failed", callback=f"{number}.{'0' * 32}", code=190))
    await town.post(*items)
    assert await town.states() == ["UNKNOWN"]
    assert town.count("statuses", "foreign") == len(items)
    assert not town.logged("account_paused")
    await town.report(call, "delivered")
    assert await town.states() == ["ACCEPTED"]


async def test_a_thousand_statuses_in_one_request(town: TurnedTown) -> None:
    people = [str(4915100000000 + n) for n in range(50)]
    await town.post(*(meta.text(person, "hi") for person in people))
    await town.graph.wait_for(50)
    items = [
        meta.status(call.wamid, state, callback=call.callback)
        for call in town.graph.calls
        for state in ("read", "sent", "delivered", "sent", "played") * 4
    ]
    await town.post(*items)
    await town.until(lambda: is_idle(town))
    assert set(await town.states()) == {"ACCEPTED"}
    assert len(town.graph.calls) == 50
