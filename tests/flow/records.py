"""Both modes, one after the other: what holds on the record holds off it too."""

import asyncio
import itertools
import json
import time
from typing import Any

import pytest

from openparallax.plugin import Reply, Turn
from openparallax.session.notices import SENTENCES
from tests.canary import Canary, heard_singing
from tests.town import ANN, Town

T0 = int(time.time()) - 600
both_modes = pytest.mark.parametrize("mode", ["on the record", "off the record"])


async def awake(town: Town) -> None:
    """Wait until the house has read what an earlier process left.

    Messages that come before are read from the table, without the id that presence needs.
    """
    await town.until(lambda: not town.up.dispatcher._cursor.is_behind)


async def begin(town: Town, mode: str, sender: str = ANN) -> None:
    """Say hello on the record, or go off it, at `T0`; nothing of it is left to be heard."""
    await awake(town)
    if mode == "off the record":
        await town.say(sender, "/otr", at=T0)
        assert (await town.hears(sender, 1))[-1] == SENTENCES["otr"]
    else:
        await town.say(sender, "hello", at=T0)
        await town.hears(sender, 1)
    await town.quiet()
    town.graph.accepted.clear()


def assert_kept_as(mode: str, town: Town, canary: Canary) -> None:
    """Written down, or nowhere."""
    if mode == "off the record":
        assert heard_singing(town, canary) == []
    else:
        assert canary.core.encode() in town.written()


def logged(town: Town, event: str) -> list[dict[str, Any]]:
    """The log's lines of one event."""
    lines = [json.loads(line) for line in town.log.getvalue().splitlines()]
    return [line for line in lines if line["event"] == event]


def troubles(town: Town) -> list[dict[str, Any]]:
    """The log's lines that nobody should see."""
    lines = [json.loads(line) for line in town.log.getvalue().splitlines()]
    return [line for line in lines if line["level"] == "error" or "exception" in line]


async def moment(town: Town) -> None:
    """Let the house do what it would do: a commit and an answer of Graph's take less."""
    for _ in itertools.repeat(None, 4):
        await asyncio.sleep(0.01)
        await town.quiet()


async def noted(turn: Turn) -> Reply:
    """An answer that repeats nothing of what was said."""
    del turn
    return Reply(text="noted")
