"""Off the record with a disk that fails: 503, brought again, and still nothing written."""

import asyncio
import resource
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from openparallax.app import housekeeping
from openparallax.session.notices import SENTENCES
from tests.canary import Canary, heard_singing
from tests.fakes import meta
from tests.fakes.engines import FakeEngine, Gate
from tests.town import ANN, Town

T0 = int(time.time()) - 600


async def go_off(town: Town) -> None:
    await town.say(ANN, "/otr", at=T0)
    await town.until(lambda: SENTENCES["otr"] in town.heard(ANN))
    await town.quiet()


def fill(town: Town) -> None:
    """No page more than there are."""
    connection = town.up.database._writer._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")


def empty(town: Town) -> None:
    town.up.database._writer._connection.execute("PRAGMA max_page_count = 1000000")


async def test_a_full_disk(town: Town, engine: FakeEngine) -> None:
    """Full in the middle of it all: who gets 503 brings it again, and all are answered."""
    canaries = [Canary() for _ in range(200)]
    gate = Gate()
    engine.answer_with = gate
    await go_off(town)
    fill(town)
    messages = [
        meta.text(ANN, canary.words, at=T0 + 1 + place) for place, canary in enumerate(canaries)
    ]
    statuses = [await town.post_once(message) for message in messages]
    assert set(statuses) == {200, 503}
    assert heard_singing(town, *canaries) == []
    empty(town)
    for message in messages:
        await town.post(message)
    gate.open()
    await town.until(lambda: all(any(c.words in s for s in town.heard(ANN)) for c in canaries))
    await town.quiet()
    spoken = "\n".join(town.heard(ANN))
    assert [spoken.count(canary.words) for canary in canaries] == [1] * 200
    assert heard_singing(town, *canaries) == []


async def test_a_disk_that_fails_while_the_turn_ends(town: Town, engine: FakeEngine) -> None:
    canary = Canary()
    await go_off(town)
    gate = Gate()
    engine.answer_with = gate
    await town.say(ANN, canary.words, at=T0 + 1)
    await town.until(lambda: gate.waiting == 1)
    town.up.database._writer._connection.execute("PRAGMA query_only = ON")
    gate.open()
    await town.until(lambda: "storage_failed" in town.log.getvalue())
    assert await town.post_once(meta.text(ANN, f"more {canary}", at=T0 + 2)) == 503
    town.up.database._writer._connection.execute("PRAGMA query_only = OFF")
    await town.until(lambda: canary.words in town.heard(ANN))
    await town.quiet()
    assert len(engine.asked) == 1
    assert heard_singing(town, canary) == []


async def test_otr_that_could_not_be_stored_is_not_confirmed(town: Town) -> None:
    await town.say(ANN, "hello", at=T0)
    await town.hears(ANN, 1)
    await town.quiet()
    town.up.database._writer._connection.execute("PRAGMA query_only = ON")
    assert await town.post_once(meta.text(ANN, "/otr", at=T0 + 1)) == 503
    town.up.database._writer._connection.execute("PRAGMA query_only = OFF")
    await asyncio.sleep(0.05)
    assert SENTENCES["otr"] not in town.heard(ANN)
    await town.say(ANN, "/status", at=T0 + 2)
    await town.until(lambda: town.heard(ANN)[-1].startswith("On the record"))


async def test_words_refused_on_the_record_and_taken_off_it(town: Town) -> None:
    """503, then ``/otr`` that was sent before, then the words again: off the record by now.

    What the failed transaction had put into the log must be gone: a big one spills before it ends.
    """
    canary = Canary()
    await town.say(ANN, "hello", at=T0)
    await town.hears(ANN, 1)
    await town.quiet()
    connection = town.up.database._writer._connection
    connection.execute("PRAGMA cache_size = 10")
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages + 15}")
    words = [
        meta.text(ANN, f"{canary} {place} " + "x" * 4000, at=T0 + 20 + place) for place in range(30)
    ]
    assert await town.post_once(*words) == 503
    empty(town)
    await town.say(ANN, "/otr", at=T0 + 10)
    assert heard_singing(town, canary) == []
    await town.post(*words)
    await town.until(lambda: any(f"{canary} 29" in said for said in town.heard(ANN)))
    await town.quiet()
    assert heard_singing(town, canary) == []


@contextmanager
def files_at_most(size: int) -> Iterator[None]:
    """Writing past ``size`` bytes of a file fails, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_words_refused_by_the_commit_itself(town: Town) -> None:
    """The disk fills up while the log is being written: half of the words are in it."""
    canary = Canary()
    await town.say(ANN, "hello", at=T0)
    await town.hears(ANN, 1)
    await town.quiet()
    words = [
        meta.text(ANN, f"{canary} {place} " + "x" * 4000, at=T0 + 20 + place) for place in range(30)
    ]
    log = town.state / "openparallax.db-wal"
    with files_at_most(log.stat().st_size + 60_000):
        assert await town.post_once(*words) == 503
    await town.say(ANN, "/otr", at=T0 + 10)
    assert heard_singing(town, canary) == []
    await town.post(*words)
    await town.until(lambda: any(f"{canary} 29" in said for said in town.heard(ANN)))
    await town.quiet()
    assert heard_singing(town, canary) == []


async def test_a_turn_undone_by_a_late_otr_has_not_touched_the_log(
    town: Town, engine: FakeEngine
) -> None:
    """The turn's write comes too late and is rolled back; even so its pages must not have spilt."""
    canary = Canary()
    town.up.database._writer._connection.execute("PRAGMA cache_size = 10")
    gate = Gate()
    engine.answer_with = gate
    long = " ".join(canary.words for _ in range(1500))
    await town.say(ANN, long, at=T0 + 20)
    await town.until(lambda: gate.waiting == 1)
    await town.say(ANN, "/otr", at=T0 + 10)
    gate.open()
    await town.until(lambda: sum(said.count(canary.core) for said in town.heard(ANN)) == 1500)
    await town.quiet()
    assert heard_singing(town, canary) == []


async def test_the_log_is_cut_even_if_somebody_reads_the_file_meanwhile(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "TRUNCATE_EVERY_S", 0.05)
    canary = Canary()
    await town.say(ANN, canary.words, at=T0 + 20)
    await town.hears(ANN, 1)
    await town.quiet()
    tool = sqlite3.connect(town.state / "openparallax.db", isolation_level=None)
    tool.execute("BEGIN")
    tool.execute("SELECT count(*) FROM transcript").fetchone()
    await town.say(ANN, "/otr", at=T0 + 10)
    assert heard_singing(town, canary)
    tool.execute("COMMIT")
    tool.close()
    await town.until(lambda: "log_truncated" in town.log.getvalue())
    assert heard_singing(town, canary) == []
