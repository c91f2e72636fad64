"""The questions that each fault of the disk is asked, while it lasts and when it is gone."""

import asyncio
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

from tests.app.patience import until
from tests.faults.daemon import Daemon
from tests.faults.talk import Talk
from tests.storage.test_migrations_copies import old_file

MOST_LINES = 4
"""Of ``storage_failed``, in the seconds that a fault lasts here: of each reason one, and the
commit, the log's end and a reader may each have a reason of their own."""


def used_file(path: Path, version: int, *words: str) -> None:
    """A file of an older schema, as it is after use: what is in it shares no number with others."""
    old_file(path, version, *words)
    with closing(sqlite3.connect(path)) as file:
        file.execute("UPDATE sessions SET state = 2")
        file.execute("INSERT INTO meta VALUES ('next_turn', ?)", (len(words),))
        file.commit()


def stored_words(daemon: Daemon) -> set[str]:
    """First words of what people said, as another connection finds it on the disk."""
    with closing(sqlite3.connect(f"file:{daemon.database}?mode=ro", uri=True)) as file:
        rows = file.execute("SELECT words FROM transcript WHERE part = 0").fetchall()
    return {word for (words,) in rows for word in words.split() if word.startswith("word")}


def check_answers(daemon: Daemon, talk: Talk) -> None:
    """Meta was told 200 of exactly what is on the disk, and 503 of everything else."""
    stored = stored_words(daemon)
    wrong = [
        (one.word, one.answers)
        for one in talk.said
        if one.is_taken != (one.word in stored) or not set(one.answers) <= {200, 503}
    ]
    assert not wrong


async def check_pages(daemon: Daemon) -> str:
    """It lives, it is not ready and says why, and counts; what it says."""
    assert await daemon.is_healthy()
    status, why = await daemon.readiness()
    assert status == 503
    assert why.startswith("storage: ")
    assert str(daemon.database) in why
    assert await daemon.metric("openparallax_storage_failures_total") > 0
    assert await daemon.metric("openparallax_start_time_seconds") > 0
    return why


def check_log(daemon: Daemon, reason: str) -> None:
    """It says what is wrong and what to do, and not again and again."""
    lines = daemon.lines("storage_failed")
    assert any(line["reason"].startswith(reason) for line in lines), lines
    assert all(line["hint"] and line["path"] == str(daemon.database) for line in lines)
    assert len(lines) <= MOST_LINES, lines
    assert max(Counter(line["reason"] for line in lines).values()) == 1
    assert len(daemon.lines("webhook_not_accepted")) == 0


async def has_recovered(daemon: Daemon, talk: Talk, *, twice: int = 0) -> None:
    """The fault is gone: everything goes on by itself, and nothing was lost.

    First what was taken is answered, without another message of anybody; then Meta brings the rest.
    """
    await talk.is_answered()
    await talk.bring_again()
    await talk.is_answered()
    await daemon.becomes_ready()
    talk.judge(twice=twice, in_order=False)
    assert daemon.lines("storage_recovered")
    await until(lambda: daemon.integrity() == "ok")
    check_answers(daemon, talk)


async def is_quiet(daemon: Daemon, seconds: float) -> None:
    """The fault lasts; nobody says anything."""
    await asyncio.sleep(seconds)
    assert daemon.is_running
