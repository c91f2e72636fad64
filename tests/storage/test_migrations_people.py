"""A file of the first schema, with chats of every kind of alias: people are found again."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from importlib import resources
from pathlib import Path

from openparallax import logs
from openparallax.chats.directory import Directory
from openparallax.model.messages import Sender
from openparallax.model.session import Mode
from openparallax.storage import Connection, Database, migrations
from openparallax.storage.chats import ChatRow, find_chat

NUMBER, USER, PARENT = "4915112345678", "DE.134912086", "DE.ENT.506"

OLD = """
INSERT INTO accounts VALUES (1, '100'), (2, '200');
INSERT INTO contacts VALUES (1, 'Ann'), (2, 'Bob'), (3, 'Cid'), (4, 'Nobody');
INSERT INTO aliases VALUES ('n:4915112345678', 1), ('u:DE.134912086', 1), ('n:551187654321', 2),
  ('u:DE.ENT.506', 3), ('u:DE.3', 3), ('n:49150', 4);
INSERT INTO sessions (id, chat, mode, opened_at) VALUES (1, 1, 0, 5), (2, 2, 1, 6), (3, 3, 0, 7),
  (4, 4, 0, 8);
INSERT INTO chats (id, account, contact, address, session) VALUES
  (1, 1, 1, '4915112345678', 1), (2, 2, 1, '4915112345678', 2), (3, 1, 2, '5511987654321', 3),
  (4, 1, 3, 'DE.3', 4);
"""


def old_file(path: Path) -> None:
    first = resources.files(migrations).joinpath("0001_first.sql").read_text()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            f"BEGIN; {first} {OLD}"
            f"PRAGMA application_id = {migrations.APPLICATION_ID}; PRAGMA user_version = 1; COMMIT;"
        )


def schema(path: Path) -> list[tuple[str, ...]]:
    """Every column of every table, every index, every trigger."""
    with closing(sqlite3.connect(path)) as connection:
        return sorted(_columns(connection)) + sorted(
            connection.execute(
                "SELECT type, name, tbl_name FROM sqlite_schema WHERE type IN ('index', 'trigger')"
            )
        )


def _columns(connection: sqlite3.Connection) -> Iterator[tuple[str, ...]]:
    for (table,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'"):
        for column in connection.execute("SELECT * FROM pragma_table_info(?)", (table,)):
            yield (table, *map(str, column))


async def opened(path: Path) -> Database:
    database = Database(path, log=logs.configure(level="error"))
    await database.open()
    return database


async def test_a_migrated_file_is_like_a_fresh_one(tmp_path: Path) -> None:
    old_file(tmp_path / "old.db")
    for name in ("old.db", "new.db"):
        await (await opened(tmp_path / name)).close()
    assert schema(tmp_path / "old.db") == schema(tmp_path / "new.db")


async def test_people_are_found_again(tmp_path: Path) -> None:
    old_file(tmp_path / "old.db")
    database = await opened(tmp_path / "old.db")
    directory = Directory()

    async def meet(account: str, sender: Sender) -> int:
        return await database.unit(lambda c: directory.meet(c, account, sender, 100).chat.id)

    assert await meet("100", Sender(NUMBER)) == 1
    assert await meet("100", Sender(NUMBER, USER)) == 1
    assert await meet("100", Sender(None, USER)) == 1
    assert await meet("200", Sender(None, USER)) == 2
    assert await meet("100", Sender("5511987654321")) == 3
    assert await meet("100", Sender("551187654321")) == 3
    assert await meet("100", Sender(None, "DE.3")) == 4
    assert await meet("100", Sender(None, None, PARENT)) == 4
    assert await meet("200", Sender("551187654321")) == 5
    assert await meet("100", Sender("49150")) == 6
    await database.close()


async def test_a_contact_of_several_accounts_is_merged_in_one(tmp_path: Path) -> None:
    """In the other one they are who they were, and off the record there."""
    old_file(tmp_path / "old.db")
    database = await opened(tmp_path / "old.db")
    directory = Directory()

    def work(connection: Connection) -> ChatRow | None:
        directory.meet(connection, "100", Sender(None, "DE.9"), 50)
        connection.execute("DELETE FROM aliases WHERE value = ? AND account = 1", (f"u:{USER}",))
        directory.meet(connection, "100", Sender(NUMBER, "DE.9"), 60)
        met = directory.meet(connection, "200", Sender(NUMBER), 70)
        assert met.chat.id == 2
        assert met.chat.session.mode is Mode.OFF_THE_RECORD
        return find_chat(connection, 1, 1)

    assert await database.unit(work) is not None
    await database.close()
