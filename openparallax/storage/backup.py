"""A copy of the file for elsewhere, made while it is in use.

A backup is copied in steps by the connection that writes, each step between two groups. So nobody
waits longer than for a step, SQLite itself adds what is written meanwhile (a change by any other
connection would make it begin anew), no reader holds the log back, and the copy is the file as it
was at its end.
"""

import asyncio
import os
import sqlite3
import threading
from typing import Self

from openparallax.errors import NotStored, Refusal
from openparallax.storage import copies, room
from openparallax.storage.database import Connection, Database
from openparallax.storage.unit import name_of

STEP_PAGES = 256
PIECE_BYTES = 1024 * 1024


class Backup:
    """A finished copy, read in pieces. It has no name, so that it goes with whoever reads it.

    Attributes:
        size: In bytes.
    """

    def __init__(self, file: int) -> None:
        self._file: int | None = file
        self._at = 0
        self.size = os.fstat(file).st_size

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._file is None:
            raise StopAsyncIteration
        piece = await asyncio.to_thread(os.pread, self._file, PIECE_BYTES, self._at)
        if not piece:
            self.close()
            raise StopAsyncIteration
        self._at += len(piece)
        return piece

    async def aclose(self) -> None:
        """Let the copy go; may be called twice."""
        self.close()

    def close(self) -> None:
        """Let the copy go; may be called twice."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def __del__(self) -> None:
        self.close()


async def make(database: Database) -> Backup:
    """Copy an open database; to be read in pieces.

    Raises:
        Refusal: The disk has no room (75), or failed.
        NotStored: The database was closed meanwhile.
    """
    path = copies.unfinished(database.path)
    try:
        room.check_room(path.parent, copies.size_of(database.path))
        copies.remove(path)
        file = copies.create(path)
        try:
            try:
                target = copies.open_target(path)
            finally:
                path.unlink()  # from here on no crash leaves words behind
            steps = _Steps(target)
            try:
                await database.copy_to(steps)
            except NotStored:
                if steps.failed is not None:
                    raise steps.failed from None
                raise
            finally:
                await asyncio.to_thread(target.close)
            await asyncio.to_thread(copies.finish, file)
        except BaseException:
            os.close(file)
            raise
    except room.NoRoomError as error:
        raise Refusal(str(error), exit_code=75) from None
    except (OSError, sqlite3.Error) as error:
        name = name_of(error) if isinstance(error, sqlite3.Error) else error.strerror
        raise Refusal(f"no copy of {database.path} could be made ({name})", exit_code=75) from None
    return Backup(file)


class _AbandonedError(Exception):
    """The copy is not wanted any more."""


class _Steps:
    """Copies step by step: SQLite's call runs on a thread, and waits for leave before each step.

    Attributes:
        failed: What was in the way.
    """

    def __init__(self, target: Connection) -> None:
        self._target = target
        self._leave = threading.Semaphore(0)
        self._back = threading.Semaphore(0)
        self._lock = threading.Lock()
        self._is_abandoned = False
        self._is_over = False
        self.failed: BaseException | None = None
        self._thread: threading.Thread | None = None

    def step(self, source: Connection) -> bool:
        """Copy some pages; True if that was all. Nothing else may use ``source`` meanwhile."""
        with self._lock:
            if self._is_abandoned:
                return True
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, args=(source,), name="backup")
                self._thread.start()
            self._leave.release()
        self._back.acquire()
        if self.failed is not None:
            raise self.failed
        return self._is_over

    def abandon(self) -> None:
        """End it; nothing uses ``source`` any more when this returns. May be called at any time."""
        with self._lock:
            self._is_abandoned = True
            self._leave.release()
        if self._thread is not None:
            self._thread.join()

    def _run(self, source: Connection) -> None:
        self._leave.acquire()
        try:
            source.backup(self._target, pages=STEP_PAGES, progress=self._wait, sleep=0.01)
        except _AbandonedError:
            pass
        except Exception as error:  # noqa: BLE001 - raised where the step was asked for
            self.failed = error
        self._is_over = True
        self._back.release()

    def _wait(self, _status: int, remaining: int, _total: int) -> None:
        if remaining == 0:
            return
        self._back.release()
        self._leave.acquire()
        if self._is_abandoned:
            raise _AbandonedError
