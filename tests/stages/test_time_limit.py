import asyncio
import gc
import weakref
from collections.abc import AsyncIterator
from importlib.metadata import entry_points

import pytest
from pydantic import ValidationError

from openparallax.plugin import EngineError, Reply, TooSlow, Turn
from openparallax.stages.time_limit import GRACE_S, TimeLimit
from tests.fakes.clock import TurnedClock
from tests.pipeline.doubles import RecordedLog, make_tools, make_turn


class Engine:
    """Answers when told to, and swallows as many cancellations as it is told to."""

    def __init__(self, *, swallows: int = 0) -> None:
        self.go = asyncio.Event()
        self.swallows = swallows
        self.cancelled = 0
        self.has_ended = False
        self.failure: Exception | None = None

    async def __call__(self, turn: Turn) -> Reply:
        try:
            while True:
                try:
                    await self.go.wait()
                except asyncio.CancelledError:
                    self.cancelled += 1
                    if self.cancelled > self.swallows:
                        raise
                else:
                    if self.failure:
                        raise self.failure
                    return Reply(text="late or not")
        finally:
            self.has_ended = True


class Scene:
    def __init__(self) -> None:
        self.clock = TurnedClock()
        self.log = RecordedLog()
        self.stage = TimeLimit(TimeLimit.Settings(seconds=10), make_tools(self.clock, self.log))
        self.reports: list[dict[str, object]] = []

    def run(self, engine: Engine) -> asyncio.Task[Reply]:
        return asyncio.create_task(self.stage(make_turn("secret words"), engine))


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    """A scene in which asyncio must have nothing to complain of and no timer is left behind."""
    scene = Scene()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: scene.reports.append(context))
    yield scene
    await scene.clock.settle()
    gc.collect()
    await scene.clock.settle()
    assert scene.reports == []
    assert scene.clock.waiting == 0
    assert not scene.stage._abandoned
    assert len(asyncio.all_tasks()) == 1


async def test_an_answer_in_time_passes(scene: Scene) -> None:
    engine = Engine()
    running = scene.run(engine)
    await scene.clock.turn(9.9)
    assert not running.done()
    engine.go.set()
    assert (await running).text == "late or not"
    assert scene.log.lines == []


async def test_an_instant_answer_passes(scene: Scene) -> None:
    async def instant(turn: Turn) -> Reply:
        return Reply(text=turn.text)

    assert (await scene.stage(make_turn("hi"), instant)).text == "hi"


async def test_a_slow_engine_is_cancelled(scene: Scene) -> None:
    engine = Engine()
    running = scene.run(engine)
    await scene.clock.turn(10)
    with pytest.raises(TooSlow) as caught:
        await running
    assert engine.cancelled == 1
    assert engine.has_ended
    assert "secret" not in str(caught.value)
    assert caught.value.__context__ is None
    assert scene.log.lines == []


async def test_an_engine_that_swallows_its_cancellation_is_abandoned(scene: Scene) -> None:
    engine = Engine(swallows=1)
    running = scene.run(engine)
    await scene.clock.turn(10)
    assert not running.done()
    await scene.clock.turn(GRACE_S)
    with pytest.raises(TooSlow):
        await running
    assert not engine.has_ended
    assert scene.log.lines == [("warning", "engine_abandoned", {"turn": "turn-1", "count": 1})]
    engine.go.set()  # it may still end: what it says is dropped
    await scene.clock.settle()
    assert engine.has_ended


async def test_what_an_abandoned_engine_raises_is_dropped(scene: Scene) -> None:
    engine = Engine(swallows=1)
    running = scene.run(engine)
    await scene.clock.turn(10 + GRACE_S)
    with pytest.raises(TooSlow):
        await running
    engine.failure = ValueError("secret words")
    engine.go.set()
    await scene.clock.settle()
    assert engine.has_ended


async def test_an_abandoned_engine_is_held_until_it_ends(scene: Scene) -> None:
    engine = Engine(swallows=1)
    held = weakref.ref(engine)
    running = scene.run(engine)
    await scene.clock.turn(10 + GRACE_S)
    with pytest.raises(TooSlow):
        await running
    go = engine.go
    del engine, running
    gc.collect()
    assert held() is not None
    go.set()
    await scene.clock.settle()
    gc.collect()
    assert held() is None


async def test_an_answer_that_comes_in_the_grace_is_too_late(scene: Scene) -> None:
    engine = Engine(swallows=1)
    running = scene.run(engine)
    await scene.clock.turn(10 + GRACE_S / 2)
    engine.go.set()
    with pytest.raises(TooSlow):
        await running
    assert scene.log.lines == []


async def test_an_answer_in_the_same_moment_as_the_limit_counts(scene: Scene) -> None:
    engine = Engine()
    scene.clock.call_later(10, engine.go.set)  # fires first: it was set first
    running = scene.run(engine)
    await scene.clock.turn(10)
    assert (await running).text == "late or not"


@pytest.mark.parametrize("failure", [TimeoutError("its own"), EngineError("its own")])
async def test_an_exception_of_the_engine_passes_unchanged(
    scene: Scene, failure: Exception
) -> None:
    engine = Engine()
    engine.failure = failure
    engine.go.set()
    with pytest.raises(type(failure), match="its own") as caught:
        await scene.run(engine)
    assert caught.value is failure


async def test_cancelling_the_stage_cancels_what_is_inside(scene: Scene) -> None:
    engine = Engine()
    running = scene.run(engine)
    await scene.clock.settle()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert engine.cancelled == 1
    assert engine.has_ended


async def test_cancelling_the_stage_does_not_wait_long_for_a_swallower(scene: Scene) -> None:
    engine = Engine(swallows=1)
    running = scene.run(engine)
    await scene.clock.settle()
    running.cancel()
    await scene.clock.turn(GRACE_S / 2)
    assert not running.done()
    await scene.clock.turn(GRACE_S / 2)
    with pytest.raises(asyncio.CancelledError):
        await running
    engine.go.set()
    await scene.clock.settle()


async def test_cancelling_the_stage_again_ends_the_grace(scene: Scene) -> None:
    engine = Engine(swallows=1)
    running = scene.run(engine)
    await scene.clock.turn(10)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    engine.go.set()
    await scene.clock.settle()


async def test_cancelling_in_the_moment_of_a_failure_is_quiet(scene: Scene) -> None:
    engine = Engine()
    engine.failure = ValueError("secret words")
    running = scene.run(engine)
    await scene.clock.settle()
    engine.go.set()
    await asyncio.sleep(0)  # the engine has failed; the stage has not looked yet
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_turns_have_their_own_time(scene: Scene) -> None:
    first, second = Engine(), Engine()
    one = scene.run(first)
    await scene.clock.turn(6)
    two = scene.run(second)
    await scene.clock.turn(6)
    with pytest.raises(TooSlow):
        await one
    assert not two.done()
    second.go.set()
    assert (await two).text == "late or not"


@pytest.mark.parametrize("seconds", [1, 120.0, 0.25])
def test_settings_take_whole_and_broken_numbers(seconds: float) -> None:
    assert TimeLimit.Settings.model_validate({"seconds": seconds}).seconds == seconds


def test_settings_default_to_two_minutes() -> None:
    assert TimeLimit.Settings().seconds == 120


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan"), "5", True, None])
def test_settings_refuse_what_is_no_time(seconds: object) -> None:
    with pytest.raises(ValidationError):
        TimeLimit.Settings.model_validate({"seconds": seconds})


def test_it_comes_through_the_door() -> None:
    (point,) = entry_points(group="openparallax.stages", name="time_limit")
    assert point.load() is TimeLimit
    assert TimeLimit.keeps_content is False
