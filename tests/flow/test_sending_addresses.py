"""Where answers go: ids instead of numbers, and numbers that have two spellings."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.fakes import meta
from tests.fakes.behaviours import error, ok
from tests.flow.sending import TurnedTown, is_idle

US_ID = "US.13491208655302741918"
GIVEN, OTHER = "5531987654321", "553187654321"


@pytest_asyncio.fixture
async def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TurnedTown]:
    async with TurnedTown(tmp_path, monkeypatch) as town:
        yield town


async def test_who_has_no_number_is_answered_by_id(town: TurnedTown) -> None:
    await town.post(meta.text(None, "hello", user_id=US_ID))
    assert await town.hears(US_ID, 1) == ["hello"]
    (call,) = town.graph.calls
    assert call.request["recipient"] == US_ID
    assert "to" not in call.request
    await town.until(lambda: is_idle(town))
    await town.report(call, "delivered")
    assert await town.states() == ["ACCEPTED"]
    assert town.count("statuses", "delivered") == 1


async def test_the_spelling_that_works_serves_the_next_answer_and_the_next_process(
    town: TurnedTown,
) -> None:
    town.plan_with(lambda call: error(131026) if call.to == GIVEN else ok())
    await town.say(GIVEN, "one")
    assert await town.hears(OTHER, 1) == ["one"]
    # Meta goes on giving the one that does not work.
    await town.say(GIVEN, "two")
    assert await town.hears(OTHER, 2) == ["one", "two"]
    await town.restart()
    await town.say(GIVEN, "three")
    assert await town.hears(OTHER, 3) == ["one", "two", "three"]
    assert [call.to for call in town.graph.calls] == [GIVEN, OTHER, OTHER, OTHER]
    log = town.log.getvalue()
    assert GIVEN not in log
    assert OTHER not in log


async def test_where_neither_works_each_answer_fails_once(town: TurnedTown) -> None:
    town.plan_with(lambda call: error(131026))
    await town.say(GIVEN, "one")
    await town.until(lambda: len(town.logged("parcel_failed")) == 1)
    await town.say(GIVEN, "two")
    await town.until(lambda: len(town.logged("parcel_failed")) == 2)
    assert [call.to for call in town.graph.calls] == [GIVEN, OTHER, GIVEN]
    assert await town.states() == ["FAILED", "FAILED"]


async def test_a_failed_status_leads_to_the_other_spelling(town: TurnedTown) -> None:
    await town.say(GIVEN, "one")
    assert await town.hears(GIVEN, 1) == ["one"]
    await town.until(lambda: is_idle(town))
    await town.report(town.graph.calls[0], "failed", 131026)
    assert await town.hears(OTHER, 1) == ["one"]
    await town.say(GIVEN, "two")
    assert await town.hears(OTHER, 2) == ["one", "two"]
    assert town.count("statuses", "other_spelling") == 1
    assert not town.logged("parcel_failed")
