"""Both rooms, one after the other."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from openparallax.storage import Database
from tests.transcript.rooms import Room, durable, open_database, volatile


@pytest_asyncio.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await open_database(tmp_path)
    yield database
    await database.close()


@pytest.fixture(params=[durable, volatile], ids=["durable", "volatile"])
def room(request: pytest.FixtureRequest, database: Database) -> Room:
    made: Room = request.param(database)
    return made
