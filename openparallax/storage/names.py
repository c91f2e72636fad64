"""Display names, in rows that keep their place: only so can they be overwritten where they are.

SQLite clears what is deleted, but where a row grows it may move its neighbours to another page, and
leave what they were in the gaps of the one before. So each name has room to spare: spaces behind
it. For one that needs more, all are written anew before the next person is forgotten.
"""

from openparallax.storage.unit import Connection

ROOM_BYTES = 96
"""Enough for nearly every name; a hundred thousand contacts cost ten megabytes."""
_MARK = "names_in_place"


def stored(name: str, least: int = ROOM_BYTES) -> str:
    """A name as it stands in its row, of ``least`` bytes or more."""
    return name + " " * (least - len(name.encode()))


def shown(stored: str) -> str:
    """The name that stands in a row."""
    return stored.rstrip(" ")


def change(connection: Connection, contact: int, name: str) -> None:
    """Give a contact another name; part of a unit."""
    (had,) = connection.execute(
        "SELECT length(CAST(name AS BLOB)) FROM contacts WHERE id = ?", (contact,)
    ).fetchone()
    row = stored(name, had)
    if len(row.encode()) > had:
        connection.execute("DELETE FROM meta WHERE key = ?", (_MARK,))
    connection.execute("UPDATE contacts SET name = ? WHERE id = ?", (row, contact))


def forget(connection: Connection, contact: int) -> None:
    """Overwrite a contact's name in its place; part of a unit."""
    connection.execute(
        "UPDATE contacts SET name = printf('%*s', length(CAST(name AS BLOB)), '') WHERE id = ?",
        (contact,),
    )


def are_in_place(connection: Connection) -> bool:
    """Whether no row has been moved since all were written."""
    row = connection.execute("SELECT 1 FROM meta WHERE key = ?", (_MARK,)).fetchone()
    return row is not None


def put_in_place(connection: Connection) -> None:
    """Write all anew if a row was moved, in a transaction of its own; may be repeated.

    Where there are very many this takes its time: not for the loop.
    """
    if are_in_place(connection):
        return
    connection.execute("BEGIN IMMEDIATE")
    write_anew(connection)
    connection.execute("COMMIT")


def write_anew(connection: Connection) -> None:
    """Write every contact again, and leave nothing where they were; in one transaction.

    A page that is given back is cleared. 100,000 contacts take half a second.
    """
    connection.execute("CREATE TEMP TABLE anew AS SELECT * FROM contacts")
    connection.execute(
        "UPDATE anew SET name = name || printf('%*s', ?1 - length(CAST(name AS BLOB)), '') "
        "WHERE length(CAST(name AS BLOB)) < ?1",
        (ROOM_BYTES,),
    )
    connection.execute("DELETE FROM contacts")
    connection.execute("INSERT INTO contacts SELECT * FROM anew ORDER BY id")
    connection.execute("DROP TABLE anew")
    connection.execute("INSERT INTO meta VALUES (?, 1) ON CONFLICT (key) DO NOTHING", (_MARK,))
