"""The sections about being watched: whom to tell of trouble, and where traces go."""

import os
import shlex
from collections.abc import Mapping
from importlib.util import find_spec
from shutil import which
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from openparallax.config.document import Tree
from openparallax.config.forms import OURS
from openparallax.config.problems import Problems
from openparallax.config.section import Section

_OF_A_SHELL: Final = frozenset("();<>|&")
_OTEL: Final = ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http")


def _wrong(sentence: str) -> PydanticCustomError:
    return PydanticCustomError(OURS, "{sentence}", {"sentence": sentence})


def _command(value: str | tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The words of a command; of a text as a shell would part it, without being one."""
    if value is None:
        return None
    words = _parted(value) if isinstance(value, str) else value
    if not words or not words[0].strip():
        raise _wrong("is empty: name a program, or write null")
    if any("\0" in word for word in words):
        raise _wrong("has a NUL character in it")
    if "/" in words[0] and not words[0].startswith("/"):
        raise _wrong("must begin with a program's name, or with its whole path: /usr/…")
    return words


def _parted(text: str) -> tuple[str, ...]:
    try:
        # Once to see what only a shell understands, once to part it as shells do.
        seen = list(shlex.shlex(text, posix=False, punctuation_chars=True))
        words = tuple(shlex.split(text))
    except ValueError:
        raise _wrong("has a quotation mark that is not closed") from None
    if any(set(word) <= _OF_A_SHELL for word in seen):
        raise _wrong(
            "is not run by a shell, and has signs for one in it: put quotes round what has them,"
            ' write [sh, -c, "…"], or name a script'
        )
    return words


def _no_block(value: object) -> object:
    """Where a function looks first, pydantic is strict about lists too."""
    if isinstance(value, dict):
        raise _wrong("must be text or a list, not a block of settings")
    return tuple(value) if isinstance(value, list) else value


Command = Annotated[
    str | tuple[str, ...] | None, BeforeValidator(_no_block), AfterValidator(_command)
]


class Alerts(Section):
    """Whom to tell of trouble, and of which."""

    alert_command: Command = Field(
        default=None,
        description="a program that is run when something is wrong, as one text or as a list; what"
        " is wrong is on its standard input and in its environment; null: none",
    )
    timeout_seconds: float = Field(
        default=30,
        gt=0,
        le=600,
        allow_inf_nan=False,
        description="how long that program may take; then it is killed",
    )
    wait_minutes: float = Field(
        default=2,
        ge=0,
        le=1440,
        allow_inf_nan=False,
        description="how long something must be wrong before it is told, and well again before that"
        " is",
    )
    repeat_minutes: float = Field(
        default=360,
        ge=1,
        le=43_200,
        allow_inf_nan=False,
        description="each kind of trouble is told at most once in so many minutes",
    )
    all_clear: bool = Field(
        default=True, description="also tell when all that was told is well again"
    )
    backlog_messages: int | None = Field(
        default=100,
        ge=1,
        description="tell when so many messages and parts of answers wait; null: never",
    )
    backlog_minutes: float | None = Field(
        default=15,
        gt=0,
        le=43_200,
        allow_inf_nan=False,
        description="tell when the same one has waited longest for so many minutes; null: never",
    )
    disk_free_megabytes: int | None = Field(
        default=500,
        ge=1,
        description="tell when the database's disk has less room than that; null: never",
    )
    engine_failures: int | None = Field(
        default=5,
        ge=1,
        description="tell when so many turns in a row got no answer from the engine; null: never",
    )
    silence_hours: float | None = Field(
        default=None,
        gt=0,
        le=8760,
        allow_inf_nan=False,
        description="tell when Meta has sent nothing at all for so many hours; null: never",
    )
    token_days: float | None = Field(
        default=7,
        gt=0,
        le=365,
        allow_inf_nan=False,
        description="tell when an access token ends within so many days; null: never",
    )
    certificate_days: float | None = Field(
        default=7,
        gt=0,
        le=365,
        allow_inf_nan=False,
        description="tell when the certificate of tls ends within so many days; null: never",
    )

    @property
    def command(self) -> tuple[str, ...]:
        """The program and its arguments; none: nobody is told."""
        words = self.alert_command
        return words if isinstance(words, tuple) else ()


class Tracing(Section):
    """Traces, by OpenTelemetry."""

    enabled: bool = Field(
        default=False,
        description="true: send a trace of each turn to where the OTEL_… variables say; needs"
        " openparallax[otel]",
    )


def check(tracing: Tree, problems: Problems) -> None:
    """Refuse traces where what makes them is not installed."""
    if isinstance(tracing, dict) and tracing.get("enabled") is True and not can_trace():
        problems.add(
            ("tracing", "enabled"),
            "needs packages that are not installed: pip install openparallax[otel]",
        )


def can_trace() -> bool:
    """Whether OpenTelemetry's SDK and its exporter are installed; imports neither of them."""
    try:
        return all(find_spec(name) is not None for name in _OTEL)
    except ModuleNotFoundError:  # of a package above
        return False


def warnings(alerts: Alerts, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Warn of a program that is not there: the daemon does its work without it."""
    if not alerts.command:
        return ()
    if which(alerts.command[0], path=environment.get("PATH", os.defpath)):
        return ()
    sentence = (
        "alerts.alert_command names a program that is not found, or may not be run: nobody would"
        " be told of trouble"
    )
    return (sentence,)
