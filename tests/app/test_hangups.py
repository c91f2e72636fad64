"""SIGHUP is remembered, leads somewhere, and is ignored: at no moment does it end the process."""

import asyncio
import atexit
import os
import signal
from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

import pytest

from openparallax.app.daemon import Reloading
from openparallax.app.hangups import Hangups, ignore
from openparallax.app.house import House


@pytest.fixture(params=[signal.SIG_DFL, signal.SIG_IGN], ids=["plain", "nohup"])
def hangups(request: pytest.FixtureRequest) -> Iterator[Hangups]:
    before = signal.signal(signal.SIGHUP, request.param)
    yield Hangups()
    signal.signal(signal.SIGHUP, before)
    atexit.unregister(ignore)


def hang_up() -> None:
    os.kill(os.getpid(), signal.SIGHUP)


def test_from_the_first_to_the_last(hangups: Hangups) -> None:
    begun: list[int] = []
    hangups.hold()
    hang_up()
    hang_up()
    with hangups.leading_to(lambda: begun.append(1)):
        assert len(begun) == 1
        hang_up()
        assert len(begun) == 2
    hang_up()
    assert len(begun) == 2
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN  # the interpreter's end leaves it so


async def test_many_at_once_are_two_reloads() -> None:
    """One is reading, perhaps too early; the one behind it reads what it is by then."""
    may_end, reasons = asyncio.Event(), list[str]()

    async def reload(why: str) -> None:
        reasons.append(why)
        await may_end.wait()

    house = SimpleNamespace(reload=SimpleNamespace(reload=reload))
    reloading = Reloading(cast("House", house))
    for _ in range(5):
        reloading.begin()
    may_end.set()
    await asyncio.wait(reloading._tasks)
    reloading.begin()
    await asyncio.wait(reloading._tasks)
    assert reasons == ["SIGHUP"] * 3


def test_none_came(hangups: Hangups) -> None:
    begun: list[int] = []
    hangups.hold()
    with hangups.leading_to(lambda: begun.append(1)):
        assert begun == []
