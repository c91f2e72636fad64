"""The whole of it: a process as people start it, and the page that it shows."""

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.app.dev.dev import Dev
from tests.browser.engine import NAME, Engine
from tests.browser.window import Window

pytestmark = pytest.mark.asyncio(loop_scope="session")

LOST = "something that we said off the record went with my memory"


async def test_hello_off_the_record_and_a_restart(tmp_path: Path, page: Page) -> None:
    engine = Engine(tmp_path / "engine")
    asked = ("--no-browser", "--engine", NAME)
    async with Dev(tmp_path, *asked, **engine.environment) as dev:
        await dev.is_up()
        window = Window(page, dev.url)
        await window.begin()
        sent = await window.say("hello")
        await expect(sent.get_by_role("img", name="read")).to_be_visible()
        typing = page.locator(".messages .typing")
        await expect(typing).to_be_visible()
        engine.may_answer(may=True)
        answer = window.bubble("You said: hello")
        await expect(answer.get_by_text("answered in")).to_be_visible()
        await expect(answer.get_by_role("img", name="read")).to_be_visible()
        await expect(typing).to_have_count(0)

        banner = page.get_by_role("status").filter(has_text="Off the record.")
        await expect(banner).to_have_count(0)
        await window.say("/otr")
        await expect(window.bubble("Off the record from here on.")).to_be_visible()
        await expect(banner).to_be_visible()

        engine.may_answer(may=False)
        await window.say("a secret")
        await expect(typing).to_be_visible()
        panel = await window.tab("Daemon")
        await panel.get_by_role("button", name="Kill").click()
        await expect(page.get_by_role("main")).to_contain_text("The daemon is down.")
        waits = await window.say("are you there?")
        await expect(waits.get_by_role("img", name="waiting for the bot")).to_be_visible()
        engine.may_answer(may=True)
        await panel.get_by_role("button", name="Start").click()
        await expect(window.bubble(LOST)).to_be_visible()
        await expect(window.bubble("You said: are you there?")).to_be_visible()
        await expect(banner).to_be_visible()  # a restart puts nobody back on the record
        assert await window.end() == []
