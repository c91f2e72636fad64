"""What a restored file is told of by the one that it replaces."""

import sqlite3
from contextlib import closing
from pathlib import Path

from openparallax.storage import telling
from openparallax.storage.migrations import migrate


def _make(path: Path, *, mode: int, aliases: tuple[str, ...]) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        migrate(file)
        file.execute("INSERT INTO accounts (id, phone_number_id) VALUES (1, '9')")
        file.execute("INSERT INTO contacts (id) VALUES (1)")
        file.execute(
            "INSERT INTO sessions (id, chat, mode, opened_at) VALUES (1, 1, ?, 5)", (mode,)
        )
        file.execute(
            "INSERT INTO chats (id, account, contact, address, session) VALUES (1, 1, 1, '+4', 1)"
        )
        file.executemany(
            "INSERT INTO aliases (account, value, contact) VALUES (1, ?, 1)",
            [(one,) for one in aliases],
        )


def test_whoever_is_known_by_the_same_id_in_two_ways_goes_off_once(tmp_path: Path) -> None:
    now, backup = tmp_path / "now.db", tmp_path / "backup.db"
    _make(now, mode=1, aliases=("u:DE.1",))
    _make(backup, mode=0, aliases=("u:DE.1", "p:DE.1", "n:4"))
    assert telling.tell(now, backup)
    with closing(sqlite3.connect(backup)) as file:
        sessions = file.execute("SELECT id, mode, state, before FROM sessions").fetchall()
        [open_one] = file.execute("SELECT session FROM chats").fetchone()
    assert sessions == [(1, 0, 1, None), (2, 1, 0, 1)]
    assert open_one == 2
