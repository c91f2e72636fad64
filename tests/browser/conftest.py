"""One browser, one emulator and one page for a whole run: opening them costs more than a test.

Each test finds the world empty and the page as it was when it was opened.
"""

import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from openparallax.emulator import Emulator
from openparallax.emulator.webhooks.statuses import Ladder
from tests.browser.parrot import Parrot
from tests.browser.window import ARGUMENTS, REMEMBER_BREACHES, Window, chromium

WIDE = ViewportSize(width=1280, height=800)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = chromium()
    if path is None and os.environ.get("CI"):
        pytest.fail("Chromium is missing: the phone page cannot be looked at")
    if path is None:
        pytest.skip("Chromium is not installed: the phone page is not looked at")
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(
            executable_path=path, args=[*ARGUMENTS, *as_root], headless=True
        )
        yield running
        await running.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def lasting() -> AsyncIterator[Emulator]:
    async with Emulator(ladder=Ladder(steps=((0.0, "sent"), (0.0, "delivered")))) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport=WIDE, reduced_motion="reduce")
    await context.add_init_script(REMEMBER_BREACHES)
    yield await context.new_page()


@pytest_asyncio.fixture(loop_scope="session")
async def emulator(lasting: Emulator) -> AsyncIterator[Emulator]:
    """With nothing in it but its people."""
    yield lasting
    await lasting.delivery.close()  # what nobody took is forgotten
    await lasting.delivery.start()
    lasting.delivery.url = ""
    lasting.faults.clear()
    lasting.clock.reset()
    lasting.rules.window = True
    lasting.daemon = None
    lasting.world.clear()
    lasting.world.feed.tell("daemon", daemon=None)


@pytest_asyncio.fixture(loop_scope="session")
async def parrot(emulator: Emulator) -> AsyncIterator[Parrot]:
    async with Parrot(emulator) as listening:
        yield listening


@pytest_asyncio.fixture(loop_scope="session")
async def window(page: Page, emulator: Emulator) -> AsyncIterator[Window]:
    """The page; nothing may go wrong in it that nobody looks for."""
    shown = Window(page, emulator.url)
    await shown.begin()
    yield shown
    await page.set_viewport_size(WIDE)
    assert await shown.end() == []
