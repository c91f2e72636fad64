"""A database with a long past, for finding out whether anything grows with it."""

import sqlite3
import time
from pathlib import Path

from bench_parts.bodies import ACCOUNT, FIRST_CONTACT

DAY_S = 86400
PAST_DAYS = 150
TURNS = 5
"""Of each contact, a message and its answer each: ten messages."""

_CHATS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :chats) "
_TURNS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :turns) "
_NUMBER = ":first + (i - 1) * :step"
# Turn i is of chat 1 + (i - 1) % :chats, so that what a chat said lies far apart, as it would.
_CHAT = "1 + (i - 1) % :chats"
_SENT_AT = ":now - :past + i * :past / :turns"
_WORDS = "INSERT INTO transcript (turn, part, session, role, sent_at, words, hash) "
# The order of the columns is the schema's affair, so they are named.
_STATEMENTS = (
    "INSERT OR IGNORE INTO accounts (id, phone_number_id) VALUES (1, :account)",
    _CHATS + "INSERT INTO contacts (id, name) SELECT i, 'Ann Example' FROM n",
    _CHATS + f"INSERT INTO aliases (account, value, contact) SELECT 1, 'n:' || ({_NUMBER}), i"
    " FROM n",
    _CHATS + "INSERT INTO aliases (account, value, contact)"
    f" SELECT 1, 'u:DE.1349120865530' || ({_NUMBER}), i FROM n",
    _CHATS + "INSERT INTO chats (id, account, contact, address, session)"
    f" SELECT i, 1, i, {_NUMBER}, i FROM n",
    _CHATS + "INSERT INTO sessions (id, chat, mode, opened_at) SELECT i, i, 0, :now - :past FROM n",
    # Question and answer stand side by side, in the order in which they came.
    _TURNS + _WORDS + f"SELECT i, p.part, {_CHAT}, p.role, {_SENT_AT}, p.words,"
    " CASE p.part WHEN 0 THEN random() END FROM n,"
    " (SELECT 0 AS part, 2 AS role, 'Hello, are you open on the second of May?' AS words"
    " UNION ALL SELECT -1, 3, 'Yes, from nine until half past six.') p",
    _CHATS + "INSERT INTO session_turns (session, turn)"
    " SELECT i, i + r.value * :chats FROM n, json_each(:rounds) r",
    # What was sent in the last thirty days, and seen in the last eight.
    _CHATS + "INSERT INTO parcels"
    " (number, chat, session, mode, turn, part, state, attempts, window_until, created_at)"
    " SELECT i, i, i, 0, i + :turns - :chats, -1, 10, 1, :now,"
    " :now - 29 * 86400 + i * 2505600 / :chats FROM n",
    _CHATS + "INSERT INTO seen (bucket, hash)"
    " SELECT :now - 691200 + i * 691200 / :chats, random() FROM n",
    # The daemon's counters go on behind these.
    "INSERT OR REPLACE INTO meta (key, value) VALUES ('next_turn', :turns + 1)",
    "INSERT OR REPLACE INTO meta (key, value) VALUES ('next_parcel', :chats + 1)",
)


def fill(path: Path, chats: int, step: int = 1) -> float:
    """Put ``chats`` stored chats into the daemon's own, still empty file; return the seconds.

    The numbers of the contacts are ``step`` apart, from `FIRST_CONTACT` on. The daemon must not
    run.
    """
    started = time.perf_counter()
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA synchronous = OFF")
    database.execute("PRAGMA cache_size = -200000")
    database.execute("BEGIN")
    parameters = {
        "account": ACCOUNT,
        "first": FIRST_CONTACT,
        "step": step,
        "chats": chats,
        "turns": TURNS * chats,
        "rounds": str(list(range(TURNS))),
        "now": int(time.time()),
        "past": PAST_DAYS * DAY_S,
    }
    for statement in _STATEMENTS:
        database.execute(statement, parameters)
    database.execute("COMMIT")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return time.perf_counter() - started
