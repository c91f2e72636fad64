"""What waits on a number that nobody serves goes on when somebody does, wherever the cursor is."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from openparallax.clock import SystemClock
from openparallax.dispatch.aside import Aside
from openparallax.dispatch.dispatcher import Dispatcher
from openparallax.dispatch.lane import Taken
from openparallax.errors import NotStored
from openparallax.model.envelope import Envelope, Move
from openparallax.model.session import Mode, Session
from openparallax.model.text import SessionId
from tests.app.patience import until
from tests.dispatch.test_outage import envelope
from tests.pipeline.doubles import RecordedLog

Read = Callable[[object], Awaitable[Sequence[Envelope]]]


class Turns:
    """Takes turns where the number is served."""

    def __init__(self) -> None:
        self.is_served = False
        self.groups: list[list[int]] = []

    async def take(self, group: Sequence[Envelope], **_: object) -> tuple[Taken, int]:
        self.groups.append([one.number for one in group])
        return (Taken.DONE if self.is_served else Taken.ASIDE), len(group)


def made(turns: Turns, read: Read, *, coalesces: bool = True) -> Dispatcher:
    """A dispatcher that is far behind: what comes now is taken before its turn in the table."""
    dispatcher = Dispatcher(
        database=cast("Any", SimpleNamespace(read=read)),
        take_turn=turns.take,
        interrupt=lambda _: None,
        clock=SystemClock(),
        log=RecordedLog(),
        most_turns=1,
        coalesces=coalesces,
        is_sending=lambda _: False,
    )
    dispatcher._cursor._taken = 10
    dispatcher._cursor._unread.is_known = True
    return dispatcher


async def test_what_was_taken_before_the_cursor_reached_it_goes_on() -> None:
    turns = Turns()

    async def read(_work: object) -> list[Envelope]:
        return [envelope(20, 1), envelope(21, 1)]

    dispatcher = made(turns, read, coalesces=False)
    dispatcher.admitted([envelope(20, 1), envelope(21, 1)], [])
    await until(lambda: dispatcher.waiting == 0)
    assert turns.groups == [[20]]  # the other one goes to the same number
    turns.is_served = True
    dispatcher.serve_again()
    await until(lambda: len(turns.groups) == 3)
    assert turns.groups[1:] == [[20], [21]]
    await until(lambda: 1 not in dispatcher._lanes)


async def test_a_disk_that_refuses_is_asked_again() -> None:
    turns, asked = Turns(), 0

    async def read(_work: object) -> list[Envelope]:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise NotStored("no")
        return [envelope(20, 1)]

    dispatcher = made(turns, read)
    dispatcher.admitted([envelope(20, 1)], [])
    await until(lambda: dispatcher.waiting == 0)
    turns.is_served = True
    dispatcher.serve_again()
    await until(lambda: turns.groups == [[20], [20]])


async def test_what_ends_or_moves_while_it_is_read_is_read_again() -> None:
    reads: list[asyncio.Future[list[Envelope]]] = []

    async def read(_work: object) -> list[Envelope]:
        reads.append(asyncio.get_running_loop().create_future())
        return await reads[-1]

    turns = Turns()
    dispatcher = made(turns, read)
    dispatcher.admitted([envelope(20, 1), envelope(21, 1)], [])
    await until(lambda: dispatcher.waiting == 0)
    turns.is_served = True
    dispatcher.serve_again()
    await until(lambda: len(reads) == 1)
    dispatcher.ended(1, 20)  # somebody took over, or it was revoked
    reads[0].set_result([envelope(20, 1), envelope(21, 1)])
    await until(lambda: len(reads) == 2)
    session = Session(SessionId(1), Mode.ON_THE_RECORD)
    dispatcher.moved(Move(1, [21], frozenset(), session))
    reads[1].set_result([envelope(21, 1)])
    await until(lambda: len(reads) == 3)
    reads[2].set_result([envelope(21, 1)])
    await until(lambda: len(turns.groups) == 2)
    assert turns.groups[1] == [21]


async def test_much_of_one_chat_is_read_in_pieces() -> None:
    reads: list[int] = []

    async def read(work: Any) -> list[Envelope]:
        numbers = work.keywords["numbers"]
        reads.append(len(numbers))
        return [envelope(number, 1) for number in numbers]

    aside = Aside(cast("Any", SimpleNamespace(read=read)))
    waiting = [replace(envelope(number, 1), wamid=f"wamid.{number}") for number in range(2500)]
    aside.put(1, waiting)
    back = await aside.take_back(1)
    assert [one.number for one in back] == list(range(2500))
    assert [one.wamid for one in back if one.wamid] == ["wamid.2499"], "all before it are read too"
    assert reads == [1000, 1000, 500]
    assert await aside.take_back(1) == []
    assert aside.call() == []
    aside.put(1, waiting)
    aside.ended(1, 2499)
    assert "wamid" not in str([one.wamid for one in await aside.take_back(1)])
