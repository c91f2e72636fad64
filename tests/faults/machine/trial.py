"""The questions that each fault of the disk is asked, while it lasts and when it is gone."""

import asyncio
import datetime as dt
import sqlite3
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.app.patience import until
from tests.faults.daemon import Daemon
from tests.faults.talk import Talk
from tests.storage.test_migrations_copies import old_file

MOST_REASONS = 4
"""Of ``storage_failed``: the commit, the log's end and a reader may each have one of their own."""
NEARLY_A_MINUTE_S = 59
"""Between two lines that give the same."""


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


async def check_pages(daemon: Daemon, advice: str) -> None:
    """It lives, it is not ready and comes to say why, with the advice; and it counts."""
    assert await daemon.is_healthy()
    why = ""

    async def is_said() -> bool:
        nonlocal why
        status, why = await daemon.readiness()
        return status == 503 and advice in why

    try:
        await until(is_said)
    except TimeoutError:
        raise AssertionError(f"not {advice!r}: {why}") from None
    assert why.startswith("storage: ")
    assert str(daemon.database) in why
    assert await daemon.metric("openparallax_storage_failures_total") > 0
    assert await daemon.metric("openparallax_start_time_seconds") > 0


def check_log(daemon: Daemon, reason: str) -> None:
    """It says what is wrong and what to do, and not again and again."""
    lines = daemon.lines("storage_failed")
    assert any(line["reason"].startswith(reason) for line in lines), lines
    assert all(line["hint"] and line["path"] == str(daemon.database) for line in lines)
    reasons = {line["reason"] for line in lines}
    assert len(reasons) <= MOST_REASONS, lines
    for one in reasons:
        told = [_seconds(line) for line in lines if line["reason"] == one]
        assert all(after - before > NEARLY_A_MINUTE_S for before, after in pairwise(told)), lines
    assert len(daemon.lines("webhook_not_accepted")) == 0


def _seconds(line: dict[str, Any]) -> float:
    """When it was logged."""
    return dt.datetime.fromisoformat(line["timestamp"]).timestamp()


async def has_recovered(daemon: Daemon, talk: Talk, *, twice: int = 0) -> None:
    """The fault is gone: everything goes on by itself, and nothing was lost.

    First what was taken is answered, without another message of anybody; then Meta brings the rest.
    """
    await talk.is_answered()
    await talk.bring_again()
    await talk.is_answered()
    await daemon.becomes_ready()
    talk.judge(twice=twice, in_order=False)
    await until(lambda: daemon.lines("storage_recovered") != [])
    await until(lambda: daemon.integrity() == "ok")
    check_answers(daemon, talk)


async def is_quiet(daemon: Daemon, seconds: float) -> None:
    """The fault lasts; nobody says anything."""
    await asyncio.sleep(seconds)
    assert daemon.is_running
