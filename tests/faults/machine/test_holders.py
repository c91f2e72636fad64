"""Others who hold the file, or the right to write to it, while the daemon runs."""

import asyncio
import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from tests.faults.daemon import Daemon
from tests.faults.machine import trial
from tests.faults.machine.disks import needs_mounts, remount, small_disk
from tests.faults.talk import Talk


@contextmanager
def held(daemon: Daemon, how: str) -> Iterator[None]:
    """A program with a tool of its own has the file."""
    with closing(sqlite3.connect(daemon.database, isolation_level=None)) as other:
        other.execute(how)
        other.execute("SELECT count(*) FROM chats").fetchone()
        yield
        other.execute("ROLLBACK")


@pytest.mark.parametrize(
    "for_s", [pytest.param(5, id="seconds"), pytest.param(60, id="minute", marks=pytest.mark.long)]
)
@pytest.mark.parametrize(
    "how", [pytest.param("BEGIN IMMEDIATE", marks=pytest.mark.long), "BEGIN EXCLUSIVE"]
)
async def test_another_program_writes(daemon: Daemon, how: str, for_s: float) -> None:
    await daemon.start()
    talk = Talk(daemon)
    await talk.try_at_once(1)
    await talk.is_answered()
    for person in range(4):
        await talk.say(person, "slow")
    with held(daemon, how):
        posts = asyncio.ensure_future(talk.try_at_once(3))
        await asyncio.sleep(for_s)
        await trial.check_pages(daemon, "end what has it open")
    assert await posts <= {200, 503}
    trial.check_log(daemon, "SQLITE_BUSY")
    await trial.has_recovered(daemon, talk)


async def test_a_reader_that_does_not_end_is_no_obstacle(daemon: Daemon) -> None:
    """Not even for what is said off the record, save that the log is cut later."""
    await daemon.start()
    talk = Talk(daemon)
    await talk.try_at_once(1)
    with held(daemon, "BEGIN"):
        for _ in range(5):
            assert await talk.try_at_once(2, "lorem " * 500) == {200}
        await talk.is_answered()
        await daemon.becomes_ready()
    talk.judge(in_order=False)
    assert not daemon.lines("storage_failed")


@needs_mounts
async def test_a_read_only_disk_at_the_start(daemon: Daemon) -> None:
    with small_disk(daemon.state, 20_000):
        await daemon.start()
        await daemon.stop()
        remount(daemon.state, is_read_only=True)
        await daemon.launch()
        assert await daemon.ended_or_started() == 78
        assert "cannot use" in daemon.said
        assert "Read-only file system" in daemon.said
        remount(daemon.state, is_read_only=False)
        await daemon.start()
        assert await daemon.stop() == 0


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root and setpriv"
)
@pytest.mark.parametrize("mode", [0o500, 0o000])
async def test_a_folder_that_its_user_may_not_write_to(daemon: Daemon, mode: int) -> None:
    """The daemon runs as somebody else than its files' owner."""
    daemon.configure(engine={"type": "echo"})  # one that everybody may read
    await daemon.start()
    await daemon.stop()
    for path in (daemon.folder, *daemon.folder.parents):
        if path.stat().st_uid == os.geteuid() and path != path.parent:
            path.chmod(path.stat().st_mode | stat.S_IXOTH | stat.S_IXGRP)
    for file in daemon.folder.iterdir():
        file.chmod(file.stat().st_mode | stat.S_IROTH | (stat.S_IXOTH * file.is_dir()))
    daemon.state.chmod(mode)
    daemon.wrapped_by = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    await daemon.launch()
    assert await daemon.ended_or_started() == 78
    assert "Permission denied" in daemon.said
    assert str(daemon.database) in daemon.said
