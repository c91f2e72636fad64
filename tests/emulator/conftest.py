from collections.abc import AsyncIterator

import pytest_asyncio

from openparallax.emulator import Emulator
from tests.emulator.bot import Bot


@pytest_asyncio.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with Emulator() as running:
        yield running


@pytest_asyncio.fixture
async def bot(emulator: Emulator) -> AsyncIterator[Bot]:
    """Where the emulator's webhooks go."""
    account = emulator.world.account
    async with Bot(account.app_secret, account.verify_token) as listening:
        emulator.delivery.url = listening.url
        yield listening
