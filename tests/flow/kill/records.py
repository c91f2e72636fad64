"""What the daemon left on disk: what it believes about each parcel, and where its words are."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from openparallax.model.parcel import ParcelState


@dataclass(frozen=True, slots=True)
class Row:
    """What the daemon believes about a parcel."""

    number: int
    chat: int
    address: str
    account: str
    turn: int
    notice: str
    state: ParcelState
    attempts: int
    ambiguous: int
    is_twice: bool


@dataclass(frozen=True, slots=True)
class Records:
    """The file after the end.

    Attributes:
        integrity: SQLite's own verdict, ``ok``.
        unfinished: Envelopes that are left.
        parcels: By number.
        turns: First word of a message on the record -> its number, the order of admission.
        doubled: First words that were admitted more than once.
    """

    integrity: str
    unfinished: int
    parcels: list[Row]
    turns: dict[str, int]
    doubled: list[str]


def load_records(database: Path) -> Records:
    """Read the file; the daemon must not run."""
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute(
            "SELECT p.number, p.chat, c.address, a.phone_number_id, p.turn, p.notice, p.state,"
            " p.attempts, p.ambiguous, p.twice FROM parcels p JOIN chats c ON c.id = p.chat"
            " JOIN accounts a ON a.id = c.account ORDER BY p.number"
        ).fetchall()
        said = connection.execute("SELECT turn, words FROM transcript WHERE part = 0").fetchall()
        (integrity,) = connection.execute("PRAGMA integrity_check").fetchone()
        (unfinished,) = connection.execute("SELECT count(*) FROM envelopes").fetchone()
    turns: dict[str, int] = {}
    doubled = []
    for turn, words in said:
        first = words.partition(" ")[0]
        if first in turns:
            doubled.append(first)
        turns[first] = turn
    parcels = [_row(*row) for row in rows]
    return Records(integrity, unfinished, parcels, turns, doubled)


def _row(
    number: int,
    chat: int,
    address: str,
    account: str,
    turn: int,
    notice: str,
    state: int,
    attempts: int,
    ambiguous: int,
    twice: int,
) -> Row:
    return Row(
        number,
        chat,
        address,
        account,
        turn,
        notice,
        ParcelState(state),
        attempts,
        ambiguous,
        bool(twice),
    )


def count_open(database: Path) -> tuple[int, int]:
    """Unfinished envelopes and open parcels, while the daemon runs."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        (waiting,) = connection.execute("SELECT count(*) FROM envelopes").fetchone()
        (unsent,) = connection.execute(
            "SELECT count(*) FROM parcels WHERE state < ?", (int(ParcelState.ACCEPTED),)
        ).fetchone()
    return waiting, unsent


def files_with(paths: Iterable[Path], words: str) -> list[str]:
    """Names of the files that hold ``words``, also in two-byte characters."""
    needles = words.encode(), words.encode("utf-16-le")
    found = []
    for path in paths:
        content = path.read_bytes()
        if any(needle in content for needle in needles):
            found.append(path.name)
    return found
