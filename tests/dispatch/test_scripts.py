"""For any script each chat gets its outcomes once and in order."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openparallax.dispatch import advancing, cursor
from tests.app.patience import until
from tests.dispatch.script import COMMANDS, OFF_THE_RECORD, PEOPLE, WORDS, Play
from tests.fakes.engines import FakeEngine
from tests.town import Town

CHANGES: dict[str, Any] = {
    "outbox": {"messages_per_second": None, "pair_burst": None, "receipt_wait_seconds": 0.02},
    "conversation": {"max_concurrent_turns": 2, "drain_seconds": 1},
}
MOST_CRASHES = 2
"""With a third one, a turn that ran at each of them ends with the apology."""


def requests(words: list[str]) -> st.SearchStrategy[Any]:
    said = st.tuples(st.integers(0, len(PEOPLE) - 1), st.sampled_from(words))
    return st.tuples(st.just("request"), st.lists(said, min_size=1, max_size=6))


REPEAT = st.tuples(st.just("repeat"), st.integers(0, 20))
WAIT = st.tuples(st.just("wait"), st.sampled_from([0.0, 0.005, 0.03]))
CRASH = st.tuples(st.just("crash"), st.none())
RESTART = st.tuples(st.just("restart"), st.none())

CALM = st.lists(requests(WORDS + COMMANDS + OFF_THE_RECORD) | REPEAT | WAIT, max_size=12)
WILD = st.lists(requests(WORDS + COMMANDS) | REPEAT | WAIT | CRASH | RESTART, max_size=12)


async def play(script: list[tuple[str, Any]], coalesce: str) -> None:
    engine = FakeEngine()
    changes = CHANGES | {"conversation": CHANGES["conversation"] | {"coalesce": coalesce}}
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(cursor, "ROOM", 8)
        monkeypatch.setattr(cursor, "PAGE", 3)
        monkeypatch.setattr(advancing, "RETRY_S", 0.02)
        monkeypatch.setattr(cursor, "RETRY_S", 0.02)
        async with Town(Path(folder), monkeypatch, engine=engine, changes=changes) as town:
            stage, crashes = Play(town, engine), 0
            for what, how in script:
                if what == "request":
                    await stage.request(how)
                elif what == "repeat":
                    await stage.repeat(how)
                elif what == "wait":
                    await asyncio.sleep(how)
                elif what == "restart":
                    await town.restart()
                elif (crashes := crashes + 1) <= MOST_CRASHES:
                    await town.crash()
                    await town.start()
            await settled(town)
            stage.check()
            if coalesce == "none":
                assert all("\n" not in turn.text for turn in engine.asked)


async def settled(town: Town) -> None:
    """Until all that was said has its outcome on disk, and nothing is to be sent any more."""
    house = town.up

    async def is_all_done() -> bool:
        left = await house.database.read(
            lambda c: c.execute(
                "SELECT 1 FROM envelopes UNION SELECT 1 FROM parcels WHERE state < 10 LIMIT 1"
            ).fetchone()
        )
        return left is None

    await until(is_all_done)
    await town.quiet()


@given(CALM, st.sampled_from(["queued", "none"]))
@settings(max_examples=20, deadline=None)
def test_with_commands_and_failures(script: list[tuple[str, Any]], coalesce: str) -> None:
    asyncio.run(play(script, coalesce))


@given(WILD, st.sampled_from(["queued", "none"]))
@settings(max_examples=15, deadline=None)
def test_with_crashes_and_restarts(script: list[tuple[str, Any]], coalesce: str) -> None:
    asyncio.run(play(script, coalesce))
