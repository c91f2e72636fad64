"""What every test may ask for."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.fakes.engines import FakeEngine
from tests.town import Town


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest_asyncio.fixture
async def town(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: FakeEngine
) -> AsyncIterator[Town]:
    """A house with `engine`, between a fake Meta and a fake Graph."""
    async with Town(tmp_path, monkeypatch, engine=engine) as town:
        yield town
