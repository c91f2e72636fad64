"""How signals end a run."""

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from openparallax.app.dev.ending import Ending


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """As they were, whatever a test leaves; and heeded, also where the tests run beneath nohup."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        if before[number] is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Work:
    """Something that runs until it is told to end, and takes its time over it."""

    def __init__(self) -> None:
        self.is_up = False
        self.ended = False
        self.closing = asyncio.Event()

    async def run(self) -> int:
        try:
            await asyncio.Event().wait()
        finally:
            await self.closing.wait()
            self.ended = True
        return 0


async def run(work: Work, hurried: list[int]) -> int:
    def hurry() -> None:
        hurried.append(1)
        work.closing.set()

    with Ending() as ending:
        ending.on_hurry = hurry
        return await ending.rules(work.run(), lambda: work.is_up)


@pytest.mark.parametrize(("is_up", "code"), [(True, 0), (False, 130)])
async def test_the_first_is_heeded_in_order_and_the_next_hurries(*, is_up: bool, code: int) -> None:
    work, hurried = Work(), list[int]()
    work.is_up = is_up
    running = asyncio.create_task(run(work, hurried))
    await asyncio.sleep(0)
    os.kill(os.getpid(), signal.SIGINT)
    await asyncio.sleep(0.01)
    assert not running.done()
    assert hurried == []
    os.kill(os.getpid(), signal.SIGTERM)
    assert await running == code
    assert (work.ended, hurried) == (True, [1])
    os.kill(os.getpid(), signal.SIGTERM)  # too late to change anything


async def test_what_the_work_returns_or_raises_is_passed_on() -> None:
    async def seven() -> int:
        return 7

    async def fail() -> int:
        raise LookupError

    with Ending() as ending:
        assert await ending.rules(seven(), lambda: True) == 7
        with pytest.raises(LookupError):
            await ending.rules(fail(), lambda: True)
    assert signal.getsignal(signal.SIGINT) is not signal.SIG_IGN


async def test_one_that_is_cancelled_ends_its_work() -> None:
    work = Work()
    work.closing.set()
    running = asyncio.create_task(run(work, []))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running])
    assert running.cancelled()
    assert work.ended


async def test_what_nohup_ignores_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with Ending() as ending:
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0.01)
        assert not ending.asked.is_set()
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
