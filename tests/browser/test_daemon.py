"""The whole of it: a process as people start it, and the page that it shows."""

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.app.dev.dev import Dev
from tests.browser.window import Window

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_hello_off_the_record_and_a_restart(tmp_path: Path, wide: Page) -> None:
    async with Dev(tmp_path, "--no-browser") as dev:
        await dev.is_up()
        window = Window(wide, dev.url)
        await window.open()
        sent = await window.say("hello")
        await expect(sent.get_by_role("img", name="read")).to_be_visible()
        answer = window.page.locator(".row.theirs[data-wamid]")
        await expect(answer).to_contain_text(["hello"])
        await expect(answer.get_by_text("answered in")).to_be_visible()

        banner = window.page.get_by_role("status").filter(has_text="Off the record.")
        await expect(banner).to_have_count(0)
        await window.say("/otr")
        await expect(banner).to_be_visible()

        await window.page.get_by_role("tab", name="Daemon").click()
        panel = window.page.get_by_role("tabpanel", name="Daemon")
        await panel.get_by_role("button", name="Kill").click()
        main = window.page.get_by_role("main")
        await expect(main).to_contain_text("The daemon")
        waits = await window.say("are you there?")
        await expect(waits.get_by_role("img", name="waiting for the bot")).to_be_visible()
        await panel.get_by_role("button", name="Start").click()
        await expect(waits.get_by_role("img", name="read")).to_be_visible(timeout=20_000)
        await expect(window.bubbles.last).to_contain_text("are you there?")
        await expect(window.bubbles.last).to_contain_text("answered in")
        await expect(banner).to_be_visible()  # a restart puts nobody back on the record
        assert await window.close() == []
