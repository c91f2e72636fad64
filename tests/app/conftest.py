from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.app.process import Daemon


@pytest_asyncio.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[Daemon]:
    """A daemon that can be started, with a Graph; what is running in the end is killed."""
    async with Daemon(tmp_path) as daemon:
        yield daemon
