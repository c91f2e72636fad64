"""A step of a message as people read it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from openparallax.cli.screen import colour, counted, escaped, lasting

_COLOURS = {
    "red": {
        "engine_failed", "failed", "lost", "not_stored", "paused", "unconfirmed",
    },
    "yellow": {
        "deferred", "foreign_number", "held", "in_doubt", "not_allowed", "over_limit", "put_off",
        "sent_again", "withdrawn",
    },
    "green": {"delivered", "played", "read", "resumed", "sent"},
}  # fmt: skip
_COLOUR_OF = {step: name for name, steps in _COLOURS.items() for step in steps}


def painted(step: str, width: int = 0) -> str:
    """The step's word, in the colour of how it is."""
    word = escaped(step.replace("_", " ")).ljust(width)
    name = _COLOUR_OF.get(step)
    return word if name is None else colour(word, name)


def clock(at: float, *, day: bool = False) -> str:
    """The time of this machine, to the second; with its day if asked for."""
    form = "%Y-%m-%d %H:%M:%S" if day else "%H:%M:%S"
    try:
        return datetime.fromtimestamp(at, UTC).astimezone().strftime(form)
    except (OverflowError, ValueError, OSError):
        return str(at)


def facts(step: Mapping[str, Any]) -> str:
    """What more there is to say about a step."""
    word = step["step"]
    said = [escaped(str(step["about"]).replace("_", " "))] if step.get("about") else []
    if step.get("code") is not None:
        said.append(f"code {step['code']}")
    seconds, amount = step.get("seconds"), step.get("amount", 0)
    if seconds is not None:
        said.append(_TIMES.get(word, "{}").format(_short(seconds)))
    if word == "posted":
        said.append(counted(amount, "part"))
    elif word == "answered" and amount:
        said.append(counted(amount, "token"))
    elif word == "sent" and amount > 1:
        said.append(f"attempt {amount}")
    elif word in {"asked", "held", "lost", "put_off"} and amount > 1:
        said.append(f"{amount} messages together")
    return ", ".join(said)


_TIMES = {
    "deferred": "again in {}",
    "lost": "{} after it came",
    "posted": "{} in all",
    "taken_over": "for {}",
}


def _short(seconds: float) -> str:
    """``0.21 s``, ``3.2 s``, ``5 min``."""
    if seconds < 1:
        return f"{seconds:.2f} s"
    return f"{seconds:.1f} s" if seconds < 60 else lasting(seconds)
