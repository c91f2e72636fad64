"""Past-tense events, keys from a list, no words: also not through a side door."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import pytest
import structlog

from openparallax.errors import NotStored, OpenParallaxError
from openparallax.logs import KEYS, Logger, PluginLogger, configure, shorten

WORDS = "xyzzy and other words"


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


class Book:
    """A log and what was written to it."""

    def __init__(self, render: Literal["text", "json"] = "json", level: Any = "debug") -> None:
        self.stream = io.StringIO()
        self.log: Logger = configure(level=level, render=render, stream=self.stream)

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def line(self) -> dict[str, Any]:
        (line,) = self.text.splitlines()
        found: dict[str, Any] = json.loads(line)
        return found


def _throw(error: BaseException, cause: BaseException | None = None) -> None:
    secret = WORDS  # tracebacks have been known to show local variables
    assert secret
    raise error from cause


def fail(error: BaseException, cause: BaseException | None = None) -> BaseException:
    """An exception that has been raised, as has its cause."""
    with suppress(BaseException):
        _throw(error, fail(cause) if cause else None)
    return error


@pytest.mark.parametrize("render", ["text", "json"])
def test_a_key_that_is_not_on_the_list_is_dropped_and_named(
    render: Literal["text", "json"],
) -> None:
    book = Book(render)
    book.log.info("turn_done", chat=5, words=WORDS, text=WORDS, stack_info=True, body={"a": WORDS})
    assert WORDS not in book.text
    for name in ("words", "text", "body", "stack_info", "dropped_keys", "turn_done"):
        assert name in book.text


def test_a_line_is_one_object() -> None:
    book = Book()
    book.log.warning("send_failed", code=131047, wait_s=1.5, name="Zoë")
    line = book.line
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "send_failed",
        "level": "warning",
        "code": 131047,
        "wait_s": 1.5,
        "name": "Zoë",
    }


def test_a_line_break_makes_no_second_line() -> None:
    book = Book()
    book.log.info("odd", reason="a\nb\r\n\u2028c\x1b[31m")
    assert len(book.text.split("\n")) == 2


ODD = "a\x1b[31m\x7f\x85\x9b2J\u2028\u2029\u202e\u200f\ufeff\U000e0041\ud83d\r\n\0b"
"""Colours, deletion, a C1 control that clears screens, line ends, text turned round, the unseen."""


@pytest.mark.parametrize("render", ["text", "json"])
def test_nothing_in_a_line_moves_a_cursor_or_ends_it(render: Literal["text", "json"]) -> None:
    book = Book(render)
    book.log.info("odd", reason=ODD, path=f"/x{ODD}", name=[ODD], exc_info=fail(NotStored(ODD)))
    logging.getLogger("library" + ODD).warning("words")
    shown = book.text.replace("\n    NotStored (", " (")  # the frames' line, which is ours
    assert len(shown.split("\n")) == 3
    assert "".join(shown.split("\n")).isprintable()


def test_what_is_escaped_reads_the_same_in_json() -> None:
    book = Book()
    book.log.info("odd", reason=ODD, name="Zoë 🐦")
    assert (book.line["reason"], book.line["name"]) == (ODD, "Zoë 🐦")
    assert "Zoë 🐦" in book.text


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_what_is_below_the_level_is_not_written(level: str) -> None:
    book = Book(level=level)
    levels = ["debug", "info", "warning", "error"]
    for one in levels:
        getattr(book.log, one)("happened")
    assert book.text.count("happened") == 4 - levels.index(level)


@pytest.mark.parametrize("render", ["text", "json"])
@pytest.mark.parametrize(
    "raised",
    [
        fail(ValueError(WORDS)),
        fail(KeyError(WORDS)),
        fail(RuntimeError(WORDS), ValueError(WORDS)),
        fail(RuntimeError(WORDS), NotStored()),
        fail(ExceptionGroup(WORDS, [ValueError(WORDS)])),
        fail(UnicodeDecodeError("utf-8", WORDS.encode(), 0, 1, WORDS)),
        fail(OSError(2, WORDS, WORDS)),
    ],
    ids=lambda raised: type(raised).__name__,
)
def test_a_foreign_exception_has_no_message(
    render: Literal["text", "json"], raised: BaseException
) -> None:
    book = Book(render)
    book.log.error("turn_broke", exc_info=raised)
    assert "xyzzy" not in book.text
    assert type(raised).__name__ in book.text
    assert "test_logs.py:" in book.text
    assert str(Path(__file__).parent) not in book.text


def test_an_exception_in_the_air() -> None:
    book = Book()
    try:
        _throw(ValueError(WORDS))
    except ValueError:
        book.log.error("turn_broke", exc_info=True)  # noqa: G201 - ours has no exception()
    assert book.line["exception"][0]["type"] == "ValueError"
    assert "xyzzy" not in book.text


@pytest.mark.parametrize("nothing", [True, False, None, "xyzzy", (None, None, None)])
def test_no_exception_at_all(nothing: object) -> None:
    book = Book()
    book.log.error("turn_broke", exc_info=nothing)
    assert "exception" not in book.line
    assert "xyzzy" not in book.text


def test_causes_are_named_and_come_to_an_end() -> None:
    book = Book()
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first
    book.log.error("turn_broke", exc_info=first)
    types = [one["type"] for one in book.line["exception"]]
    assert types[:2] == ["ValueError", "KeyError"]
    assert len(types) <= 8


def test_an_error_of_ours_keeps_its_text() -> None:
    book = Book()
    book.log.error("put_off", exc_info=fail(NotStored("the database refused (SQLITE_FULL)")))
    assert book.line["error"] == "the database refused (SQLITE_FULL)"
    assert OpenParallaxError().args == ("Something went wrong in OpenParallax.",)


def test_a_foreign_library_is_quoted_by_name_only() -> None:
    book = Book()
    logger = logging.getLogger("aiohttp.server")
    logger.warning("could not parse %s", WORDS)
    assert book.line["event"] == "library_warned"
    assert book.line["name"] == "aiohttp.server"
    assert book.line["path"].startswith("test_logs:")
    assert "xyzzy" not in book.text
    assert "parse" not in book.text


def test_a_foreign_library_s_exception_too() -> None:
    book = Book()
    try:
        _throw(ValueError(WORDS))
    except ValueError:
        logging.getLogger("httpx").exception("failed on %s", WORDS)
    assert book.line["exception"][0]["type"] == "ValueError"
    assert "xyzzy" not in book.text


def test_a_foreign_library_s_chatter_is_not_written() -> None:
    book = Book()
    logging.getLogger("anthropic").info(WORDS)
    logging.getLogger("anthropic").debug(WORDS)
    assert book.text == ""


async def test_what_asyncio_reports_has_no_words() -> None:
    book = Book()
    loop = asyncio.get_running_loop()
    loop.call_exception_handler({"message": WORDS, "exception": fail(ValueError(WORDS))})
    assert book.line["name"] == "asyncio"
    assert "xyzzy" not in book.text


def test_configured_again_there_is_one_log() -> None:
    first, second = Book(), Book()
    logging.getLogger("x").warning(WORDS)
    second.log.info("happened")
    assert first.text == ""
    assert len(second.text.splitlines()) == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("render", ["text", "json"])
def test_a_log_that_cannot_be_written_hurts_nobody(render: Literal["text", "json"]) -> None:
    """A full disk would otherwise take the daemon with it, by its log."""
    stream = Path("/dev/full").open("w", encoding="utf-8")  # noqa: SIM115 - see below
    try:
        log = configure(render=render, stream=stream)
        log.info("started")
        log.error("storage_failed", exc_info=ValueError())
        logging.getLogger("x").warning("hello")
    finally:
        with suppress(OSError):  # it writes what is left
            stream.close()


def test_a_log_that_is_gone_hurts_nobody() -> None:
    book = Book()
    book.stream.close()
    book.log.info("started")


def test_half_a_character_is_written_somehow(tmp_path: Path) -> None:
    """A path may hold bytes that are no text."""
    with (tmp_path / "log").open("w", encoding="utf-8") as stream:
        log = configure(render="json", stream=stream)
        log.info("started", path="/home/\udce9")
    assert "started" in (tmp_path / "log").read_text("utf-8")


@pytest.mark.parametrize(
    ("number", "shown"),
    [("4915112345678", "49…78"), ("1234567", "12…67"), ("123456", "…"), ("", "…")],
)
def test_a_number_is_shortened(number: str, shown: str) -> None:
    assert shorten(number) == shown


def test_no_key_is_named_for_words() -> None:
    assert KEYS.isdisjoint(
        {"text", "words", "body", "content", "reply", "prompt", "token", "wamid"}
    )


def test_a_plugin_logs_numbers_and_short_words_of_code_and_nothing_else() -> None:
    out = io.StringIO()
    log = PluginLogger(configure(render="json", stream=out), "parrot")

    log.warning("bird_flew", turn="26", count=3, reason="Tell nobody", code="max_tokens")
    log.info("Tell nobody", reason=["Tell", "nobody"])

    first, second = (json.loads(line) for line in out.getvalue().splitlines())
    assert first["event"] == "bird_flew"
    assert (first["turn"], first["count"], first["code"]) == (26, 3, "max_tokens")
    assert first["name"] == "parrot"
    assert first["reason"] == "<11 characters>"
    assert second["event"] == "plugin_said"
    assert "obody" not in out.getvalue()
