from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path

import pytest
import pytest_asyncio

from openparallax.app.plugins import engine_catalog, stage_catalog
from tests.app.process import Daemon


@pytest_asyncio.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[Daemon]:
    """A daemon that can be started, with a Graph; what is running in the end is killed."""
    async with Daemon(tmp_path) as daemon:
        yield daemon


@pytest.fixture
def catalogs_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking for what is installed takes long, and finds the same each time."""
    monkeypatch.setattr("tests.town.engine_catalog", cache(engine_catalog))
    monkeypatch.setattr("tests.town.stage_catalog", cache(stage_catalog))
    monkeypatch.setattr("openparallax.app.fittings.import_ahead", lambda _: None)  # for fakes
