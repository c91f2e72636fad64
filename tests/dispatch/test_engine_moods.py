"""Whatever an engine does, its person is told and nobody else notices."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from openparallax.dispatch import advancing
from openparallax.errors import NotStored
from openparallax.plugin import EngineError, Reply, TooSlow, Turn
from openparallax.session.notices import SENTENCES
from openparallax.storage import Connection, chats
from tests.fakes import meta
from tests.fakes.engines import FakeEngine, Gate
from tests.town import ANN, BOB, Town

FAILED = SENTENCES["engine_failed"]
BARE: dict[str, Any] = {"pipeline": []}
"""No time limit, and so no task between the turn and the engine."""


class PanicException(BaseException):
    """What a library in Rust raises: no Exception."""


class RefusedError(EngineError):
    """made up"""


def raises(error: BaseException) -> Callable[[Turn], Awaitable[Reply]]:
    async def answer(turn: Turn) -> Reply:
        raise error

    return answer


def returns(reply: object) -> Callable[[Turn], Awaitable[Any]]:
    async def answer(turn: Turn) -> object:
        return reply

    return answer


async def cancels_itself(turn: Turn) -> Reply:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(0)
    return Reply(text="never")


async def is_cancelled_inside(turn: Turn) -> Reply:
    inner = asyncio.ensure_future(asyncio.sleep(10))
    inner.cancel()
    await inner
    return Reply(text="never")


MOODS = {
    "raises": (raises(ValueError("xyzzy")), FAILED),
    "refuses": (raises(RefusedError()), FAILED),
    "too slow by itself": (raises(TooSlow()), SENTENCES["too_slow"]),
    "a group": (raises(ExceptionGroup("xyzzy", [ValueError("xyzzy")])), FAILED),
    "panics": (raises(PanicException("xyzzy")), FAILED),
    "nothing": (returns(Reply(text="")), FAILED),
    "blank": (returns(Reply(text=" \n\u00a0")), FAILED),
    "no reply": (returns(None), FAILED),
    "a string": (returns("xyzzy"), FAILED),
    "a number": (returns(Reply(text=5)), FAILED),  # type: ignore[arg-type]
    "cancelled": (raises(asyncio.CancelledError()), FAILED),
    "cancelled inside": (is_cancelled_inside, FAILED),
    "cancels itself": (cancels_itself, FAILED),
}


@pytest.mark.parametrize("changes", [None, BARE], ids=["limited", "bare"])
@pytest.mark.parametrize("mood", MOODS)
async def test_told_once_and_the_message_stays_in_history(
    town: Town, engine: FakeEngine, mood: str, changes: dict[str, Any] | None
) -> None:
    town.changes = changes
    await town.restart()
    engine.answer_with, said = MOODS[mood]
    await town.say(ANN, "first")
    assert await town.hears(ANN, 1) == [said]
    await town.quiet()
    engine.answer_with = FakeEngine().answer_with
    await town.say(ANN, "second")
    assert await town.hears(ANN, 2) == [said, "second"]
    assert [turn.text for turn in engine.asked] == ["first", "second"]
    assert [(s.role, s.text) for s in engine.asked[1].history] == [("contact", "first")]
    assert "xyzzy" not in town.log.getvalue()
    assert "turn_broke" not in town.log.getvalue()


async def test_silence_on_purpose(town: Town, engine: FakeEngine) -> None:
    engine.answer_with = returns(Reply(text=None))
    await town.say(ANN, "hello")
    await town.until(lambda: bool(engine.asked))
    await town.quiet()
    engine.answer_with = FakeEngine().answer_with
    await town.restart()
    await town.say(ANN, "again")
    assert await town.hears(ANN, 1) == ["again"]
    assert len(engine.asked) == 2


@pytest.mark.parametrize("text", ["half a pair \ud83d", "\udc00", "a\x00b"])
async def test_what_no_file_or_wire_can_take_is_no_endless_loop(
    town: Town, engine: FakeEngine, text: str
) -> None:
    """The engine must not be asked again and again, nor the chat be stuck behind it."""
    engine.answer_with = returns(Reply(text=text))
    await town.say(ANN, "first")
    await town.hears(ANN, 1)
    await town.quiet()
    assert len(engine.asked) == 1
    assert not any("\ud800" <= letter < "\ue000" for letter in "".join(town.heard(ANN)))
    engine.answer_with = FakeEngine().answer_with
    await town.say(ANN, "second")
    assert (await town.hears(ANN, 2))[1] == "second"
    await town.quiet()


async def test_sixty_thousand_characters(town: Town, engine: FakeEngine) -> None:
    words = [f"word{n:05}" for n in range(6000)]
    engine.answer_with = returns(Reply(text=" ".join(words)))
    await town.say(ANN, "at length")
    await town.until(lambda: " ".join(town.heard(ANN)).split() == words)
    parts = town.heard(ANN)
    assert len(parts) == 15
    assert max(map(len, parts)) <= 4096
    await town.quiet()
    await town.say(ANN, "more")
    await town.until(lambda: len(engine.asked) == 2)
    assert [s.text for s in engine.asked[1].history] == ["at length", " ".join(words)]


async def test_one_that_hangs(town: Town, engine: FakeEngine) -> None:
    town.changes = {"pipeline": [{"time_limit": {"seconds": 0.2}}]}
    await town.restart()
    gate = Gate()
    engine.answer_with = gate
    await town.say(ANN, "first")
    assert await town.hears(ANN, 1) == [SENTENCES["too_slow"]]
    assert engine.running == 0


async def test_one_that_does_not_heed_its_cancellation(town: Town, engine: FakeEngine) -> None:
    """Its turn ends all the same, and so does the daemon."""
    town.changes = {
        "pipeline": [{"time_limit": {"seconds": 0.05}}],
        "conversation": {"drain_seconds": 0.1},
    }
    await town.restart()
    release = asyncio.Event()

    async def stubborn(turn: Turn) -> Reply:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        return Reply(text="far too late")

    engine.answer_with = stubborn
    await town.say(ANN, "first")
    assert await town.hears(ANN, 1, timeout_s=15) == [SENTENCES["too_slow"]]
    engine.answer_with = FakeEngine().answer_with
    await town.say(BOB, "hello")
    assert await town.hears(BOB, 1) == ["hello"]
    release.set()
    await town.until(lambda: engine.running == 0)
    await town.quiet()
    assert town.heard(ANN) == [SENTENCES["too_slow"]]


async def test_one_chat_s_trouble_is_not_another_s(town: Town, engine: FakeEngine) -> None:
    gate = Gate()

    async def answer(turn: Turn) -> Reply:
        if turn.text == "hang":
            return await gate(turn)
        if turn.text == "fail":
            raise ValueError
        return Reply(text=turn.text)

    engine.answer_with = answer
    people = [str(4915100000000 + n) for n in range(9)]
    await town.post(*(meta.text(p, ("hang", "fail", "fine")[n % 3]) for n, p in enumerate(people)))
    for n, person in enumerate(people):
        if n % 3:
            assert await town.hears(person, 1) == [FAILED if n % 3 == 1 else "fine"]
    assert gate.waiting == 3
    gate.open()
    for person in people[::3]:
        assert await town.hears(person, 1) == ["hang"]


async def test_a_surprise_at_a_turn_s_end_holds_no_place_in_the_outbox(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever ended the transaction: what it had reserved is free for the next try."""
    monkeypatch.setattr(advancing, "RETRY_S", 0.01)
    address_of, surprises = chats.address_of, [ValueError("made up")]

    def surprising(connection: Connection, chat: int) -> str:
        if surprises:
            raise surprises.pop()
        return address_of(connection, chat)

    monkeypatch.setattr(chats, "address_of", surprising)
    await town.say(ANN, "first")
    assert await town.hears(ANN, 1) == ["first"]
    await town.quiet()
    assert not surprises


async def test_an_answer_outlives_a_file_that_cannot_be_read(
    town: Town, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A late /otr moves the message meanwhile; the engine is not asked again for that."""
    monkeypatch.setattr(advancing, "RETRY_S", 0.01)
    now = int(town.clock.now())
    gate = Gate()
    engine.answer_with = gate
    await town.post(meta.text(ANN, "first", at=now))
    await town.until(lambda: gate.waiting == 1)
    await town.post(meta.text(ANN, "/otr", at=now - 5))
    await town.hears(ANN, 1)
    read, refusals = town.up.database.read, [NotStored()]

    async def refusing(work: Callable[..., Any]) -> Any:
        if refusals:
            raise refusals.pop()
        return await read(work)

    monkeypatch.setattr(town.up.database, "read", refusing)
    gate.open()
    assert (await town.hears(ANN, 2))[1] == "first"
    await town.quiet()
    assert not refusals
    assert len(engine.asked) == 1


async def test_a_turn_that_breaks_in_our_hands_is_not_asked_for_ever(
    town: Town, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(advancing, "RETRY_S", 0.01)
    finisher: Any = town.up.dispatcher._advancing._take_turn.__self__._finisher  # type: ignore[attr-defined]
    write, broken = finisher._write, []

    async def breaks(*arguments: Any) -> Any:
        if arguments[3].notice != "killed":
            broken.append(arguments)
            raise RuntimeError("nobody foresaw this")
        return await write(*arguments)

    monkeypatch.setattr(finisher, "_write", breaks)
    await town.say(ANN, "hello")
    assert await town.hears(ANN, 1) == [SENTENCES["killed"]]
    assert len(broken) == len(engine.asked) == advancing.MOST_SURPRISES
    await town.say(BOB, "hello")
    monkeypatch.undo()
    await town.hears(BOB, 1)
