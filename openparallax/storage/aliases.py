"""Which id stands for whom, and whose a number was that is not theirs any more.

A number that was left stands under ``w:``, the alias, ``<`` and until when; twelve digits, so that
the first one after a moment is the one that was true at it.
"""

from typing import NamedTuple

from openparallax.storage.database import Connection

_NEVER = 10**12 - 1


class Alias(NamedTuple):
    """Whom an id stands for, and since when by Meta's timestamps."""

    contact: int
    since: int


class Left(NamedTuple):
    """Whom an id stood for, and from when until when by Meta's timestamps."""

    contact: int
    since: int
    until: int


def find(connection: Connection, account: int, value: str) -> Alias | None:
    """Whom ``value`` stands for among those who write to ``account``."""
    row = connection.execute(
        "SELECT contact, since FROM aliases WHERE account = ? AND value = ?", (account, value)
    ).fetchone()
    return None if row is None else Alias(*row)


def find_left(connection: Connection, account: int, value: str, at: int) -> Left | None:
    """Whose ``value`` was at the time ``at``, if they have left it since, or in that second."""
    row = connection.execute(
        "SELECT contact, since, value FROM aliases WHERE account = ? AND value >= ? AND value < ? "
        "ORDER BY value LIMIT 1",
        (account, _left(value, at), _left(value, _NEVER)),
    ).fetchone()
    return None if row is None else Left(row[0], row[1], int(row[2].rpartition("<")[2]))


def of_contact(connection: Connection, account: int, contact: int) -> list[tuple[str, int]]:
    """Every id of a contact and since when it is theirs, the one learnt last first."""
    return connection.execute(
        "SELECT value, since FROM aliases WHERE contact = ? AND account = ? AND value < 'w' "
        "ORDER BY since DESC, value",
        (contact, account),
    ).fetchall()


def add(connection: Connection, account: int, value: str, contact: int, since: int) -> None:
    """Let ``value`` stand for ``contact``; whom it stood for before stays as it was."""
    connection.execute(
        "INSERT INTO aliases VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (account, value, contact, since),
    )


def age(connection: Connection, account: int, value: str, since: int) -> None:
    """``value`` was its contact's by then already, whenever it was learnt."""
    connection.execute(
        "UPDATE aliases SET since = min(since, ?) WHERE account = ? AND value = ?",
        (since, account, value),
    )


def leave(connection: Connection, account: int, value: str, until: int) -> None:
    """``value`` stands for nobody any more; who had it until then is still known by that."""
    connection.execute(
        "UPDATE OR REPLACE aliases SET value = ? WHERE account = ? AND value = ?",
        (_left(value, until), account, value),
    )


def note_left(
    connection: Connection, account: int, value: str, contact: int, since: int, until: int
) -> None:
    """``value`` was a contact's from ``since`` until then, which is only known now."""
    add(connection, account, _left(value, until), contact, since)


def _left(value: str, until: int) -> str:
    return f"w:{value}<{max(until, 0):012d}"


def give_all(connection: Connection, account: int, giver: int, contact: int) -> None:
    """Every alias of a contact who has no chat goes to another one."""
    connection.execute(
        "UPDATE aliases SET contact = ? WHERE contact = ? AND account = ?",
        (contact, giver, account),
    )
