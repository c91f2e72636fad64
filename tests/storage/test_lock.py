"""Who has the file, and how to reach them."""

import json
import os
from pathlib import Path

import pytest

from openparallax.errors import Refusal
from openparallax.storage import Database, Holder, holder_of, lock
from tests.pipeline.doubles import RecordedLog


async def test_told_as_long_as_it_is_held(tmp_path: Path) -> None:
    path = tmp_path / "state" / "x.db"
    assert holder_of(path) is None
    database = Database(path, log=RecordedLog())
    await database.open()
    assert holder_of(path) == Holder(os.getpid(), None)
    socket = Path("/run/openparallax") / ("x" * 100) / "control.sock"
    database.announce(socket)
    assert holder_of(path) == Holder(os.getpid(), socket)
    database.announce(Path("/s"))
    assert holder_of(path) == Holder(os.getpid(), Path("/s"))
    database.announce(None)
    assert holder_of(path) == Holder(os.getpid(), None)
    await database.close()
    assert holder_of(path) is None
    database.announce(socket)  # says nothing any more
    assert holder_of(path) is None


@pytest.mark.parametrize("written", [b"", b"{", b"[]", b'{"pid": "1"}', b"\xff", b'{"pid": 1}'])
async def test_held_by_somebody_who_has_not_said(tmp_path: Path, written: bytes) -> None:
    path = tmp_path / "x.db"
    held = lock.Lock(path)
    held.take()
    lock.lock_path(path).write_bytes(written)
    assert holder_of(path) == Holder(0, None)
    held.release()


async def test_what_stands_behind_it_for_a_moment_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    held = lock.Lock(path)
    held.take()
    told = json.dumps({"pid": 7, "socket": None}) + '\nock"}\n'
    lock.lock_path(path).write_text(told)
    assert holder_of(path) == Holder(7, None)
    held.release()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
async def test_without_rights(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    lock.lock_path(path).touch(mode=0o000)
    with pytest.raises(Refusal, match="or as root"):
        holder_of(path)
