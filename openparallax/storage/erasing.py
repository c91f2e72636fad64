"""Words that go for good: all of a person's sessions, or all that came in long enough ago.

In place and byte for byte, so that SQLite moves nothing and leaves no copy behind (`transcripts`);
gone from the files after the next truncating checkpoint. In small steps, since each holds the
writer: first what is due is looked up, on any connection, then a unit scrubs it.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from openparallax.storage.database import Connection

SCAN = 20_000
"""Rows that are looked through at a time."""
STEP = 400
"""Rows that are scrubbed in one unit at most."""
STEP_BYTES = 500_000
"""The same in bytes of words, save a single longer row."""
_CURSOR, _ARRIVED = "retention_row", "retention_arrived"


class Row(NamedTuple):
    """A row of the transcript that still has its words.

    Attributes:
        id: Rises with every row.
        turn: Whose words they are.
        session: The same.
        length: Of the words, in bytes.
    """

    id: int
    turn: int
    session: int
    length: int


def in_steps(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """``rows`` in pieces that are small enough for a unit."""
    step: list[Row] = []
    size = 0
    for row in rows:
        if step and (len(step) == STEP or size + row.length > STEP_BYTES):
            yield step
            step, size = [], 0
        step.append(row)
        size += row.length
    if step:
        yield step


def scrub(connection: Connection, rows: Sequence[Row]) -> None:
    """Overwrite the words of these rows; part of a unit. May be repeated."""
    connection.executemany(
        "UPDATE transcript SET role = 6, words = printf('%*s', length(CAST(words AS BLOB)), '') "
        "WHERE id = ? AND role <> 6",
        [(row.id,) for row in rows],
    )


def leave_history(connection: Connection, rows: Sequence[Row]) -> int:
    """Take the turns of these rows out of their sessions' history; how many were in it."""
    before = connection.total_changes
    connection.executemany(
        "DELETE FROM session_turns WHERE session = ? AND turn = ?",
        {(row.session, row.turn) for row in rows},
    )
    return connection.total_changes - before


def last_row(connection: Connection) -> int:
    """The latest row of the transcript, 0 if there is none."""
    return int(connection.execute("SELECT coalesce(max(id), 0) FROM transcript").fetchone()[0])


# -- a person -------------------------------------------------------------------------------------


def mark(connection: Connection, chat: int) -> None:
    """All that was said on the record in a chat so far is to be scrubbed; part of a unit."""
    connection.execute(
        "INSERT INTO forgotten SELECT id, chat FROM sessions WHERE chat = ? AND mode = 0 "
        "ON CONFLICT DO NOTHING",
        (chat,),
    )


def marked(connection: Connection) -> dict[int, list[int]]:
    """Chat -> its sessions that are to be scrubbed, as was marked."""
    found: dict[int, list[int]] = {}
    for session, chat in connection.execute("SELECT session, chat FROM forgotten ORDER BY session"):
        found.setdefault(chat, []).append(session)
    return found


def unmark(connection: Connection, sessions: Collection[int]) -> None:
    """The words of these sessions are in no file any more."""
    connection.executemany("DELETE FROM forgotten WHERE session = ?", [(s,) for s in sessions])


def rows_of(connection: Connection, sessions: Collection[int], above: int) -> list[Row]:
    """Rows of these sessions with words, among the next `SCAN` ids above ``above``.

    Looks through the table, whose only index is by turn: what is forgotten is seldom, and an index
    by session would cost every message.
    """
    rows = connection.execute(
        "SELECT id, turn, session, length(CAST(words AS BLOB)) FROM transcript "
        "WHERE id > ? AND id <= ? AND role <> 6 "
        "AND session IN (SELECT value FROM json_each(?)) ORDER BY id",
        (above, above + SCAN, json.dumps(sorted(sessions))),
    )
    return [Row(*row) for row in rows]


def drop_history(connection: Connection, session: int) -> int:
    """Take up to `STEP` turns out of a session's history; how many that were."""
    return connection.execute(
        "DELETE FROM session_turns WHERE session = ? AND turn IN "
        "(SELECT turn FROM session_turns WHERE session = ? LIMIT ?)",
        (session, session, STEP),
    ).rowcount


# -- what is old ----------------------------------------------------------------------------------


class Due(NamedTuple):
    """What is past its time, as far as one look went.

    Attributes:
        rows: To be scrubbed.
        above: Up to which row was looked.
        arrived: The latest time at which something up to there is known to have been here.
        is_all: Nothing behind it is due yet.
    """

    rows: list[Row]
    above: int
    arrived: int
    is_all: bool


def where(connection: Connection) -> tuple[int, int]:
    """Up to which row words were removed, and when the last of them had arrived."""
    found = dict(
        connection.execute("SELECT key, value FROM meta WHERE key IN (?, ?)", (_CURSOR, _ARRIVED))
    )
    return int(found.get(_CURSOR, 0)), int(found.get(_ARRIVED, 0))


def due(connection: Connection, above: int, arrived: int, cutoff: float, now: float) -> Due:
    """What came in before ``cutoff``, among the next rows.

    Rows stand in the order in which they came, so each came no earlier than any before it. A time
    that is ahead of the clock says nothing: it cannot be true, or the clock was set back. Such a
    row is old once one behind it is: else all words would go where a clock begins in the past, as
    on a machine without a battery for it. Nor does a time count that was believed while the clock
    itself was ahead.

    Args:
        connection: Any.
        above: Look from the row behind this one.
        arrived: The latest time of the rows up to there; unix seconds.
        cutoff: Unix seconds.
        now: Unix seconds.
    """
    rows: list[Row] = []
    in_doubt: list[Row] = []
    begin, most = above, 2 * STEP
    arrived = arrived if arrived <= now else 0
    found = connection.execute(
        "SELECT id, sent_at, role, turn, session, length(CAST(words AS BLOB)) FROM transcript "
        "WHERE id > ? ORDER BY id LIMIT ?",
        (above, most),
    ).fetchall()
    for row, sent_at, role, turn, session, length in found:
        if role != 6:
            in_doubt.append(Row(row, turn, session, length))
        if sent_at > now:
            continue
        if max(arrived, sent_at) >= cutoff:
            return Due(rows, above, arrived, is_all=True)
        above, arrived = row, max(arrived, sent_at)
        rows += in_doubt
        in_doubt.clear()
    return Due(rows, above, arrived, is_all=len(found) < most or above == begin)


def move_on(connection: Connection, above: int, arrived: int) -> None:
    """Note up to where words were removed; part of a unit."""
    connection.executemany(
        "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        [(_CURSOR, above), (_ARRIVED, arrived)],
    )


def busy(connection: Connection) -> set[int]:
    """Sessions with unfinished messages or open parcels; looks through what is unfinished."""
    return {
        row[0]
        for row in connection.execute(
            "SELECT session FROM envelopes UNION SELECT session FROM parcels WHERE state < 10"
        )
    }


def put_off(connection: Connection, rows: Sequence[Row]) -> None:
    """Their sessions have open work: try again later; part of a unit."""
    connection.executemany(
        "INSERT INTO overdue VALUES (?, ?) ON CONFLICT DO NOTHING",
        {(row.turn, row.session) for row in rows},
    )


class Overdue(NamedTuple):
    """Some of the turns that were put off.

    Attributes:
        turns: Each turn and its session, by rising number; none: there are no more.
        rows: What is to be scrubbed of them; less than their number where some was scrubbed since.
    """

    turns: list[tuple[int, int]]
    rows: list[Row]


def overdue(connection: Connection, above: int, last: int) -> Overdue:
    """The next turns that were put off, and their rows up to ``last``."""
    turns = connection.execute(
        "SELECT turn, session FROM overdue WHERE turn > ? ORDER BY turn LIMIT ?", (above, STEP)
    ).fetchall()
    rows = connection.execute(
        "SELECT id, turn, session, length(CAST(words AS BLOB)) FROM transcript "
        "WHERE turn IN (SELECT value FROM json_each(?)) AND id <= ? AND role <> 6 ORDER BY turn",
        (json.dumps([turn for turn, _ in turns]), last),
    )
    return Overdue(turns, [Row(*row) for row in rows])


def done_late(connection: Connection, turns: Collection[int]) -> None:
    """These are not overdue any more; part of a unit."""
    connection.executemany("DELETE FROM overdue WHERE turn = ?", [(turn,) for turn in turns])
