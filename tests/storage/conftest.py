from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from openparallax.storage import Database
from tests.storage.notes import Notes


@pytest_asyncio.fixture
async def notes(tmp_path: Path) -> AsyncIterator[Notes]:
    """An open database with a table of its own, and a second look at what is on disk."""
    async with Notes(tmp_path / "state" / "x.db") as notes:
        yield notes


@pytest_asyncio.fixture
async def database(notes: Notes) -> Database:
    return notes.database
