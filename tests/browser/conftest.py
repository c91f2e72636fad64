"""One browser for all tests of a run, a window for each."""

import os
import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from openparallax.emulator import Emulator
from openparallax.emulator.webhooks.statuses import Ladder
from tests.browser.parrot import Parrot
from tests.browser.window import ARGUMENTS, REMEMBER_BREACHES, Window

WIDE = ViewportSize(width=1280, height=800)


def _chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    if os.environ.get("CI"):
        pytest.fail("Chromium is missing: the phone page cannot be looked at")
    pytest.skip("Chromium is not installed: the phone page is not looked at")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = _chromium()
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(
            executable_path=path, args=[*ARGUMENTS, *as_root], headless=True
        )
        yield running
        await running.close()


@pytest_asyncio.fixture(loop_scope="session")
async def emulator() -> AsyncIterator[Emulator]:
    async with Emulator(ladder=Ladder(steps=((0.0, "sent"), (0.0, "delivered")))) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def parrot(emulator: Emulator) -> AsyncIterator[Parrot]:
    async with Parrot(emulator) as listening:
        yield listening


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def wide(browser: Browser) -> AsyncIterator[Page]:
    """A window as most tests want it; opened once, since opening costs more than a test."""
    yield await new_page(browser, viewport=WIDE, reduced_motion="reduce")


@pytest_asyncio.fixture(loop_scope="session")
async def window(
    request: pytest.FixtureRequest, browser: Browser, wide: Page, emulator: Emulator
) -> AsyncIterator[Window]:
    """The page in a window; nothing may go wrong in it that nobody looks for.

    Its size and scheme may be given: ``@pytest.mark.parametrize("window", …, indirect=True)``.
    """
    wanted: dict[str, Any] | None = getattr(request, "param", None)
    page = wide if wanted is None else await new_page(browser, **wanted)
    shown = Window(page, emulator.url)
    await shown.open()
    yield shown
    trouble = await shown.close()
    if page is not wide:
        await page.context.close()
    assert trouble == []


async def new_page(browser: Browser, **wanted: Any) -> Page:
    context = await browser.new_context(**wanted)
    await context.add_init_script(REMEMBER_BREACHES)
    return await context.new_page()
