"""Waiting until a person has been answered."""

import asyncio

from openparallax.emulator import Emulator, Message


async def answers(emulator: Emulator, person: str, count: int) -> list[Message]:
    """What the business wrote to a person, once it is so many messages."""
    world = emulator.world
    chat = world.chat(world.account.numbers[0].id, person)
    watcher = world.feed.watch()
    try:
        async with asyncio.timeout(20):
            while len(found := [one for one in chat.messages if one.is_ours]) < count:
                assert await watcher.next() is not None
    finally:
        world.feed.leave(watcher)
    return found
