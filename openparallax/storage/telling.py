"""What a restored file is told by the one that it replaces: what must not be undone by restoring.

Who is off the record now is off it in the restored file; whose forgetting was interrupted is
forgotten in both; and where both are of one origin, what Meta may bring again is known as seen.
Whoever the restored file does not know is left out. Files of every schema of ours.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from openparallax.errors import Refusal
from openparallax.model.session import Mode
from openparallax.model.text import SessionId
from openparallax.storage import scrubbing, sessions
from openparallax.storage.scrubbing import KnownAs

_ROWS_A_STEP = 10_000


def tell(replaced: Path, restored: Path) -> bool:
    """Tell a file, which has not taken its place yet, what the one knows whose place it takes.

    Args:
        replaced: Nobody uses it. Only what is being forgotten is changed in it.
        restored: The same.

    Returns:
        False if not all of it could be read.

    Raises:
        sqlite3.Error: The restored file could not be written.
        Refusal: The same.
    """
    try:
        known = _read(replaced)
    except sqlite3.Error:
        return False
    with closing(sqlite3.connect(restored, isolation_level=None)) as new:
        new.execute("BEGIN IMMEDIATE")
        for account, alias, since in known.off:
            _go_off(new, account, alias, since)
        is_whole = known.key is None or known.key != _key(new) or _copy_seen(replaced, new)
        new.execute("COMMIT")
    if known.being_forgotten:
        scrubbing.forget_in(restored, known.being_forgotten)
        try:
            scrubbing.forget_in(replaced, known.being_forgotten)
        except Refusal:
            is_whole = False
    return is_whole


class _Known(NamedTuple):
    """What the replaced file knows.

    Attributes:
        off: Account, alias and since when, of everybody who is off the record.
        being_forgotten: Whose words are to be scrubbed.
        key: By which it hashes ids: the same in all files of one origin.
    """

    off: list[tuple[str, str, int]]
    being_forgotten: list[KnownAs]
    key: object


def _read(path: Path) -> _Known:
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        if not _version(file):
            return _Known([], [], None)
        return _Known(_off_the_record(file), _being_forgotten(file), _key(file))


def _copy_seen(replaced: Path, new: sqlite3.Connection) -> bool:
    """Copy what was seen; False if not all of it could be read."""
    with closing(sqlite3.connect(replaced, isolation_level=None)) as old:
        rows = old.execute("SELECT bucket, hash FROM seen ORDER BY bucket, hash")
        while True:
            try:
                some = rows.fetchmany(_ROWS_A_STEP)
            except sqlite3.Error:
                return False
            if not some:
                return True
            new.executemany("INSERT INTO seen VALUES (?, ?) ON CONFLICT DO NOTHING", some)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _key(connection: sqlite3.Connection) -> object:
    row = connection.execute("SELECT value FROM meta WHERE key = 'hash_key'").fetchone()
    return None if row is None else row[0]


def _off_the_record(connection: sqlite3.Connection) -> list[tuple[str, str, int]]:
    version = _version(connection)
    same_account = "AND x.account = c.account" if version > 1 else ""
    since = "max(s.opened_at, s.again_at)" if version > 1 else "s.opened_at"
    rows = connection.execute(
        f"SELECT a.phone_number_id, x.value, {since} FROM sessions s "
        "JOIN chats c ON c.session = s.id JOIN accounts a ON a.id = c.account "
        f"JOIN aliases x ON x.contact = c.contact {same_account} WHERE s.mode = 1 AND s.state = 0"
    )
    return [(account, scrubbing.current(alias), at) for account, alias, at in rows]


def _being_forgotten(connection: sqlite3.Connection) -> list[KnownAs]:
    if _version(connection) < 3:
        return []
    rows = connection.execute(
        "SELECT DISTINCT a.phone_number_id, x.value FROM forgotten f "
        "JOIN chats c ON c.id = f.chat "
        "OR c.id IN (SELECT survivor FROM merges WHERE loser = f.chat) "
        "JOIN accounts a ON a.id = c.account "
        "JOIN aliases x ON x.contact = c.contact AND x.account = c.account"
    )
    return [KnownAs(account, scrubbing.current(alias)) for account, alias in rows]


def _go_off(connection: sqlite3.Connection, account: str, alias: str, since: int) -> None:
    """Open a session off the record over the one that is open, as the door does."""
    # The first schema had the id of a business's parent as any other id.
    kind, value = alias[:2], alias[2:]
    forms = (f"u:{value}", f"p:{value}") if kind in {"u:", "p:"} else (alias, alias)
    same_account = "AND x.account = c.account" if _version(connection) > 1 else ""
    chats = connection.execute(
        "SELECT DISTINCT c.id, c.session FROM aliases x JOIN chats c ON c.contact = x.contact "
        f"{same_account} JOIN accounts a ON a.id = c.account JOIN sessions s ON s.id = c.session "
        "WHERE x.value IN (?, ?) AND a.phone_number_id = ? AND s.mode = 0",
        (*forms, account),
    ).fetchall()
    for chat, session in chats:
        sessions.suspend(connection, SessionId(session))
        sessions.open_session(connection, chat, Mode.OFF_THE_RECORD, since, SessionId(session))
