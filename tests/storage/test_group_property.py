"""For any groups of good and bad units: told is what is on disk, and the good ones get there."""

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from openparallax.errors import NotStored, Stale
from openparallax.storage import Connection
from openparallax.storage.meta import Numbers
from tests.storage.notes import Notes, leave_pages

GOOD, BIG, TWICE, RAISES, STALE, HALF, ROLLS_BACK = range(7)
FAILS_ALL = {BIG, ROLLS_BACK}


@dataclass
class Cache:
    """What a door remembers: how many rows there are. It must be dropped when it may be wrong."""

    count: int | None = None

    def drop(self) -> None:
        self.count = None


class Model:
    """Units that check the cache against the table, and what should have come of them."""

    def __init__(self, notes: Notes) -> None:
        self.notes = notes
        self.numbers = Numbers("made_up")
        self.cache = Cache()
        self.given: list[int] = []
        self.wanted: list[int] = []
        notes.database.on_failure(self.cache.drop)
        notes.database.on_failure(self.numbers.drop)

    def unit(self, kind: int, connection: Connection) -> int:
        (there,) = connection.execute("SELECT count(*) FROM notes").fetchone()
        assert self.cache.count in (None, there), "the cache knows better than the file"
        number = self.numbers.take(connection)
        self.given.append(number)
        size = 60_000 if kind == BIG else 10
        connection.execute("INSERT INTO notes VALUES (?, ?)", (number, "x" * size))
        self.cache.count = there + 1
        if kind == TWICE:
            connection.execute("INSERT INTO notes VALUES (?, '')", (number,))
        elif kind == RAISES:
            raise ValueError("made up")
        elif kind == STALE:
            raise Stale
        elif kind == HALF:
            connection.execute("INSERT INTO notes VALUES (-1, ?)", ("\ud83d",))
        elif kind == ROLLS_BACK:
            connection.execute("INSERT INTO refused VALUES (1)")
        return number

    async def burst(self, kinds: list[int]) -> None:
        outcomes = await self.notes.together(
            *(lambda connection, kind=kind: self.unit(kind, connection) for kind in kinds)
        )
        for kind, outcome in zip(kinds, outcomes, strict=True):
            if isinstance(outcome, int):
                self.wanted.append(outcome)
            elif FAILS_ALL.isdisjoint(kinds):
                assert kind != GOOD
            else:
                assert isinstance(outcome, NotStored | ValueError | Stale | UnicodeEncodeError)
        assert self.notes.on_disk == self.wanted


@given(
    st.lists(st.lists(st.integers(GOOD, ROLLS_BACK), min_size=1, max_size=6), max_size=6),
    st.integers(0, 3),
)
@settings(max_examples=60, deadline=None)
def test_any_groups(bursts: list[list[int]], pages: int) -> None:
    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with Notes(Path(folder) / "x.db") as notes:
                model = Model(notes)
                for kinds in bursts:
                    leave_pages(notes.connection, pages)
                    await model.burst(kinds)
                leave_pages(notes.connection, None)
                await model.burst([GOOD] * 3)
                assert model.wanted == sorted(set(model.wanted))
                assert model.given == sorted(set(model.given))

    asyncio.run(run())
