"""The schema, step by step: ``0001_….sql`` upwards.

In comes a connection to a file of any age, out goes one of today's. Each step runs in a transaction
and a step that has shipped is never changed: the next one changes what it made. Only the file room
of storage enters.
"""

import sqlite3
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


def migrate(connection: sqlite3.Connection) -> int:
    """Bring the file to the newest schema, each step in a transaction; return its version.

    Raises:
        StartError: The file was written by a newer program. It is left as it is.
    """
    version = version_of(connection)
    for number, script in _steps():
        if number > version:
            connection.executescript(
                f"BEGIN IMMEDIATE;\n{script}\n"
                f"PRAGMA application_id = {APPLICATION_ID};\n"
                f"PRAGMA user_version = {number};\nCOMMIT;"
            )
    return newest()
