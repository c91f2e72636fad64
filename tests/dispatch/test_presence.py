"""Read marks and typing: from the start of a turn until it ends, and in nobody's way."""

import asyncio
import gc
from dataclasses import replace
from typing import Literal

import pytest

from openparallax.dispatch.presence import REFRESH_S, Presence
from openparallax.model.envelope import Envelope, Errand
from openparallax.model.session import Mode, Session
from openparallax.model.text import SessionId
from openparallax.storage.chats import ChatRow
from tests.fakes.clock import TurnedClock

ACCOUNT = "1234567890123456"
SESSION = Session(SessionId(1), Mode.ON_THE_RECORD)
CHAT = ChatRow(
    id=7,
    contact=1,
    account=ACCOUNT,
    address="4915112345678",
    name="",
    session=SESSION,
    opened_at=0,
    before=None,
    held=0,
    left_off=None,
    left_off_at=0,
    left_on=None,
    left_on_at=0,
    taken_until=0,
    alternate=0,
)
MESSAGE = Envelope(1, CHAT.id, SESSION, Errand.TURN, 1000, wamid="wamid.1")


class Shown:
    """What Graph is told, and how it takes it."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, bool]] = []
        self.is_stuck = False
        self.breaks = False
        self.cancelled = 0

    async def __call__(self, *, phone_number_id: str, wamid: str, is_typing: bool) -> None:
        self.told.append((phone_number_id, wamid, is_typing))
        if self.breaks:
            raise RuntimeError
        if self.is_stuck:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise


@pytest.fixture
def shown() -> Shown:
    return Shown()


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


def made(
    shown: Shown, clock: TurnedClock, how: Literal["typing", "read", "none"] = "typing"
) -> Presence:
    return Presence(shown={ACCOUNT: how}, show=shown, clock=clock)


TYPING, READ = (ACCOUNT, "wamid.1", True), (ACCOUNT, "wamid.1", False)


async def test_typing_is_refreshed_until_the_turn_ends(shown: Shown, clock: TurnedClock) -> None:
    presence = made(shown, clock)
    presence.begin(CHAT, MESSAGE, is_typing=True)
    await clock.settle()
    assert shown.told == [TYPING]
    await clock.turn(REFRESH_S - 1)
    assert shown.told == [TYPING]
    await clock.turn(2 * REFRESH_S)
    assert shown.told == [TYPING] * 3
    presence.end(CHAT.id)
    presence.end(CHAT.id)
    await clock.turn(10 * REFRESH_S)
    assert shown.told == [TYPING] * 3
    assert not presence._typing
    assert not presence._tasks


@pytest.mark.parametrize(
    ("how", "is_typing", "wanted"),
    [
        ("typing", False, [READ]),
        ("read", True, [READ]),
        ("read", False, [READ]),
        ("none", True, []),
    ],
)
async def test_what_is_shown(
    shown: Shown,
    clock: TurnedClock,
    how: Literal["typing", "read", "none"],
    is_typing: bool,  # noqa: FBT001 - a parameter of the test
    wanted: list[tuple[str, str, bool]],
) -> None:
    presence = made(shown, clock, how)
    presence.begin(CHAT, MESSAGE, is_typing=is_typing)
    await clock.turn(3 * REFRESH_S)
    assert shown.told == wanted


async def test_nothing_for_whom_nothing_is_known(shown: Shown, clock: TurnedClock) -> None:
    """Read from the table there is no id; and a number that is not configured shows nothing."""
    presence = made(shown, clock)
    presence.begin(CHAT, replace(MESSAGE, wamid=""), is_typing=True)
    presence.begin(replace(CHAT, account="999"), MESSAGE, is_typing=True)
    await clock.turn(REFRESH_S)
    assert shown.told == []
    assert clock.waiting == 0


async def test_nothing_while_a_person_answers(shown: Shown, clock: TurnedClock) -> None:
    presence = made(shown, clock)
    taken = replace(CHAT, taken_until=MESSAGE.sent_at + 1)
    presence.begin(taken, MESSAGE, is_typing=True)
    presence.begin(taken, MESSAGE, is_typing=False)
    await clock.turn(REFRESH_S)
    assert shown.told == []
    presence.begin(replace(taken, taken_until=MESSAGE.sent_at), MESSAGE, is_typing=False)
    await clock.settle()
    assert shown.told == [READ]


async def test_a_second_turn_of_a_chat_types_for_itself(shown: Shown, clock: TurnedClock) -> None:
    presence = made(shown, clock)
    presence.begin(CHAT, MESSAGE, is_typing=True)
    presence.begin(CHAT, replace(MESSAGE, wamid="wamid.2"), is_typing=True)
    await clock.turn(REFRESH_S)
    assert [wamid for _, wamid, _ in shown.told] == ["wamid.1", "wamid.2", "wamid.2"]
    assert clock.waiting == 1


async def test_what_hangs_is_cut_at_the_end(shown: Shown, clock: TurnedClock) -> None:
    shown.is_stuck = True
    presence = made(shown, clock)
    presence.begin(CHAT, MESSAGE, is_typing=True)
    await clock.turn(REFRESH_S)
    await presence.stop()
    assert (len(shown.told), shown.cancelled) == (2, 2)
    await clock.turn(10 * REFRESH_S)
    assert len(shown.told) == 2


async def test_what_breaks_is_nobodys_trouble(shown: Shown, clock: TurnedClock) -> None:
    """Graph's client does not raise; another one might."""
    heard: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context))
    shown.breaks = True
    presence = made(shown, clock)
    presence.begin(CHAT, MESSAGE, is_typing=True)
    await clock.turn(REFRESH_S)
    presence.end(CHAT.id)
    await clock.settle()
    assert len(shown.told) == 2
    assert not presence._tasks
    gc.collect()  # the loop hears of what nobody looked at when it is thrown away
    assert heard == []


async def test_one_that_has_not_even_begun_is_left_at_a_stop(
    shown: Shown, clock: TurnedClock
) -> None:
    presence = made(shown, clock)
    presence.begin(CHAT, MESSAGE, is_typing=False)
    await presence.stop()
    gc.collect()  # a coroutine that nobody awaited would be reported here
    assert shown.told == []
