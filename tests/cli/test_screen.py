"""Tables on a terminal, with names that somebody else chose."""

import sys

import pytest

from openparallax.cli import screen

NAMES = [
    "Ann\x1b[31m\u202e\u2066x\0\u0085\u2028",
    "a\tb\nc",
    "日本語" * 500,
    "👨\u200d👩\u200d👧" * 300,
    "\u200c" * 3000,
    "x" * 3000,
]


@pytest.mark.parametrize("columns", [1, 20, 80, 300])
def test_every_line_fits_and_nothing_commands_the_terminal(
    monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    looked_at = []
    columns_of = screen._columns

    def counting(c: str) -> int:
        looked_at.append(c)
        return columns_of(c)

    monkeypatch.setattr(screen, "_columns", counting)
    lines = screen.table(["chat", "name"], [["1", name] for name in NAMES], gives_way=1)
    assert len(lines) == 1 + len(NAMES)
    assert len(looked_at) < 6 * len("".join(map(screen.escaped, NAMES)))  # not its square
    for line in lines:
        assert screen._width(line) <= max(columns, len("chat") + 2 + screen._LEAST)
        assert len(line) < 10 * 300
        assert line == screen.escaped(line)
