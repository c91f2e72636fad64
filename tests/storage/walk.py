"""Files of every schema that ever shipped, with something in every table of it."""

import sqlite3
from contextlib import closing
from importlib import resources
from pathlib import Path

from openparallax.storage import migrations

ROWS = {
    1: """
INSERT INTO meta VALUES ('hash_key', x'00112233'), ('next_turn', 1001), ('running', 1000);
INSERT INTO accounts (id, phone_number_id) VALUES (1, '100'), (2, '200');
INSERT INTO contacts (id, name) VALUES (1, 'Ann'), (2, 'Bob');
INSERT INTO aliases (value, contact) VALUES ('n:4915112345678', 1), ('u:DE.ENT.506', 2);
INSERT INTO chats (id, account, contact, address, session, left_off, left_off_at) VALUES
  (1, 1, 1, '4915112345678', 2, 3, 900), (2, 2, 2, 'DE.ENT.506', 4, NULL, NULL);
INSERT INTO sessions (id, chat, mode, state, opened_at, before) VALUES
  (1, 1, 0, 2, 5, NULL), (2, 1, 0, 0, 6, NULL), (3, 1, 1, 2, 7, 2), (4, 2, 1, 0, 8, NULL);
INSERT INTO seen VALUES (1, 11), (1, -12), (-2, 13);
INSERT INTO envelopes (number, chat, session, mode, errand, sent_at, window_until, state, turn,
  detail, hash) VALUES (7, 1, 2, 0, 'answer', 50, 99, 1, 7, 'd', 70), (8, 2, 4, 1, 'answer', 51,
  99, 0, NULL, '', 71), (9, 1, 2, 0, 'answer', 52, 99, 2, NULL, '', 72);
INSERT INTO transcript (id, turn, part, session, role, sent_at, words) VALUES
  (1, 5, 0, 2, 2, 40, 'what is the time'), (2, 5, 1, 2, 3, 41, 'half past ten');
INSERT INTO session_turns VALUES (2, 5);
INSERT INTO parcels (number, chat, session, mode, turn, part, state, tokens, window_until,
  created_at, accepted) VALUES (1, 1, 2, 0, 5, 1, 10, 'ab', 99, 42, 77), (2, 1, 2, 0, 6, 1, 2, 'cd',
  99, 43, NULL);
""",
    2: """
UPDATE accounts SET display = '15550001111' WHERE id = 1;
UPDATE contacts SET no_marketing = 1 WHERE id = 2;
UPDATE chats SET taken_until = 77, alternate = 1 WHERE id = 1;
INSERT INTO aliases (account, value, contact, since) VALUES (1, 'w:n:4915112345678<5', 2, 5);
INSERT INTO transcript (turn, part, session, role, sent_at, words, hash) VALUES
  (6, 0, 2, 2, 44, 'and the day', 123);
UPDATE sessions SET again_at = 60 WHERE id = 4;
INSERT INTO merges VALUES (2, 1);
INSERT INTO news VALUES ('1', 'account_update', 's', 'e', '{}', 2, 33);
INSERT INTO usage VALUES (20000, 1, 'a-model', 'output', 5);
""",
    3: """
INSERT INTO forgotten VALUES (1, 1);
INSERT INTO overdue VALUES (5, 2);
""",
}
"""What is put into a file when it has come to a schema. A new schema adds what is new in it: a row
for each new table."""

Row = dict[str, object]


def file_of(path: Path, schema: int) -> None:
    """Make a file as a program of ``schema`` left it that had been there from the first one on."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        for step in sorted(resources.files(migrations).iterdir(), key=lambda file: file.name):
            if not step.name.endswith(".sql") or int(step.name[:4]) > schema:
                continue
            connection.executescript(
                f"BEGIN; {step.read_text()} {ROWS[int(step.name[:4])]}"
                f"PRAGMA application_id = {migrations.APPLICATION_ID};"
                f"PRAGMA user_version = {int(step.name[:4])}; COMMIT;"
            )


def content(path: Path) -> dict[str, list[Row]]:
    """Every row of every table."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        return {
            name: [dict(row) for row in connection.execute(f'SELECT * FROM "{name}"')]  # noqa: S608 - a table's name
            for (name,) in tables.fetchall()
        }
