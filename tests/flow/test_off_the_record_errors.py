"""An engine that fails and quotes what it was asked: in the error, its cause, its notes, a task."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from openparallax.plugin import EngineError, Reply, Turn
from openparallax.session.notices import SENTENCES
from tests.canary import Canary, heard_singing
from tests.fakes.engines import FakeEngine
from tests.town import ANN, Town


async def raises_plainly(turn: Turn) -> Reply:
    raise ValueError(turn.text)


async def raises_chained(turn: Turn) -> Reply:
    try:
        raise KeyError(turn.text)  # noqa: TRY301 - the chain is what is wanted
    except KeyError as error:
        raise RuntimeError(f"no answer to {turn.text!r}") from error


async def raises_while_handling(turn: Turn) -> Reply:
    try:
        raise KeyError(turn.text)  # noqa: TRY301 - the same
    except KeyError:
        some = [ValueError(turn.text), OSError(5, turn.text, turn.text)]
        raise ExceptionGroup(turn.text, some)  # noqa: B904 - a context, not a cause


async def raises_ours(turn: Turn) -> Reply:
    try:
        return Reply(text="\ud800".encode().decode())
    except UnicodeEncodeError as error:
        error.object = error.reason = turn.text
        error.add_note(turn.text)
        raise EngineError from error


async def leaves_a_failed_task(turn: Turn) -> Reply:
    asyncio.get_running_loop().create_task(raises_plainly(turn), name=turn.text)
    await asyncio.sleep(0)
    raise LookupError(turn.text)


async def complains_to_the_loop(turn: Turn) -> Reply:
    asyncio.get_running_loop().call_exception_handler(
        {"message": turn.text, "exception": ValueError(turn.text)}
    )
    raise LookupError(turn.text)


@pytest.mark.parametrize(
    "answer",
    [
        raises_plainly,
        raises_chained,
        raises_while_handling,
        raises_ours,
        leaves_a_failed_task,
        complains_to_the_loop,
    ],
)
async def test_an_error_that_quotes_the_words(
    town: Town,
    engine: FakeEngine,
    answer: Callable[[Turn], Awaitable[Reply]],
    capfd: pytest.CaptureFixture[str],
) -> None:
    canary = Canary()
    engine.answer_with = answer
    await town.say(ANN, f"/otr {canary}")
    assert (await town.hears(ANN, 2))[1] == SENTENCES["engine_failed"]
    await town.quiet()
    assert "engine_failed" in town.log.getvalue()
    await town.stop()
    assert heard_singing(town, canary) == []
    out, err = capfd.readouterr()
    assert not canary.found_in((out + err).encode())
