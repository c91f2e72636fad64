"""What a person sees while an answer is made: that their message was read, and somebody typing."""

import asyncio
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from typing import Literal, Protocol

from openparallax.clock import Clock, Timer
from openparallax.model.envelope import Envelope
from openparallax.storage.chats import ChatRow

REFRESH_S = 20.0
"""The typing sign goes away by itself after 25 seconds.

Source: Cloud API, typing indicators.
"""

Shown = Literal["typing", "read", "none"]


class Show(Protocol):
    """Tells Graph; see `graph.client`. Never raises."""

    def __call__(self, *, phone_number_id: str, wamid: str, is_typing: bool) -> Awaitable[None]: ...


class Presence:
    """Shown from the start of a turn until it ends; never waited for.

    Args:
        shown: What each of our numbers shows, by phone number id; nothing for one not named.
        show: Tells Graph.
        clock: For the refreshing.
    """

    def __init__(self, *, shown: Mapping[str, Shown], show: Show, clock: Clock) -> None:
        self._shown = shown
        self._show = show
        self._clock = clock
        self._typing: dict[int, Timer] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def show_from_now(self, shown: Mapping[str, Shown]) -> None:
        """What each of our numbers shows; typing that is seen goes on until its turn ends."""
        self._shown = shown

    def begin(self, chat: ChatRow, message: Envelope, *, is_typing: bool) -> None:
        """A turn begins: mark ``message``, the latest it answers, and all before it as read.

        Nothing is shown while a person of ours answers the chat: they have not read it by that.

        Args:
            chat: As the door knows it at this moment.
            message: One that an earlier process admitted has no id any more: nothing is shown.
            is_typing: The engine is asked; False where the answer is at hand.
        """
        account = chat.account
        shown = self._shown.get(account, "none")
        if shown == "none" or not message.wamid or message.sent_at < chat.taken_until:
            return
        is_typing = is_typing and shown == "typing"
        self._tell(account, message.wamid, is_typing=is_typing)
        if is_typing:
            self._refresh_later(account, message)

    def end(self, chat: int) -> None:
        """The turn has ended, or a person of ours answers; may be repeated."""
        timer = self._typing.pop(chat, None)
        if timer is not None:
            timer.cancel()

    async def stop(self) -> None:
        """Tell nothing any more, and wait for nothing."""
        for chat in list(self._typing):
            self.end(chat)
        for task in set(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=1)

    def _refresh_later(self, account: str, message: Envelope) -> None:
        def refresh() -> None:
            self._tell(account, message.wamid, is_typing=True)
            self._refresh_later(account, message)

        self.end(message.chat)
        self._typing[message.chat] = self._clock.call_later(REFRESH_S, refresh)

    def _tell(self, account: str, wamid: str, *, is_typing: bool) -> None:
        # In a task of its own, which outlives a quick turn: cutting it would cost a connection.
        task = asyncio.get_running_loop().create_task(
            self._show_unheard(account, wamid, is_typing=is_typing)
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _show_unheard(self, account: str, wamid: str, *, is_typing: bool) -> None:
        with suppress(Exception):  # whatever it was, nobody waits for it
            await self._show(phone_number_id=account, wamid=wamid, is_typing=is_typing)
