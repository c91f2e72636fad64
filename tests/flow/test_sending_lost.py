"""Words off the record that went with the process while their parts were waiting."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from openparallax.session.notices import SENTENCES
from tests.fakes.behaviours import cut_before_accepting, error
from tests.flow.sending import TurnedTown, is_idle
from tests.town import ANN


@pytest_asyncio.fixture
async def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TurnedTown]:
    async with TurnedTown(tmp_path, monkeypatch) as town:
        yield town


async def test_the_person_is_told_once_even_if_that_needs_several_attempts(
    town: TurnedTown,
) -> None:
    await town.say(ANN, "/otr")
    await town.hears(ANN, 1)
    town.graph.queue(error(131056), error(131056), cut_before_accepting())
    await town.say(ANN, "secret " * 1500)
    await town.graph.wait_for_calls(2)
    await town.crash()
    await town.start()
    await town.turn(60)
    assert town.heard(ANN)[1:] == [SENTENCES["lost"]]
    await town.until(lambda: is_idle(town))
    assert await town.states() == ["ACCEPTED", "ACCEPTED", "LOST", "LOST"]
    assert b"secret" not in town.written()


async def test_the_confirmation_of_otr_is_said_again_not_lost(town: TurnedTown) -> None:
    town.graph.queue(error(131056))
    await town.say(ANN, "/otr")
    await town.graph.wait_for_calls(1)
    await town.until(lambda: not town.up.outbox.in_flight)
    await town.crash()
    await town.start()
    await town.turn(10)
    assert town.heard(ANN) == [SENTENCES["otr"]]
    assert await town.states() == ["ACCEPTED"]
