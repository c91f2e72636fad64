"""A short form of ``scripts/kill-loop``, and what is too rare for it to meet."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from openparallax.session.notices import SENTENCES
from tests.fakes.behaviours import cut_before_accepting
from tests.fakes.engines import FakeEngine, Gate
from tests.flow.kill.killer import Plan
from tests.flow.kill.loop import run
from tests.town import ANN, Town

PLAN = Plan(seed=2, kills=3, pause_s=0.2, long_lives=0.1)


@pytest.mark.slow
async def test_what_was_acknowledged_has_its_outcome_once_and_in_order_through_kills(
    tmp_path: Path,
) -> None:
    outcome = await run(PLAN, tmp_path, print)
    assert outcome.problems == []
    assert outcome.figures["kills"] == PLAN.kills
    assert outcome.figures["messages"] > 100
    assert outcome.figures["sends repeated"] > 0


@pytest.mark.parametrize("ending", ["killed", "read anew"])
async def test_an_answer_in_doubt_is_sent_again_where_a_confirmation_of_otr_crossed_it(
    town: Town, engine: FakeEngine, ending: str
) -> None:
    gate = Gate()
    engine.answer_with = gate
    await town.say(ANN, "hello")
    await town.until(lambda: gate.waiting == 1)
    # The answer is posted, for sending at once, while the confirmation's commit is under way: so
    # the confirmation has the lower number and comes second.
    database: Any = town.up.database
    admit, commit = town.up.door.admit, database._writer._commit

    def admit_and_answer(*arguments: Any, **more: Any) -> Any:
        gate.open()
        return admit(*arguments, **more)

    def commit_slowly() -> None:
        time.sleep(0.05)
        commit()

    town.up.door.admit = admit_and_answer  # type: ignore[method-assign]
    database._writer._commit = commit_slowly

    town.graph.queue(cut_before_accepting())
    await town.say(ANN, "/otr")
    await town.graph.wait_for_calls(1)
    if ending == "killed":
        await town.crash()
        await town.start()
    else:
        town.up.outbox.reload(1)  # as after any status
    assert await town.hears(ANN, 2) == ["hello", SENTENCES["otr"]]


@pytest.mark.parametrize(("before", "words"), [("one moment", "hello"), ("", "/otr hello")])
async def test_a_message_that_the_cursor_could_see_before_it_was_announced_is_answered_once(
    town: Town, engine: FakeEngine, before: str, words: str
) -> None:
    gate = Gate()
    engine.answer_with = gate
    if before:
        await town.say(ANN, before)
        await town.until(lambda: gate.waiting == 1)
    else:
        gate.open()
    # As just after a start: the cursor still reads when a request's commit makes its rows visible,
    # a moment before the loop learns of it and has the words at hand.
    database: Any = town.up.database
    dispatcher = town.up.dispatcher
    admit, ended = town.up.door.admit, database._writer._ended

    def admit_once(*arguments: Any, **more: Any) -> Any:
        town.up.door.admit = admit  # type: ignore[method-assign]
        database._writer._ended = look_then_end
        return admit(*arguments, **more)

    def look_then_end(failed: BaseException | None) -> None:
        database._writer._ended = ended
        dispatcher._cursor.is_behind = True
        dispatcher._cursor._read_soon()
        asyncio.get_running_loop().call_later(0.05, ended, failed)

    town.up.door.admit = admit_once  # type: ignore[method-assign]
    await town.say(ANN, words)
    gate.open()
    answers = 2 if before else 1
    await town.until(lambda: len(engine.asked) == answers)
    await town.say(ANN, "bye")
    await town.until(lambda: town.heard(ANN)[-1:] == ["bye"])
    assert [turn.text for turn in engine.asked[-2:]] == ["hello", "bye"]
    assert SENTENCES["lost"] not in town.heard(ANN)
