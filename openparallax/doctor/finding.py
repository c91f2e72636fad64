"""What the doctor found, as data: what is wrong, why it matters, what to do."""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final


class Level(StrEnum):
    """How bad it is; only a failure makes the doctor's exit code 1."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    FAILURE = "failure"


class Group(StrEnum):
    """What it is about; in the order in which findings are shown."""

    CONFIGURATION = "configuration"
    TOKEN = "token"  # noqa: S105 - a name
    APP = "app"
    NUMBER = "number"
    ACCOUNT = "account"
    WEBHOOK = "webhook"
    OUTSIDE = "outside"
    MACHINE = "machine"
    ENGINE = "engine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at, and how it is.

    Attributes:
        check: A key that stays the same between versions, such as ``token.expiry``.
        says: What is, in a sentence; of what is wrong, what is wrong.
        why: Why it matters; "" where it is well.
        to_do: What to do about it.
        command: The same as a line for a shell, where there is one; holds no secret.
        fixable: ``--fix`` mends it.
        account: Id of our number that it is about; "" for what is about all of them.
    """

    level: Level
    group: Group
    check: str
    says: str
    why: str = ""
    to_do: str = ""
    command: str = ""
    fixable: bool = False
    account: str = ""

    def as_data(self) -> dict[str, Any]:
        """Plain data; the keys are a promise."""
        return {
            "level": str(self.level),
            "group": str(self.group),
            "check": self.check,
            "account": self.account or None,
            "says": self.says,
            "why": self.why,
            "to_do": self.to_do,
            "command": self.command,
            "fixable": self.fixable,
        }


def is_bad(finding: Finding) -> bool:
    """A failure or a warning."""
    return finding.level in (Level.FAILURE, Level.WARNING)


@dataclass(frozen=True, slots=True)
class Report:
    """All that was found.

    Attributes:
        fixed: A sentence for each thing that ``--fix`` did, or tried and could not.
        seconds: How long it took.
    """

    findings: tuple[Finding, ...]
    fixed: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def has_failed(self) -> bool:
        return any(one.level is Level.FAILURE for one in self.findings)

    def naming(self, file: str) -> "Report":
        """The same, with our own commands about this configuration file."""

        def named(command: str) -> str:
            is_ours = command.startswith("openparallax ")
            return f"{command} -c {shlex.quote(file)}" if is_ours else command

        return replace(
            self,
            findings=tuple(replace(one, command=named(one.command)) for one in self.findings),
        )

    def count(self, level: Level) -> int:
        return sum(one.level is level for one in self.findings)

    def as_data(self) -> dict[str, Any]:
        """Plain data for ``--json``; the keys are a promise."""
        return {
            "ok": not self.has_failed,
            "counts": {str(level): self.count(level) for level in Level},
            "seconds": round(self.seconds, 2),
            "fixed": list(self.fixed),
            "findings": [one.as_data() for one in self.findings],
        }


class Notes:
    """Findings of one group, as somebody makes them."""

    def __init__(self, group: Group, account: str = "") -> None:
        self.found: list[Finding] = []
        self._group = group
        self._account = account

    def ok(self, check: str, says: str) -> None:
        self.add(Level.OK, check, says)

    def note(self, check: str, says: str, **more: Any) -> None:
        self.add(Level.NOTE, check, says, **more)

    def warning(self, check: str, says: str, **more: Any) -> None:
        self.add(Level.WARNING, check, says, **more)

    def failure(self, check: str, says: str, **more: Any) -> None:
        self.add(Level.FAILURE, check, says, **more)

    def add(
        self,
        level: Level,
        check: str,
        says: str,
        *,
        why: str = "",
        to_do: str = "",
        command: str = "",
        fixable: bool = False,
    ) -> None:
        """One of any level; all else is as in `Finding`."""
        self.found.append(
            Finding(
                level=level,
                group=self._group,
                check=check,
                says=_harmless(says),
                why=_harmless(why),
                to_do=_harmless(to_do),
                command=_harmless(command),
                fixable=fixable,
                account=self._account,
            )
        )


def _harmless(text: str) -> str:
    """Short, and without what would command a terminal: some of it is others' words."""
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return "".join(c if c.isprintable() else " " for c in shown)


def without(finding: Finding, secrets: Iterable[str]) -> Finding:
    """The same, with no secret in it, whatever of others' words it quotes."""
    said = {name: getattr(finding, name) for name in ("says", "why", "to_do", "command")}
    for secret in secrets:
        if len(secret) >= _SHORTEST_SECRET:
            said = {name: text.replace(secret, "…") for name, text in said.items()}
    return replace(finding, **said)


_LONGEST: Final = 1000
_SHORTEST_SECRET: Final = 8
"""What is shorter may be part of a word."""
_ORDER: Final = {group: place for place, group in enumerate(Group)}


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """By group; within one in the order in which they were made."""
    return tuple(sorted(findings, key=lambda one: _ORDER[one.group]))
