from collections.abc import AsyncIterator

import pytest_asyncio

from openparallax.emulator import Emulator
from tests.emulator.phone.browser import Browser


@pytest_asyncio.fixture
async def page(emulator: Emulator) -> AsyncIterator[Browser]:
    """What a browser asks that shows the emulator's page."""
    async with Browser(emulator.url) as browser:
        yield browser
