"""Figures of attacks, in a table at the end."""

from collections.abc import Sequence
from typing import cast

from _pytest.terminal import TerminalReporter

FIGURES = "figures of an attack"
_HEADINGS = (
    "attack", "p50 ms", "with", "p99 ms", "with", "in vain", "MB before", "peak", "descriptors"
)  # fmt: skip


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    rows: list[Sequence[str]] = []
    for state in ("passed", "failed"):
        for report in terminalreporter.stats.get(state, []):
            told = getattr(report, "user_properties", [])
            rows += [cast("Sequence[str]", value) for key, value in told if key == FIGURES]
    if not rows:
        return
    terminalreporter.section("a sender beside attackers: acknowledgements without and with them")
    for row in (_HEADINGS, *sorted(tuple(row) for row in rows)):
        name, *figures = map(str, row)
        terminalreporter.write_line(f"{name:<34}" + "".join(f"{one:>11}" for one in figures))
