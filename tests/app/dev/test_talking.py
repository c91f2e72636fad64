"""The terminal as a phone, the screen at the start, the browser, and who is off the record."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from openparallax.app.dev import browser, telling
from openparallax.app.dev.modes import Modes
from openparallax.app.dev.outside import of_program
from openparallax.app.dev.screen import Screen
from openparallax.app.dev.terminal import Terminal
from openparallax.emulator import Account, Emulator, Number
from openparallax.emulator.daemon_side import DaemonSide


class Piped(Screen):
    """Lines that were piped, and what was shown."""

    def __init__(self, *lines: str) -> None:
        super().__init__()
        self.is_interactive = False
        self._lines = iter(lines)
        self.shown: list[str] = []

    async def piped(self) -> str | None:
        return next(self._lines, None)

    def _print(self, text: str, _stream: Any) -> None:
        self.shown.append(text)


async def test_a_line_that_is_not_answered_ends_it_with_1() -> None:
    async with Emulator() as emulator:
        screen = Piped("hello", "never said")
        assert await Terminal(emulator, screen, within_s=0.01).talk() == 1
        said, told = screen.shown
        assert said == "you: hello"
        assert told.startswith("No answer came within 0 s. ")


async def test_what_went_over_the_wire_is_told_then() -> None:
    async with Emulator() as emulator:
        wire = emulator.wire
        for put, status in (
            (wire.begin("webhook", "POST", "/", at=0.0, what="messages · text"), 500),
            (wire.begin("graph", "POST", "/", at=0.0, what="messages · text"), 400),
        ):
            wire.end(put, status, "never said", 1.0)
        screen = Piped("hello")
        assert await Terminal(emulator, screen, within_s=0.01).talk() == 1
        told = screen.shown[-1].splitlines()[1:]
        assert [line.split() for line in told] == [
            ["to", "the", "bot", "messages", "·", "text", "500"],
            ["to", "Graph", "messages", "·", "text", "400"],
        ]


async def test_an_empty_pipe_is_no_failure() -> None:
    async with Emulator() as emulator:
        assert await Terminal(emulator, Piped("", " "), within_s=0.01).talk() == 0


def test_what_would_command_the_terminal_is_not_shown() -> None:
    screen = Piped()
    screen.bot("a\x1b[2Jb\nc\u202ed")
    assert screen.shown == ["bot: a\ufffd[2Jb\n     c\ufffdd"]


def test_lines_are_read_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = iter([b"he", b"llo\r\n\nbye", b"\xff", b"", b""])
    monkeypatch.setattr("openparallax.app.dev.screen.os.read", lambda *_: next(pieces))
    screen = Screen()
    assert [screen._read() for _ in range(4)] == ["hello", "", "bye\ufffd", None]


def test_a_program_is_told_all_that_it_must_know() -> None:
    outside = of_program("http://localhost:8000/hook", {"WHATSAPP_APP_SECRET": "a b"})
    said = telling.of_program("http://127.0.0.1:9445/", outside)
    account = outside.account
    wanted = (
        *("http://localhost:8000/hook", "http://127.0.0.1:9445 instead of"),
        *(account.numbers[0].id, account.waba_id, account.app_id),
        "WHATSAPP_APP_SECRET='a b'\n",
        f"WHATSAPP_VERIFY_TOKEN={account.verify_token}",
        f"WHATSAPP_ACCESS_TOKEN={next(iter(account.tokens))}",
    )
    assert [one for one in wanted if one not in said] == []


@pytest.mark.parametrize(
    ("environment", "has"),
    [
        ({}, False),
        ({"DISPLAY": ":0"}, True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, True),
        ({"BROWSER": "/usr/bin/w3m", "DISPLAY": ":0"}, False),
        ({"BROWSER": "/srv/code/browser.sh"}, True),
    ],
)
def test_no_browser_takes_the_terminal(
    environment: dict[str, str], *, has: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    assert browser.has_display(environment) is has


def test_a_browser_that_fails_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    class Broken:
        def open(self, url: str) -> None:
            opened.append(url)
            raise OSError

    monkeypatch.setattr("webbrowser.get", Broken)
    browser._open("http://127.0.0.1/")
    assert opened == ["http://127.0.0.1/"]


async def test_modes_are_by_person_and_by_number(tmp_path: Path) -> None:
    numbers = [Number(id=id_, display_phone_number=id_) for id_ in ("1", "2")]
    emulator = Emulator(account=Account(numbers=numbers))
    modes = Modes(tmp_path / "no.db", emulator.world, _side(emulator))
    chats = [
        {"account": "1", "contact": "+4915550000001", "mode": "on the record"},
        {"account": "2", "contact": "+4915550000001", "mode": "off the record"},
        {"account": "1", "contact": "US.1000000000000003", "mode": "off the record"},
        {"account": "1", "contact": "+1234567", "mode": "off the record"},
    ]
    assert modes._by_person(chats) == {
        "ann": "on_the_record",
        "ann@2": "off_the_record",
        "carol": "off_the_record",
    }


async def test_modes_stay_while_nobody_can_be_asked(tmp_path: Path) -> None:
    emulator = Emulator()
    side = _side(emulator)
    modes = Modes(tmp_path / "no.db", emulator.world, side)
    side.tell(state="up", modes={"ann": "off_the_record"})
    running = asyncio.create_task(modes.run())
    await modes.look()
    assert side.modes == {"ann": "off_the_record"}
    running.cancel()
    await asyncio.wait([running])
    assert running.cancelled()


def _side(emulator: Emulator) -> DaemonSide:
    async def nothing() -> None:
        pass

    return DaemonSide(kill=nothing, stop=nothing, start=nothing, feed=emulator.world.feed)


@pytest.mark.parametrize(
    ("status", "why"),
    [(0, "what is said waits"), (403, "verify token"), (404, "address"), (200, "hub.challenge")],
)
def test_why_a_handshake_failed_is_guessed(status: int, why: str) -> None:
    assert why in telling.of_handshake("http://127.0.0.1:8000/webhook", status)
