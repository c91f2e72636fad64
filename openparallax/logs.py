"""The daemon's log: past-tense events, keys from a fixed list, no words, no secrets.

Three side doors are shut here (each has leaked elsewhere): local variables in tracebacks, the
message of a foreign exception (it may quote what it could not parse), and any key that is not on
the list. A key that is not on the list is dropped and its *name* reported, so that the mistake is
seen.
"""

import json
import logging
import re
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from json.encoder import encode_basestring
from pathlib import Path
from typing import Any, Literal, Protocol, TextIO

import structlog

from openparallax.errors import OpenParallaxError

KEYS = frozenset(
    {
        # what happened
        "event", "level", "timestamp", "exception", "error", "dropped_keys",
        # to whom, by opaque ids and shortened numbers
        "account", "chat", "contact", "session", "turn", "parcel", "message", "engine", "stage",
        "model", "notice", "errand", "mode",
        # in what amount
        "count", "parts", "messages", "statuses", "attempts", "seconds", "ms", "wait_s", "queued",
        "bytes", "port", "host", "path", "number", "duplicates", "limit", "kept", "usage",
        # for what reason
        "reason", "result", "code", "error_class", "trace", "status", "type", "field", "hint",
        "state", "version", "name", "signal", "url", "setting",
    }
)  # fmt: skip


class Logger(Protocol):
    """What the house logs with; any key outside `KEYS` is dropped."""

    def debug(self, event: str, **keys: Any) -> Any: ...
    def info(self, event: str, **keys: Any) -> Any: ...
    def warning(self, event: str, **keys: Any) -> Any: ...
    def error(self, event: str, **keys: Any) -> Any: ...


_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_EVENT = re.compile(r"[a-z][a-z0-9_]{0,63}")
_TOKEN = re.compile(r"[a-z0-9][a-z0-9_.:-]{0,63}")


class PluginLogger:
    """What a plugin logs with: numbers, and short words of code, beside the plugin's name.

    What has a space, a capital or another letter in it may be somebody's words: its length is
    logged instead. So nothing but a single plain word of a person can slip through, and the
    documentation for plugins says not to log that.
    """

    def __init__(self, log: Logger, name: str) -> None:
        self._log = log
        self._name = name

    def debug(self, event: str, **keys: Any) -> Any:
        return self._log.debug(_event(event), **self._wordless(keys))

    def info(self, event: str, **keys: Any) -> Any:
        return self._log.info(_event(event), **self._wordless(keys))

    def warning(self, event: str, **keys: Any) -> Any:
        return self._log.warning(_event(event), **self._wordless(keys))

    def error(self, event: str, **keys: Any) -> Any:
        return self._log.error(_event(event), **self._wordless(keys))

    def _wordless(self, keys: dict[str, Any]) -> dict[str, Any]:
        return {
            **{key: value if key == "exc_info" else _plain(value) for key, value in keys.items()},
            "name": self._name,
        }


def _event(event: str) -> str:
    return event if isinstance(event, str) and _EVENT.fullmatch(event) else "plugin_said"


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        if value.isdecimal() and value.isascii() and len(value) < 20:
            return int(value)
        return value if _TOKEN.fullmatch(value) else f"<{len(value)} characters>"
    return f"<{type(value).__name__}>"


def shorten(number: str) -> str:
    """A number as logs may show it: first two and last two characters, such as ``49…07``."""
    return f"{number[:2]}…{number[-2:]}" if len(number) > 6 else "…"


Event = dict[str, Any]


class _Stamp:
    """Say when, to the microsecond; what stays the same for a second is rendered once in it."""

    def __init__(self) -> None:
        self._latest = 0, "1970-01-01T00:00:00"

    def __call__(self) -> str:
        second, ns = divmod(time.time_ns(), 1_000_000_000)
        latest, rendered = self._latest
        if second != latest:
            rendered = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._latest = second, rendered
        return f"{rendered}.{ns // 1000:06d}Z"


def _drop_unknown(event: Event) -> None:
    unknown = sorted(key for key in event if key not in KEYS)
    for key in unknown:
        del event[key]
    event["dropped_keys"] = unknown


def _tell_exception(event: Event, raised: Any) -> None:
    """Say types and frames; a message is kept only where it is ours."""
    if raised is True:
        raised = sys.exc_info()[1]
    if not isinstance(raised, BaseException):
        return
    chain: list[dict[str, Any]] = []
    step: BaseException | None = raised
    while step is not None and len(chain) < 8:
        frames = traceback.extract_tb(step.__traceback__)
        chain.append(
            {
                "type": type(step).__qualname__,
                "at": [f"{Path(f.filename).name}:{f.lineno}" for f in frames[-12:]],
            }
        )
        step = step.__cause__ or step.__context__
    event["exception"] = chain
    if isinstance(raised, OpenParallaxError):
        event["error"] = str(raised)


class _Patient:
    """A stream that takes what it can: a full disk or a closed pipe must not stop the house."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, line: str) -> None:
        try:
            self._stream.write(line)
            self._stream.flush()
        except UnicodeEncodeError:
            with suppress(OSError, ValueError):
                self._stream.write(line.encode("ascii", "backslashreplace").decode("ascii"))
                self._stream.flush()
        except (OSError, ValueError):
            pass


class _ForeignLogs(logging.Handler):
    """Other libraries' records: their logger's name and level only, since their text may quote."""

    def __init__(self, log: Logger) -> None:
        super().__init__(level=logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        keys: dict[str, Any] = {"name": record.name, "path": f"{record.module}:{record.lineno}"}
        if record.exc_info:
            keys["exc_info"] = record.exc_info[1]
        self._log.warning("library_warned", **keys)


_encode = json.JSONEncoder(ensure_ascii=False, check_circular=False, default=repr).encode


def _as_json(event: Event) -> str:
    """A line of JSON, put together by hand: its keys are ours, its values mostly plain."""
    shown = []
    for key, value in event.items():
        kind = type(value)
        if kind is str:
            shown.append(f'"{key}": {encode_basestring(value)}')
        elif kind is int:
            shown.append(f'"{key}": {value}')
        else:
            shown.append(f'"{key}": {_encode(value)}')
    return _visible(f"{{{', '.join(shown)}}}")


def _text_renderer(*, colors: bool) -> Callable[[Event], str]:
    render = structlog.dev.ConsoleRenderer(
        colors=colors, exception_formatter=structlog.dev.plain_traceback
    )

    def as_text(event: Event) -> str:
        for key, value in event.items():
            if isinstance(value, str):
                event[key] = _visible(value)  # of other values the renderer shows the repr
        if chain := event.get("exception"):
            lines = (f"    {one['type']} ({' '.join(one['at'])})" for one in chain)
            event["exception"] = "\n".join(lines)
        return render(None, "", event)

    return as_text


def _visible(text: str) -> str:
    """``text`` with JSON's escapes for what is not seen: foreign text may hold it.

    A terminal obeys control characters (the C1 ones too, which JSON itself lets through), others
    break lines or turn them round. In a line of JSON this changes nothing that is read from it.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


class _Book:
    """Writes what happened, a line for each; one for every answer, so it is made quickly."""

    def __init__(self, least: str, render: Callable[[Event], str], stream: _Patient) -> None:
        self.least = _LEVELS[least]
        self._render = render
        self._stream = stream
        self._stamp = _Stamp()

    def debug(self, event: str, **keys: Any) -> None:
        self._write("debug", event, keys)

    def info(self, event: str, **keys: Any) -> None:
        self._write("info", event, keys)

    def warning(self, event: str, **keys: Any) -> None:
        self._write("warning", event, keys)

    def error(self, event: str, **keys: Any) -> None:
        self._write("error", event, keys)

    def _write(self, level: str, event: str, keys: Event) -> None:
        if _LEVELS[level] < self.least:
            return
        raised = keys.pop("exc_info", None)
        keys["event"] = event
        keys["level"] = level
        keys["timestamp"] = self._stamp()
        if raised is not None:
            _tell_exception(keys, raised)
        if not keys.keys() <= KEYS:
            _drop_unknown(keys)
        self._stream.write(self._render(keys) + "\n")


def set_level(log: Logger, level: Literal["debug", "info", "warning", "error"]) -> None:
    """Write what is of this level or above from now on; for a logger that `configure` made."""
    if isinstance(log, _Book):
        log.least = _LEVELS[level]


def configure(
    *,
    level: Literal["debug", "info", "warning", "error"] = "info",
    render: Literal["auto", "text", "json"] = "auto",
    stream: TextIO | None = None,
) -> Logger:
    """Set the process's log up and return its logger.

    Args:
        level: What is below it is not written.
        render: ``auto`` is text on a terminal and JSON elsewhere.
        stream: Where it goes; standard error if not given.

    Source:
        systemd collects standard error; structlog's own traceback renderers show local variables
        by default and are not used.
    """
    out = stream or sys.stderr
    as_text = render == "text" or (render == "auto" and out.isatty())
    renderer = _text_renderer(colors=out.isatty()) if as_text else _as_json
    log = _Book(level, renderer, _Patient(out))
    root = logging.getLogger()
    root.handlers = [_ForeignLogs(log)]
    root.setLevel(logging.WARNING)
    return log
