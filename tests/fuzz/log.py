"""The log: one event is one line, whatever stands in it, and nothing in it moves a cursor."""

import io
import json
import logging
import unicodedata
from typing import Literal

from openparallax.errors import OpenParallaxError
from openparallax.logs import KEYS, PluginLogger, configure, shorten
from tests.fuzz.draws import Draws
from tests.fuzz.target import Target

_KEYS = sorted(KEYS - {"event", "level", "timestamp", "exception", "error", "dropped_keys"})
_RENDERS: tuple[Literal["json", "text"], ...] = ("json", "text")


def try_log(data: bytes) -> None:
    """Foreign text as values, keys, events, names of loggers and texts of exceptions."""
    draws = Draws(data)
    render = draws.one_of(_RENDERS)
    stream = io.StringIO()
    log = configure(level="debug", render=render, stream=stream)
    key, value, event = draws.one_of(_KEYS), draws.text(60), draws.text(30)
    calls = draws.below(6)
    match calls:
        case 0:
            log.info("admitted", **{key: value})
        case 1:
            log.warning("refused", contact=shorten(value), count=draws.below(300))
        case 2:
            log.info("admitted", **{key: [value, {"a": value}], event or "x": value})
        case 3:
            PluginLogger(log, "plugin").info(event, **{key: value})
        case 4:
            log.error("broke", exc_info=_raised(OpenParallaxError(value)), **{key: value})
        case _:
            logging.getLogger("x" + event).warning(value)
    text = stream.getvalue()
    assert text.endswith("\n")
    lines = text.removesuffix("\n")
    if render == "json":
        said = json.loads(lines)
        assert calls != 0 or said[key] == value, "the value is not what was logged"
    else:
        # An exception's frames stand on lines of their own, which are ours.
        lines = lines.replace("\n    OpenParallaxError (", "")
    odd = [hex(ord(one)) for one in lines if _moves(one)]
    assert not odd, f"reaches the log as it is: {odd[:5]}"


def _moves(character: str) -> bool:
    """Whether a terminal or a reader of lines does something else with it than showing it."""
    return unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp", "Cs")


def _raised(error: Exception) -> Exception:
    try:
        raise error
    except OpenParallaxError as raised:
        return raised


def _seeds() -> list[bytes]:
    values = [
        "a\nb",
        "\x1b[31mred",
        "\u2028\u2029",
        "\u202eabc",
        "\x85\x9b31m",
        "\x00\x7f",
        "\ufeff",
    ]
    values += ["49…07", "\U000e0041"]
    return [
        bytes([render, 5, len(raw)]) + raw + bytes([len(raw)]) + raw + bytes([call])
        for render in (0, 1)
        for raw in (value.encode() for value in values)
        for call in range(6)
    ]


LOG = Target("log", try_log, _seeds, ["\x1b[", "\n", "\u2028", "\u202e", "\x9b"], longest=256)
