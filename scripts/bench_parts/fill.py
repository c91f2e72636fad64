"""A database with a long past, for finding out whether anything grows with it."""

import sqlite3
import time
from pathlib import Path

from bench_parts.bodies import ACCOUNT, FIRST_CONTACT

_HOUR = 3600
_DAY = 24 * _HOUR

# One chat with one answered message each. The order of the columns is the schema's affair, so
# they are named; :now and :chats are the only parameters.
_NUMBERS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :chats) "
_STATEMENTS = (
    "INSERT OR IGNORE INTO accounts (id, phone_number_id) VALUES (1, :account)",
    _NUMBERS + "INSERT INTO contacts (id, name) SELECT i, 'Ann Example' FROM n",
    _NUMBERS
    + "INSERT INTO aliases (account, value, contact) SELECT 1, 'n:' || (:first + i - 1), i FROM n",
    _NUMBERS + "INSERT INTO aliases (account, value, contact)"
    " SELECT 1, 'u:DE.1349120865530' || (:first + i - 1), i FROM n",
    _NUMBERS + "INSERT INTO chats (id, account, contact, address, session)"
    " SELECT i, 1, i, :first + i - 1, i FROM n",
    _NUMBERS + "INSERT INTO sessions (id, chat, mode, opened_at)"
    " SELECT i, i, 0, :now - :month FROM n",
    _NUMBERS + "INSERT INTO transcript (turn, part, session, role, sent_at, words)"
    " SELECT i, 0, i, 2, :now - :month, 'Hello, are you open on the second of May?' FROM n",
    _NUMBERS + "INSERT INTO transcript (turn, part, session, role, sent_at, words)"
    " SELECT i, -1, i, 3, :now - :month, 'Yes, from nine until half past six.' FROM n",
    _NUMBERS + "INSERT INTO transcript (turn, part, session, role, sent_at, words)"
    " SELECT i, 1, i, 4, :now - :month, 'Yes, from nine until half past six.' FROM n",
    _NUMBERS + "INSERT INTO session_turns (session, turn) SELECT i, i FROM n",
    _NUMBERS + "INSERT INTO parcels"
    " (number, chat, session, mode, turn, part, state, attempts, window_until, created_at)"
    " SELECT i, i, i, 0, i, 1, 10, 1, :now, :now - :week FROM n",
    # The last seven days' messages; those before were forgotten.
    _NUMBERS + "INSERT INTO seen (bucket, hash)"
    " SELECT :now - :week + i * 576000 / :chats, random() FROM n",
    # The daemon's counters go on behind these.
    "INSERT OR REPLACE INTO meta (key, value) VALUES ('next_turn', :chats + 1)",
    "INSERT OR REPLACE INTO meta (key, value) VALUES ('next_parcel', :chats + 1)",
)


def fill(path: Path, chats: int) -> float:
    """Put ``chats`` stored chats into the daemon's own, still empty file; return the seconds.

    The numbers of the contacts follow each other from `FIRST_CONTACT`. The daemon must not run.
    """
    started = time.perf_counter()
    now = int(time.time())
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA synchronous = OFF")
    database.execute("BEGIN")
    parameters = {
        "account": ACCOUNT,
        "first": FIRST_CONTACT,
        "chats": chats,
        "now": now,
        "month": 28 * _DAY,
        "week": 7 * _DAY,
    }
    for statement in _STATEMENTS:
        database.execute(statement, parameters)
    database.execute("COMMIT")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return time.perf_counter() - started
