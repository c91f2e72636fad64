"""The schema, step by step: ``0001_….sql`` upwards.

In comes a connection to a file of any age, out goes one of today's. Each step runs in a transaction
and a step that has shipped is never changed: the next one changes what it made. Only the file room
of storage enters.
"""

import re
import sqlite3
from contextlib import closing
from importlib import resources

from openparallax.errors import StartError

APPLICATION_ID = 0x4F50584C
"""Stands in the header of every file of ours, for ``file`` and for us."""


def is_ours(connection: sqlite3.Connection) -> bool:
    """Whether the file is new or ours; changes nothing.

    Raises:
        sqlite3.DatabaseError: It is no database.
    """
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    return bool(not tables or application == APPLICATION_ID)


def what_is_foreign(connection: sqlite3.Connection) -> list[str]:
    """Names of what could work against us in a file of a version that this program knows.

    A trigger that somebody put on a table of ours would be run by us; one that is gone guards
    nothing. A table beside ours does nothing, unless it is a virtual one.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as fresh:
        migrate(fresh, version)
        ours = _made(fresh)
    tables = {table for _, table, _ in ours.values()}
    found = _made(connection)
    foreign = {
        name
        for name, (kind, table, sql) in found.items()
        if name not in ours
        and (table in tables or kind == "view" or sql.upper().startswith("CREATE VIRTUAL"))
    }
    return sorted(foreign | {name for name, made in ours.items() if found.get(name) != made})


def _made(connection: sqlite3.Connection) -> dict[str, tuple[str, str, str]]:
    """By name, the kind, the table and the statement of all that was made."""
    rows = connection.execute(
        "SELECT name, type, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL"
    )
    # Versions of SQLite write names with quotes and without when a table is renamed.
    return {name: (kind, table, re.sub(r'[\s"]+', " ", sql)) for name, kind, table, sql in rows}


def _steps() -> list[tuple[int, str]]:
    files = (
        file
        for file in resources.files(__package__).iterdir()
        if file.name.endswith(".sql") and file.name[:4].isdigit()
    )
    return sorted((int(file.name[:4]), file.read_text(encoding="utf-8")) for file in files)


def newest() -> int:
    """The version of today's schema."""
    return _steps()[-1][0]


def version_of(connection: sqlite3.Connection) -> int:
    """The version of a file's schema; 0 if it is new.

    Raises:
        StartError: The file was written by a newer program. It is left as it is.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > newest():
        raise StartError(
            f"the database has schema {version}, this program knows {newest()}: "
            "it was used by a newer OpenParallax. Install that one again; the file is unchanged.",
            exit_code=78,
        )
    return int(version)


def migrate(connection: sqlite3.Connection, to: int | None = None) -> int:
    """Bring the file to the newest schema, each step in a transaction; return its version.

    Args:
        connection: To the file.
        to: Leave it at this version, which is not below its own.

    Raises:
        StartError: The file was written by a newer program. It is left as it is.
    """
    version = version_of(connection)
    for number, script in _steps():
        if version < number <= (to or number):
            connection.executescript(
                f"BEGIN IMMEDIATE;\n{script}\n"
                f"PRAGMA application_id = {APPLICATION_ID};\n"
                f"PRAGMA user_version = {number};\nCOMMIT;"
            )
    return newest()
