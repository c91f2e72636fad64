"""Pictures of the phone page for the README: ``python -m tests.browser.shots FOLDER``.

Nothing on them is staged: `openparallax dev` runs as anybody starts it, with an engine whose
answers are prepared, and several people talk with it, one of them off the record.
"""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Browser, Page, ViewportSize, async_playwright, expect

from tests.app.dev.dev import Dev
from tests.browser.engine import NAME, Engine
from tests.browser.window import ARGUMENTS, chromium

SIZES = {
    "wide": ViewportSize(width=1280, height=800),
    "small": ViewportSize(width=390, height=844),
}
BREAD = """**Three things**, and patience:

1. Flour, 500 g
2. Water, 350 g
3. Starter, *ripe and bubbly*

Bake at `240 °C`, lid on."""
ANSWERS = {
    "What does a good sourdough need?": (2.2, BREAD),
    "To surprise Bob: a weekend in the hills?": (
        1.6,
        "Lovely. **Two nights**, one hut, no phones. My lips are sealed 🤐",
    ),
    "Can you move my table to eight?": (1.3, "Done: **eight sharp**, by the window."),
    "Vocês abrem no domingo?": (1.0, "Sim! Das dez às quatro."),
}
"""What Carol says is not among them: she sees somebody type."""


class Cast:
    """The people of a run, who speak one after the other.

    Args:
        dev: What they talk through.
        page: Ann's, who reads what is said to her; answers are waited for in its list.
    """

    def __init__(self, dev: Dev, page: Page) -> None:
        self._dev = dev
        self._page = page

    async def say(self, person: str, text: str, answer: str) -> None:
        """Say it and wait for what begins like this."""
        await self._dev.ask("say", person=person, text=text)
        row = self._page.get_by_role("navigation").get_by_role("button", name=person)
        await expect(row).to_contain_text(answer, timeout=20_000)

    async def react(self, person: str, emoji: str) -> None:
        """To the last thing that was said to them."""
        last = self._page.locator(".row.theirs[data-wamid]").last
        wamid = await last.get_attribute("data-wamid")
        await self._dev.ask("react", person=person, wamid=wamid, emoji=emoji)


async def converse(cast: Cast, page: Page) -> None:
    """What the pictures show."""
    await cast.say("davi", "Vocês abrem no domingo?", "Sim!")
    await cast.say("ann", "What does a good sourdough need?", "Three things")
    await cast.say("bob", "Can you move my table to eight?", "Done:")
    await cast.say("ann", "/otr", "Off the record")
    await expect(page.locator(".record")).to_be_visible()
    await cast.say("ann", "To surprise Bob: a weekend in the hills?", "Lovely.")
    await cast.react("ann", "🤫")


async def take(page: Page, path: Path) -> None:
    await page.evaluate("document.activeElement.blur()")
    last = page.locator(".row.theirs[data-wamid]").last
    await expect(last.get_by_role("img", name="read")).to_be_visible()
    await expect(page.locator(".people .typing-word")).to_have_count(1)
    await page.screenshot(path=path)


async def photograph(browser: Browser, dev: Dev, folder: Path) -> None:
    pages: dict[str, Page] = {}
    for size, viewport in SIZES.items():
        for scheme in ("light", "dark"):
            context = await browser.new_context(
                viewport=viewport, color_scheme="dark" if scheme == "dark" else "light"
            )
            page = pages[f"phone-{size}-{scheme}.png"] = await context.new_page()
            await page.goto(f"{dev.url}/#ann")
            await page.locator("#draft").wait_for()
    first = next(iter(pages.values()))
    await converse(Cast(dev, first), first)
    await dev.ask("say", person="carol", text="That was delicious 😍 Who made the bread?")
    for name, page in pages.items():
        await take(page, folder / name)


async def main(folder: Path) -> None:
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as temporary:
        engine = Engine(Path(temporary, "engine"), ANSWERS)
        asked = ("--no-browser", "--engine", NAME)
        async with (
            Dev(Path(temporary), *asked, **engine.environment) as dev,
            async_playwright() as playwright,
        ):
            await dev.is_up()
            browser = await playwright.chromium.launch(
                executable_path=chromium(), args=[*ARGUMENTS, *as_root]
            )
            await photograph(browser, dev, folder)
            engine.may_answer(may=True)
            await browser.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
