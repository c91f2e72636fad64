"""A report as a person reads it."""

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Final

from openparallax.doctor.finding import Finding, Group, Level, Report

Paint = Callable[[str, str], str]
"""A text in a colour: green, red, yellow, blue, or the style ``bold``; may leave it as it is."""

_MARKS: Final = {
    Level.OK: ("✓", "green"),
    Level.NOTE: ("·", "blue"),
    Level.WARNING: ("!", "yellow"),
    Level.FAILURE: ("✗", "red"),
}
_TITLES: Final = {
    Group.CONFIGURATION: "Configuration",
    Group.TOKEN: "Meta: access token",
    Group.APP: "Meta: app",
    Group.NUMBER: "Meta: number",
    Group.ACCOUNT: "Meta: WhatsApp account",
    Group.WEBHOOK: "Meta: webhook",
    Group.OUTSIDE: "From outside in",
    Group.MACHINE: "This machine",
    Group.ENGINE: "Engine",
}
_INDENT: Final = 6


def lines(report: Report, paint: Paint, *, width: int = 100) -> Iterator[str]:
    """The report, group by group; what is well takes a line, what is not says what to do."""
    for text in report.fixed:
        yield f"{paint('→', 'blue')} {text}"
    if report.fixed:
        yield ""
    accounts = {one.account for one in report.findings if one.account}
    for group, findings in groupby(report.findings, lambda one: one.group):
        yield paint(_TITLES[group], "bold")
        for one, owners in _merged(findings).items():
            whose = owners if len(accounts) > 1 and set(owners) != accounts else ()
            yield from _finding(one, tuple(filter(None, whose)), paint, width)
        yield ""
    yield _summary(report, paint)


def _merged(findings: Iterator[Finding]) -> dict[Finding, tuple[str, ...]]:
    """What is so for several numbers is told once."""
    found: dict[tuple[object, ...], list[Finding]] = {}
    for one in findings:
        key = (one.level, one.check, one.says, one.to_do, one.command)
        found.setdefault(key, []).append(one)
    return {rows[0]: tuple(row.account for row in rows) for rows in found.values()}


def _finding(one: Finding, owners: tuple[str, ...], paint: Paint, width: int) -> Iterator[str]:
    mark, colour = _MARKS[one.level]
    whose = f"[{', '.join(owners)}] " if owners else ""
    first, *rest = _wrapped(f"{whose}{one.says}", width - 4)
    yield f"  {paint(mark, colour)} {first}"
    for line in rest:
        yield f"    {line}"
    for text in (one.why, one.to_do):
        for line in _wrapped(text, width - _INDENT) if text else ():
            yield f"{' ' * _INDENT}{line}"
    if one.command:
        yield f"{' ' * _INDENT}{paint(f'$ {one.command}', 'bold')}"


def _wrapped(text: str, width: int) -> list[str]:
    """In lines; a word that is longer than one is left whole, so that it can be copied."""
    rows, row = list[str](), ""
    for word in text.split():
        if row and len(row) + 1 + len(word) > width:
            rows.append(row)
            row = word
        else:
            row = f"{row} {word}" if row else word
    return [*rows, row]


def _summary(report: Report, paint: Paint) -> str:
    told = []
    for level, one, many in (
        (Level.FAILURE, "failure", "failures"),
        (Level.WARNING, "warning", "warnings"),
        (Level.NOTE, "note", "notes"),
    ):
        count = report.count(level)
        if count:
            told.append(paint(f"{count} {one if count == 1 else many}", _MARKS[level][1]))
    well = report.count(Level.OK)
    told.append(f"{well} {'check is' if well == 1 else 'checks are'} well")
    return f"{', '.join(told)} ({report.seconds:.1f} s)."
