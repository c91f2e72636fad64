"""A late ``/otr`` in the very moment in which somebody else reads what it moves."""

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from openparallax.model.envelope import Envelope
from openparallax.storage import Connection, envelopes, transcripts
from tests.canary import Canary, heard_singing
from tests.fakes import meta
from tests.fakes.engines import FakeEngine, Gate
from tests.town import ANN, Town

T0 = int(time.time()) - 600


class Pause:
    """A place on the reading thread where the test holds it up."""

    def __init__(self) -> None:
        self.is_armed = False
        self.reached = threading.Event()
        self._go_on = threading.Event()

    def here(self) -> None:
        if self.is_armed:
            self.is_armed = False
            self.reached.set()
            assert self._go_on.wait(10)

    def go_on(self) -> None:
        self._go_on.set()


@pytest.fixture
def pause() -> Iterator[Pause]:
    pause = Pause()
    yield pause
    pause.go_on()


async def late_otr(town: Town, pause: Pause) -> None:
    """Deliver ``/otr`` while the reader stands still, and let it go on after the commit."""
    await town.until(pause.reached.is_set)
    posted = asyncio.ensure_future(town.meta.deliver(meta.text(ANN, "/otr", at=T0 + 10)))
    await town.until(lambda: bool(town.up.volatile.sessions()))
    pause.go_on()
    await posted


async def test_the_table_was_read_before_and_taken_after(
    town: Town, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, pause: Pause
) -> None:
    """After a start the dispatcher catches up: what it has read is stale when it comes."""
    canary = Canary()
    gate = Gate()
    engine.answer_with = gate
    await town.say(ANN, canary.words, at=T0 + 20)
    await town.until(lambda: gate.waiting == 1)
    await town.crash()
    gate.open()
    after = envelopes.after

    def slow(connection: Connection, number: int, most: int) -> list[Envelope]:
        found = after(connection, number, most)
        pause.here()
        return found

    monkeypatch.setattr(envelopes, "after", slow)
    pause.is_armed = True
    await town.start()
    await late_otr(town, pause)
    await town.until(lambda: canary.words in town.heard(ANN))
    await town.quiet()
    assert heard_singing(town, canary) == []


async def test_the_history_was_read_before_and_used_after(
    town: Town, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, pause: Pause
) -> None:
    """The engine may see it, in a turn that is off the record by then; the disk may not."""
    canary, old = Canary(), Canary()
    await town.say(ANN, canary.words, at=T0 + 20)
    await town.hears(ANN, 1)
    await town.restart()
    history = transcripts.history

    def slow(connection: Connection, *rest: int) -> object:
        found = history(connection, *rest)  # type: ignore[arg-type]
        pause.here()
        return found

    monkeypatch.setattr(transcripts, "history", slow)
    pause.is_armed = True
    await town.say(ANN, old.words, at=T0 + 5)
    await late_otr(town, pause)
    await town.until(lambda: old.words in town.heard(ANN))
    await town.quiet()
    assert heard_singing(town, canary) == []
    await town.say(ANN, "/otr off", at=T0 + 30)
    await town.say(ANN, "back", at=T0 + 31)
    await town.until(lambda: "back" in town.heard(ANN))
    assert not any(canary.core in said.text for said in engine.asked[-1].history)


async def test_the_words_were_read_before_and_asked_after(
    town: Town, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, pause: Pause
) -> None:
    canary = Canary()
    gate = Gate()
    engine.answer_with = gate
    await town.say(ANN, canary.words, at=T0 + 20)
    await town.until(lambda: gate.waiting == 1)
    await town.crash()
    gate.open()
    read = transcripts.read

    def slow(connection: Connection, turn: int, part: int) -> object:
        found = read(connection, turn, part)
        pause.here()
        return found

    monkeypatch.setattr(transcripts, "read", slow)
    pause.is_armed = True
    await town.start()
    await late_otr(town, pause)
    await town.until(lambda: canary.words in town.heard(ANN))
    await town.quiet()
    assert heard_singing(town, canary) == []
    assert town.heard(ANN).count(canary.words) == 1


@pytest.mark.parametrize("count", [1, 7])
@pytest.mark.parametrize("is_turn_first", [True, False])
async def test_in_the_same_group_commit_as_the_turn(
    town: Town, engine: FakeEngine, count: int, *, is_turn_first: bool
) -> None:
    """The turn's write and ``/otr`` wait for the disk together, in both orders."""
    canaries = [Canary() for _ in range(count)]
    people = {str(4915200000000 + place): canary for place, canary in enumerate(canaries)}
    gate = Gate()
    engine.answer_with = gate
    for person, canary in people.items():
        await town.say(person, canary.words, at=T0 + 20)
    await town.until(lambda: gate.waiting == count)
    database = town.up.database
    begin = database._writer._begin
    database._writer._begin = lambda: None  # type: ignore[method-assign]
    late = [meta.text(person, "/otr", at=T0 + 10) for person in people]
    if is_turn_first:
        gate.open()
        await town.until(lambda: len(database._writer._waiting) >= count)
    waiting = len(database._writer._waiting)
    posted = asyncio.ensure_future(town.meta.deliver(*late))
    await town.until(lambda: len(database._writer._waiting) > waiting)
    gate.open()
    await town.until(lambda: len(database._writer._waiting) > count)
    database._writer._begin = begin  # type: ignore[method-assign]
    begin()
    await posted
    assert heard_singing(town, *canaries) == []
    await town.until(lambda: all(c.words in town.heard(p) for p, c in people.items()))
    await town.quiet()
    assert heard_singing(town, *canaries) == []
