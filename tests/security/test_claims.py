"""SECURITY.md says what is so: each test that it names exists, and each column stands in it."""

import ast
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from openparallax.storage.migrations import migrate

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "SECURITY.md").read_text("utf-8")
_PROOF = re.compile(r"`(tests/[\w/]+\.py)?::(\w+)`")


def _proofs() -> list[tuple[str, str]]:
    """Path and name; one without a path is in the file named before it."""
    found: list[tuple[str, str]] = []
    for path, name in _PROOF.findall(TEXT):
        found.append((path or found[-1][0], name))
    return found


@pytest.mark.parametrize("path", sorted({path for path, _ in _proofs()}))
def test_every_proof_is_a_test(path: str) -> None:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    there = {
        one.name for one in tree.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert [name for named, name in _proofs() if named == path and name not in there] == []


def test_there_are_proofs() -> None:
    assert len(_proofs()) > 60
    assert all(name.startswith("test_") for _, name in _proofs())


def test_every_claim_of_a_table_has_one() -> None:
    """Rows of tables whose last column is for them; some say that nothing protects."""
    unproved = []
    for line in TEXT[: TEXT.index("## What it is made of")].splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split(" | ")]
        if line.startswith("| ") and "`tests/" not in line and line.count("|") > 4:
            unproved.append(cells[0])
    # Heads, what is not kept from them, and the table of columns with its one test above it.
    assert [one for one in unproved if not one.startswith("`")] == [
        "what",
        "the memory, by ptrace or `/proc/PID/mem`",
        "who",
        "Meta, and the provider of the model",
    ]


def test_every_column_is_written_down() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as file:
        migrate(file)
        tables = [
            name for (name,) in file.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        ]
        there = {
            table: [column[1] for column in file.execute(f"PRAGMA table_info({table})")]
            for table in tables
        }
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| [^|]+ \|$", TEXT, re.MULTILINE)
    assert {table: re.findall(r"`(\w+)`", columns) for table, columns in rows} == there
