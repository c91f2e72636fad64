"""Waiting for what happens elsewhere: on a disk, in a log, in another process."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

LONG_S = 120.0
"""What is waited for comes at once on a machine that is idle; nothing is judged by speed."""


async def until(is_so: Callable[[], bool | Awaitable[bool]], timeout_s: float = LONG_S) -> None:
    """Look again and again until something is so; nobody is there who could tell."""
    async with asyncio.timeout(timeout_s):
        while True:
            found = is_so()
            if await found if inspect.isawaitable(found) else found:
                return
            await asyncio.sleep(0.004)


async def come_and_listen(port: int) -> bytes:
    """Connect and say nothing; what is said until the other side closes, or never opened."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionError:
        return b""
    try:
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()
