"""The schema, step by step: ``0001_….sql`` upwards; a file that has shipped is never changed."""

import sqlite3
from importlib import resources

from openparallax.errors import StartError


def _steps() -> list[tuple[int, str]]:
    files = (
        file
        for file in resources.files(__package__).iterdir()
        if file.name.endswith(".sql") and file.name[:4].isdigit()
    )
    return sorted((int(file.name[:4]), file.read_text(encoding="utf-8")) for file in files)


def migrate(connection: sqlite3.Connection) -> int:
    """Bring the file to the newest schema, each step in a transaction; return its version.

    Raises:
        StartError: The file was written by a newer program. It is left as it is.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    steps = _steps()
    newest = steps[-1][0]
    if version > newest:
        raise StartError(
            f"the database has schema {version}, this program knows {newest}: "
            "it was used by a newer OpenParallax. Install that one again; the file is unchanged.",
            exit_code=78,
        )
    for number, script in steps:
        if number > version:
            connection.executescript(
                f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;"
            )
    return newest
