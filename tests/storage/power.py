"""The power goes at one certain commit: just before it is on disk, or just after."""

import asyncio

import pytest

from openparallax.storage.writer import Writer


class PowerCut:
    """Counts commits from `arm` on; at the n-th the database falls silent, as in a killed process.

    Nobody is told of that commit, and nothing is written after it. `happened` is then set, and it
    is for the test to let the house go (`Town.crash`).
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.happened = asyncio.Event()
        self._left = 0
        self._is_after = False
        commit = Writer._commit

        def commit_or_not(writer: Writer) -> None:
            self._left -= 1
            if self._left != 0:
                commit(writer)
                return
            writer._connection.execute("COMMIT" if self._is_after else "ROLLBACK")
            writer._loop.call_soon_threadsafe(self._cut, writer)

        monkeypatch.setattr(Writer, "_commit", commit_or_not)

    def arm(self, commit: int, *, is_after: bool) -> None:
        """Cut at the ``commit``-th commit from now, counted from 1."""
        self.happened = asyncio.Event()
        self._left, self._is_after = commit, is_after

    def disarm(self) -> None:
        self._left = 0

    def _cut(self, writer: Writer) -> None:
        writer.is_closing = True
        for unit in (*writer._group, *writer._waiting):
            unit.future.cancel()  # so that whoever waits for it can be let go
        writer._group = []
        writer._waiting.clear()
        self.happened.set()
