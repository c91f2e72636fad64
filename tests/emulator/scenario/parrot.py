"""A bot in the test's own process that answers scripts, and whoever plays them with it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from openparallax.emulator import Emulator
from openparallax.emulator.daemon_side import DaemonSide
from openparallax.emulator.scenario import Outcome, Style, load, play
from tests.emulator.bot import Bot, Post

SENTENCES = {"lost": "Something was lost.", "status": "{mode}. Waiting: {count}."}
BUTTONS = [
    {"type": "reply", "reply": {"id": "y", "title": "Yes"}},
    {"type": "reply", "reply": {"id": "n", "title": "No"}},
]


class Parrot:
    """Says each text back.

    ``hush`` is met with silence, ``twice`` answered twice, ``menu`` with two buttons, ``status``
    with a notice; a tap with its title. What else comes is only counted.
    """

    def __init__(self, emulator: Emulator) -> None:
        account = emulator.world.account
        account.add_token("let me in")
        self.bot = Bot(account.app_secret)
        self.bot.mood = self._answer
        self._url = f"{emulator.url}/v25.0/{account.numbers[0].id}/messages"

    async def _answer(self, post: Post) -> int | None:
        if not post.is_signed:
            return 401
        async with aiohttp.ClientSession(headers={"Authorization": "Bearer let me in"}) as session:
            for message in post.all("messages"):
                for request in self._answers(message):
                    await self._send(session, request)
        return 200

    async def _send(self, session: aiohttp.ClientSession, request: dict[str, Any]) -> None:
        body = {"messaging_product": "whatsapp", **request}
        async with session.post(self._url, json=body) as answer:
            await answer.read()

    def _answers(self, message: dict[str, Any]) -> list[dict[str, Any]]:
        to = (
            {"to": message["from"]} if "from" in message else {"recipient": message["from_user_id"]}
        )
        read = {
            "status": "read",
            "message_id": message["id"],
            "typing_indicator": {"type": "text"},
        }
        words = _words(message)
        if words is None or words == "hush":
            return [read]
        if words == "love":
            emoji = {"message_id": message["id"], "emoji": "❤️"}
            return [read, {**to, "type": "reaction", "reaction": emoji}]
        if words == "menu":
            asks = {"type": "button", "body": {"text": "Well?"}, "action": {"buttons": BUTTONS}}
            return [read, {**to, "type": "interactive", "interactive": asks}]
        said = "On the record. Waiting: 0." if words == "status" else words
        answer: dict[str, Any] = {**to, "type": "text", "text": {"body": said}}
        if words == "quote me":
            answer["context"] = {"message_id": message["id"]}
        return [read, *([answer] * (2 if words == "twice" else 1))]


def _words(message: dict[str, Any]) -> str | None:
    match message:
        case {"type": "text", "text": {"body": str() as words}}:
            return words
        case {"type": "interactive", "interactive": {"button_reply": {"title": str() as title}}}:
            return title
    return None


class Stage:
    """Plays scripts against a parrot.

    Attributes:
        lines: All that was shown.
    """

    def __init__(self, emulator: Emulator, parrot: Parrot, folder: Path) -> None:
        self.emulator = emulator
        self.parrot = parrot
        self.lines: list[str] = []
        self.orders: list[str] = []
        self.state = folder / "state"
        self.state.mkdir()
        self.log = folder / "log"
        self.log.write_text("started\n")
        self._script = folder / "script.yaml"
        self.daemon = DaemonSide(
            kill=self._end, stop=self._end, start=self._start, feed=emulator.world.feed, state="up"
        )

    async def play(
        self, steps: str, head: str = "", *, has_daemon: bool = True, style: Style | None = None
    ) -> Outcome:
        """Play these lines of YAML, already indented as steps."""
        self._script.write_text(f"scenario: a test\n{head}\nsteps:\n{steps}\n")
        return await play(
            load(self._script, sentences=SENTENCES),
            self.emulator,
            self.daemon if has_daemon else None,
            folder=self.state,
            log=self.log,
            show=self.lines.append,
            style=style or Style(encoding="utf-8"),
        )

    @property
    def shown(self) -> str:
        return "\n".join(self.lines)

    async def _end(self) -> None:
        self.orders.append("end")
        await self.parrot.bot.stop()
        self.daemon.tell(state="down")

    async def _start(self) -> None:
        self.orders.append("start")
        await self.parrot.bot.start()
        self.daemon.tell(state="up")


@asynccontextmanager
async def staged(folder: Path) -> AsyncIterator[Stage]:
    async with Emulator() as emulator:
        parrot = Parrot(emulator)
        async with parrot.bot:
            emulator.delivery.url = parrot.bot.url
            emulator.delivery.pause_s = 60  # whoever starts the bot says so, and nothing waits
            yield Stage(emulator, parrot, folder)
