"""What the file remembers about itself: its key, its counters, how it was left."""

import secrets
import time
from typing import Any

from openparallax import __version__
from openparallax.build import commit
from openparallax.storage.unit import Connection

BLOCK = 1000
"""Numbers reserved at a time: a restart skips at most this many, and uses none twice."""


class Numbers:
    """A counter that rises for the life of the file, also across rolled-back transactions.

    A block is reserved inside the transaction that needs it; after a failure `drop` forgets the
    block, since its reservation may have been rolled back.
    """

    def __init__(self, name: str) -> None:
        self._name = f"next_{name}"
        self._next = 0
        self._end = 0

    @property
    def upcoming(self) -> int:
        """No number below this one will be taken any more."""
        return self._next

    def take(self, connection: Connection) -> int:
        """The next number, 1 and up; to be used in this transaction."""
        if self._next >= self._end:
            row = connection.execute(
                "SELECT value FROM meta WHERE key = ?", (self._name,)
            ).fetchone()
            # A number that was taken in memory only is not on disk: the larger of both goes on.
            self._next = max(row[0] if row else 1, self._next)
            self._end = self._next + BLOCK
            connection.execute(
                "INSERT INTO meta VALUES (?, ?) "
                "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (self._name, self._end),
            )
        number = self._next
        self._next += 1
        return number

    def drop(self) -> None:
        """Read the counter from the file next time."""
        self._end = self._next


def file_key(connection: Connection) -> bytes:
    """The file's own random key for hashing ids; made at the first call."""
    row = connection.execute("SELECT value FROM meta WHERE key = 'hash_key'").fetchone()
    if row is not None:
        return bytes(row[0])
    key = secrets.token_bytes(32)
    connection.execute("INSERT INTO meta VALUES ('hash_key', ?)", (key,))
    return key


def ended_cleanly(connection: Connection) -> bool:
    """Whether the process that used the file before had stopped in order; True for a new file."""
    return connection.execute("SELECT 1 FROM meta WHERE key = 'running'").fetchone() is None


def begin_life(connection: Connection) -> None:
    """Note that a process is at work with the file."""
    connection.execute(
        "INSERT INTO meta VALUES ('running', ?) "
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (int(time.time()),),
    )


def end_life(connection: Connection) -> None:
    """Note that this process ends cleanly: what is unfinished was not running when it ended."""
    connection.execute("DELETE FROM meta WHERE key = 'running'")


def recall(connection: Connection, key: str) -> Any:
    """What `remember` kept under that key; None if nothing."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if row is None else row[0]


def remember(connection: Connection, key: str, value: str) -> None:
    """Keep a short text under a key of its own; nothing of a person."""
    connection.execute(
        "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )


def sign(connection: Connection) -> None:
    """Note which program has the file: an older one that meets it later can say whose it is."""
    found = commit()
    program = f"{__version__} (commit {found[:12]})" if found else __version__
    if signature(connection) != program:
        remember(connection, "program", program)


def signature(connection: Connection) -> str:
    """Which program had the file last; "" if it did not say."""
    return str(recall(connection, "program") or "")
