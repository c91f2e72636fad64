"""By keyboard alone, by screen reader, on small and wide windows, in both schemes."""

import re

import pytest
from playwright.async_api import ViewportSize, expect

from openparallax.emulator import Emulator
from tests.browser.parrot import Parrot
from tests.browser.window import Window

pytestmark = pytest.mark.asyncio(loop_scope="session")

SMALL = ViewportSize(width=360, height=640)
MIDDLE = ViewportSize(width=800, height=600)
HUGE = ViewportSize(width=1920, height=1080)
LONG = "wordwithoutanyspace" * 40


async def test_by_keyboard_alone(window: Window, emulator: Emulator, parrot: Parrot) -> None:
    parrot.may_answer.set()
    page = window.page
    await expect(window.draft).to_be_focused()
    await page.keyboard.type("/ot")
    hints = page.get_by_role("listbox", name="Commands")
    await expect(hints.get_by_role("option", selected=True)).to_contain_text("/otr")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")  # quicker than what was chosen is drawn
    await expect(window.draft).to_have_value("/otr off")
    await page.keyboard.press("Enter")
    answer = window.bubble("You said: /otr off")
    await expect(answer).to_be_visible()
    await page.keyboard.press("Shift+Tab")  # the button beside the field
    await page.keyboard.press("Shift+Tab")  # the bubble's own menu
    await page.keyboard.press("Shift+Tab")
    await expect(answer).to_be_focused()
    first = window.bubbles.first
    await page.keyboard.press("ArrowUp")
    await expect(first).to_be_focused()
    await page.keyboard.press("Enter")
    menu = page.get_by_role("menu", name="This message")
    await expect(menu.get_by_role("menuitemcheckbox").first).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(menu).to_have_count(0)
    await expect(first).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(menu.get_by_role("menuitemcheckbox").first).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await expect(menu.get_by_role("menuitem", name="Reply")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(window.draft).to_be_focused()
    await page.keyboard.type("as I said")
    await page.keyboard.press("Enter")
    await expect(window.bubbles.filter(has=page.locator(".quotation"))).to_contain_text("as I said")
    assert [one.quoted is not None for one in emulator.world.all_messages()][-2:].count(True) == 1


async def test_tabs_by_arrow_keys(window: Window) -> None:
    await window.page.get_by_role("tab", name="Wire").focus()
    for name in ("Faults", "Clock", "Daemon", "People", "Wire"):
        await window.page.keyboard.press("ArrowRight")
        await expect(window.page.get_by_role("tab", name=name)).to_be_focused()
        await expect(window.page.get_by_role("tabpanel", name=name)).to_be_visible()


async def test_emoji_by_arrow_keys(window: Window) -> None:
    await window.draft.fill("ab")
    await window.draft.press("ArrowLeft")
    await window.page.get_by_role("button", name="Emoji").press("Enter")
    emoji = window.page.get_by_role("dialog", name="Emoji").get_by_role("button")
    await expect(emoji.nth(0)).to_be_focused()
    await window.page.keyboard.press("ArrowRight")
    await expect(emoji.nth(1)).to_be_focused()
    await window.page.keyboard.press("Enter")
    await expect(window.draft).to_have_value("a😃b")
    await expect(window.draft).to_be_focused()


async def test_what_a_screen_reader_finds(
    window: Window, emulator: Emulator, parrot: Parrot
) -> None:
    parrot.may_answer.set()
    await window.say("hello")
    await expect(window.bubble("You said: hello")).to_be_visible()
    page = window.page
    await expect(page.get_by_role("navigation", name="People")).to_be_visible()
    await expect(
        page.get_by_role("main", name=re.compile("Ann.s chat with OpenParallax"))
    ).to_be_visible()
    await expect(page.get_by_role("complementary", name="Behind the scenes")).to_be_visible()
    await expect(page.get_by_role("log", name="New messages")).to_be_attached()
    said = await page.locator("body").aria_snapshot()
    assert 'textbox "Message"' in said
    assert 'listitem "The business, ' in said
    for name in ("Wire", "Faults", "Clock", "Daemon", "People"):
        await page.get_by_role("tab", name=name).click()
        said = await page.locator("body").aria_snapshot()
        nameless = [
            line
            for line in said.splitlines()
            if line.strip()
            in {"- button", "- link", "- textbox", "- combobox", "- switch", "- img"}
        ]
        assert nameless == [], name


async def test_nothing_runs_over_the_edge(window: Window, emulator: Emulator) -> None:
    for text in (LONG, "שלום " * 30, "😀", f"https://example.com/{LONG}", f"```{LONG}```"):
        emulator.say("ann", text)
    await expect(window.bubbles).to_have_count(5)
    over = """() => [...document.querySelectorAll("#app *")]
      .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest(".hills"))
      .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
      .map((one) => one.className)"""
    for size in (SMALL, MIDDLE, HUGE):
        await window.page.set_viewport_size(size)
        assert await window.page.evaluate(over) == []
        assert await window.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_one_thing_at_a_time_on_a_phone(window: Window) -> None:
    page = window.page
    await page.set_viewport_size(SMALL)
    await expect(page.get_by_role("navigation", name="People")).to_be_hidden()
    await page.get_by_role("button", name="All phones").click()
    await expect(page.get_by_role("main")).to_be_hidden()
    await expect(page.get_by_role("button", name="Ann")).to_be_focused()
    await page.get_by_role("button", name="Bob").click()
    await expect(page.get_by_role("main", name=re.compile("Bob.s chat"))).to_be_visible()
    await expect(window.draft).to_be_focused()
    panel = page.get_by_role("dialog", name="Behind the scenes")
    await expect(panel).to_have_count(0)
    opening = page.get_by_role("button", name="Behind the scenes")
    await opening.click()
    await expect(panel).to_be_visible()
    await expect(page.get_by_role("tab", name="Wire")).to_be_focused()
    await expect(page.get_by_role("main")).to_have_attribute("inert", "")  # it lies below
    await page.keyboard.press("Escape")
    await expect(panel).to_have_count(0)
    await expect(opening).to_be_focused()
    await expect(page.get_by_role("main")).not_to_have_attribute("inert", "")


async def test_a_panel_beside_the_chat_takes_nothing_away(window: Window) -> None:
    await window.page.set_viewport_size(MIDDLE)
    await window.page.get_by_role("button", name="Behind the scenes").click()
    panel = window.page.get_by_role("complementary", name="Behind the scenes")
    await expect(panel).to_be_visible()
    await window.say("and still I write")
    await panel.get_by_role("button", name="Close").click()
    await expect(panel).to_be_hidden()
    await expect(window.page.get_by_role("navigation", name="People")).to_be_visible()


async def test_only_the_newest_are_kept(window: Window) -> None:
    kept = await window.page.evaluate(
        """async () => {
          const { apply, chatOf, emptyData } = await import("/phone/static/state.js");
          const data = emptyData();
          for (let at = 0; at < 600; at++) {
            const message = { wamid: `wamid.${at}`, number_id: "1", person: "ann", at };
            apply(data, { kind: "message", message });
          }
          return chatOf(data, "1", "ann").messages.map(({ at }) => at);
        }"""
    )
    assert kept == list(range(100, 600))
