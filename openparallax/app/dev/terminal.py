"""Talking with the bot on the terminal, or through a pipe, instead of in the browser."""

import asyncio
import contextlib
import re

from openparallax.app.dev.screen import Screen
from openparallax.emulator import Emulator, Message
from openparallax.emulator.feed import Change

MOST_TEXT = 65_536
"""Characters that WhatsApp lets a person write."""
_MOMENT_S = 0.5
_QUIET_S = 0.3
_SETTLE_WITHIN_S = 5.0
_LAST = 6
# These are answered twice: the command, and the words behind it.
_COMMAND_WITH_WORDS = re.compile(r"\s*/(new\s+\S|otr\s+(?!off\s*$)\S)", re.IGNORECASE)


class Terminal:
    """The first of the emulator's people, whose phone is this terminal.

    Args:
        within_s: How long an answer may take where lines come through a pipe.
        has_commands: It is the daemon that listens, and not a program that has no such thing.
    """

    def __init__(
        self, emulator: Emulator, screen: Screen, within_s: float, *, has_commands: bool = True
    ) -> None:
        self._emulator = emulator
        self._screen = screen
        self._within_s = within_s
        self._has_commands = has_commands
        self._person = next(iter(emulator.world.people))
        self._seen: set[str] = set()
        self._heard = asyncio.Event()
        emulator.world.feed.call(self._note)

    async def talk(self) -> int:
        """Say what is typed or piped until its end; 1 where a piped line was not answered."""
        if self._screen.is_interactive:
            name = self._emulator.world.people[self._person].name
            commands = "/help lists the commands, " if self._has_commands else ""
            self._screen.note(f"You are {name}. Type a message; {commands}Ctrl-D ends.")
            while (line := await self._screen.typed()) is not None:
                # The moment is for the eye: what answers at once stands above the next prompt.
                if line.strip() and self._fits(line):
                    await self._say(line, _MOMENT_S)
            return 0
        while (line := await self._screen.piped()) is not None:
            if not line.strip():
                continue
            if not self._fits(line):
                return 1
            self._screen.you(line)
            if not await self._say(line, self._within_s):
                self._screen.note(
                    f"No answer came within {self._within_s:.0f} s. {self._traffic()}"
                )
                return 1
        await self._settle()
        return 0

    def _fits(self, text: str) -> bool:
        """Whether it may be said; else that is noted."""
        if len(text) <= MOST_TEXT:
            return True
        self._screen.note(f"This is longer than a message may be ({MOST_TEXT} characters).")
        return False

    async def _say(self, text: str, within_s: float) -> bool:
        """Say it; whether it was answered in time."""
        wanted = len(self._seen) + (2 if _COMMAND_WITH_WORDS.match(text) else 1)
        self._emulator.say(self._person, text)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while len(self._seen) < wanted:
                    self._heard.clear()
                    await self._heard.wait()
        return len(self._seen) >= wanted

    def _traffic(self) -> str:
        """What went over the wire last, without bodies; it mostly says what is in the way."""
        last = [one for one in self._emulator.wire.exchanges if one.what != "handshake"][-_LAST:]
        if not last:
            return "Nothing went over the wire."
        rows = (
            f"  {'to the bot' if one.direction == 'webhook' else 'to Graph':<10}  {one.what:<22}"
            f"  {one.status or 'no answer'}"
            for one in last
        )
        return "\n".join(["Over the wire went last:", *rows])

    async def _settle(self) -> None:
        """Wait, a short while, until nothing more comes and all statuses have been taken."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SETTLE_WITHIN_S):
                before = -1
                while len(self._seen) != before:
                    before = len(self._seen)
                    await asyncio.sleep(_QUIET_S)
                    await self._emulator.delivery.settled()

    def _note(self, change: Change) -> None:
        if change["kind"] != "message":
            return
        message: Message = change["message"]
        if message.is_ours and message.person == self._person and message.wamid not in self._seen:
            self._seen.add(message.wamid)
            self._screen.bot(message.words or f"[{message.kind}]")
            self._heard.set()
