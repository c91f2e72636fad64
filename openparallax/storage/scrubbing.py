"""The same in copies of the file: they are as old as they are, so the person is looked for anew.

Each function opens the copy, does its work and closes it; SQLite's own log of the change is gone
with that. The time of change stays, by which a copy is deleted.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from openparallax.errors import Refusal
from openparallax.storage import erasing, names, open_parcels
from openparallax.storage.unit import name_of


class KnownAs(NamedTuple):
    """An alias of a person.

    Attributes:
        account: Phone number id of the number of ours with which it stands for them; None: any.
        alias: As it stands in the table of that name.
    """

    account: str | None
    alias: str


def current(alias: str) -> str:
    """An alias as it was before it was left; see `storage.aliases`."""
    return alias.removeprefix("w:").partition("<")[0] if alias.startswith("w:") else alias


def forget_in(copy: Path, known_as: Sequence[KnownAs]) -> int:
    """Scrub whom any of these aliases stands for in a copy; how many chats that were.

    Args:
        copy: A file of any schema of ours.
        known_as: Aliases of the person.

    Raises:
        Refusal: It could not be done; the copy is to be deleted, or it is to be tried again.
    """
    if not copy.exists():
        return 0  # its week was over in this moment
    with _opened(copy) as connection:
        chats = _chats_of(connection, known_as)
        sessions = [
            row[0]
            for chat, _ in chats
            for row in connection.execute("SELECT id FROM sessions WHERE chat = ?", (chat,))
        ]
        for rows in _marched(connection, sessions):
            erasing.scrub(connection, rows)
        for session in sessions:
            connection.execute("DELETE FROM session_turns WHERE session = ?", (session,))
        for chat, contact in chats:
            connection.execute("DELETE FROM envelopes WHERE chat = ?", (chat,))
            open_parcels.abandon(connection, chat)
            names.forget(connection, contact)
        if chats:
            names.write_anew(connection)
    return len(chats)


def age(copy: Path, cutoff: float, now: float) -> int:
    """Scrub what came in before ``cutoff``; how many rows that were.

    Raises:
        Refusal: It could not be done; the copy is to be deleted, or it is to be tried again.
    """
    count = 0
    if not copy.exists():
        return 0
    with _opened(copy) as connection:
        above, arrived = erasing.where(connection)
        while True:
            found = erasing.due(connection, above, arrived, cutoff, now)
            erasing.scrub(connection, found.rows)
            erasing.leave_history(connection, found.rows)
            if found.above > above:
                erasing.move_on(connection, found.above, found.arrived)
            above, arrived = found.above, found.arrived
            count += len(found.rows)
            if found.is_all:
                return count


def _marched(connection: sqlite3.Connection, sessions: list[int]) -> Iterator[list[erasing.Row]]:
    last = erasing.last_row(connection) if sessions else 0
    for above in range(0, last, erasing.SCAN):
        yield erasing.rows_of(connection, sessions, above)


def _chats_of(connection: sqlite3.Connection, known_as: Sequence[KnownAs]) -> list[tuple[int, int]]:
    """Chats and contacts for whom an alias stands or stood, and what was merged with them."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    by_account = version > 1  # the first schema had one person for all numbers
    # Whose it was once, too: of a copy too much is scrubbed rather than too little.
    before = "OR (x.value >= 'w:' || ?1 || '<' AND x.value < 'w:' || ?1 || '=')"
    query = (
        "SELECT c.id, c.contact FROM aliases x JOIN chats c ON c.contact = x.contact "
        f"{'AND c.account = x.account' if by_account else ''} "
        "JOIN accounts a ON a.id = c.account "
        f"WHERE (x.value = ?1 {before if by_account else ''}) "
        "AND (?2 IS NULL OR a.phone_number_id = ?2)"
    )
    found: dict[int, int] = {}
    for account, alias in known_as:
        found.update(connection.execute(query, (alias, account)).fetchall())
        if not by_account and alias.startswith("p:"):
            # There the parent's id stood as any other.
            found.update(connection.execute(query, (f"u:{alias[2:]}", account)).fetchall())
    if by_account:
        rows = connection.execute(
            "WITH RECURSIVE all_of(chat) AS (SELECT value FROM json_each(?) UNION "
            "SELECT loser FROM merges JOIN all_of ON survivor = chat) "
            "SELECT id, contact FROM chats JOIN all_of ON id = chat",
            (str(sorted(found)),),
        )
        found.update(rows.fetchall())
    return sorted(found.items())


@contextmanager
def _opened(copy: Path) -> Iterator[sqlite3.Connection]:
    """One transaction in a copy."""
    was = copy.stat()
    try:
        with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
            for setting in (
                "busy_timeout = 2000",
                "secure_delete = ON",
                "journal_mode = DELETE",
                "temp_store = MEMORY",
            ):
                connection.execute(f"PRAGMA {setting}")
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
    except sqlite3.OperationalError as error:
        raise Refusal(
            f"{copy} holds words too and could not be changed ({name_of(error)}). "
            "See whether the disk is full, or delete it; then try again.",
            exit_code=75,
        ) from None
    except sqlite3.DatabaseError as error:
        raise Refusal(
            f"{copy} may hold words too and cannot be read ({name_of(error)}). "
            "Delete it, then try again."
        ) from None
    finally:
        if copy.exists():
            os.utime(copy, (was.st_atime, was.st_mtime))
