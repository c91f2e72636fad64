"""Damage that shows only when a page is read: in a daemon that runs, or is about to."""

import asyncio
import sqlite3
from collections import Counter
from contextlib import closing

import pytest

from tests.faults.daemon import Daemon
from tests.faults.machine.short import mostly_long
from tests.faults.talk import Talk

TABLES = ["chats", "sessions", "envelopes", "transcript", "parcels", "seen", "meta", "aliases"]


def spoil(daemon: Daemon, table: str) -> None:
    """Overwrite the first page of a table, as a disk does that writes to the wrong place."""
    with closing(sqlite3.connect(daemon.database)) as file:
        (page,) = file.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)
        ).fetchone()
        (size,) = file.execute("PRAGMA page_size").fetchone()
    with daemon.database.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)


SHORT = {"chats", "envelopes", "transcript", "parcels"}


@pytest.mark.parametrize("table", mostly_long(TABLES, str, short=SHORT))
async def test_a_page_of_a_table(daemon: Daemon, table: str) -> None:
    """It does not start, or lives and says that its file is damaged; nobody is told 200 falsely."""
    daemon.must_be_whole = False
    await daemon.start()
    talk = Talk(daemon)
    await talk.try_at_once(2)
    await talk.is_answered()
    await daemon.stop()
    spoil(daemon, table)
    told = len(daemon.said)
    await daemon.launch()
    code = await daemon.ended_or_started()
    if code is not None:
        assert code == 78, daemon.said[told:]
        assert "damaged" in daemon.said[told:] or "malformed" in daemon.said[told:]
        assert "restore a" in daemon.said[told:]
        return
    late = Talk(daemon)
    for _ in range(5):
        assert await late.try_at_once(2) <= {200, 503}
        await asyncio.sleep(0.3)
    assert await daemon.is_healthy()
    if any(503 in one.answers for one in late.said) or daemon.lines("storage_failed"):
        status, why = await daemon.readiness()
        assert status == 503
        assert "the file is damaged" in why
        assert "restore a backup" in why
    events = Counter(line["event"] for line in daemon.lines())
    assert events["storage_failed"] <= 3
    del events["turn_done"]  # one line a turn, however many messages it answers
    assert max(events.values()) <= 30, events
    assert await daemon.stop() == 0
