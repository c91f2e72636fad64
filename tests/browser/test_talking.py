"""A conversation on the page, as a person sees it."""

import re

import pytest
from playwright.async_api import expect

from openparallax.emulator import Emulator
from tests.browser.parrot import Parrot
from tests.browser.window import Window

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_hello(window: Window, parrot: Parrot) -> None:
    sent = await window.say("hello")
    await expect(sent.get_by_role("img", name="read")).to_be_visible()
    await expect(window.page.locator(".messages .typing")).to_be_visible()
    await expect(window.page.get_by_role("main")).to_contain_text("typing …")
    parrot.may_answer.set()
    answer = window.bubble("You said: hello")
    await expect(answer.locator("strong")).to_have_text("You said:")
    await expect(answer.get_by_text("answered in")).to_be_visible()
    await expect(answer.get_by_role("img", name="read")).to_be_visible()
    await expect(window.page.locator(".messages .typing")).to_have_count(0)
    await expect(window.page.locator("#heard")).to_contain_text("To Ann: You said: hello")
    await expect(window.draft).to_be_focused()
    wire = window.page.get_by_role("tabpanel")
    typing = wire.locator(".exchange.is-graph").filter(has_text="read and typing")
    await expect(typing.first).to_contain_text("200")
    first = wire.locator(".exchange.is-webhook").filter(has_text="messages · text").first
    await expect(first).to_contain_text("signed")
    await first.locator("summary").click()
    await expect(first.locator("pre").first).to_contain_text('"body": "hello"')
    await first.locator("summary").click()


async def test_waiting_while_the_bot_is_away(window: Window, emulator: Emulator) -> None:
    sent = await window.say("is anybody there?")
    await expect(sent.get_by_role("img", name="waiting for the bot")).to_be_visible()
    async with Parrot(emulator):
        emulator.delivery.hurry()
        await expect(sent.get_by_role("img", name="read")).to_be_visible()


async def test_lines_and_drafts(window: Window, emulator: Emulator) -> None:
    await window.draft.fill("for Ann")
    await window.page.get_by_role("button", name="Bob").click()
    await expect(window.draft).to_have_value("")
    await window.draft.press_sequentially("one")
    await window.draft.press("Shift+Enter")
    await window.draft.press_sequentially("two")
    await window.draft.press("Enter")
    await expect(window.bubbles.last.locator(".text")).to_have_text("one\ntwo", use_inner_text=True)
    await expect(window.draft).to_have_value("")
    await window.page.get_by_role("button", name="Ann").click()
    await expect(window.draft).to_have_value("for Ann")
    assert [message.person for message in emulator.world.all_messages()] == ["bob"]


async def test_what_is_unread(window: Window, emulator: Emulator, parrot: Parrot) -> None:
    emulator.say("bob", "hi")
    parrot.may_answer.set()
    bob = window.page.get_by_role("button", name="Bob")
    await expect(bob).to_contain_text("1 unread")
    await expect(window.page).to_have_title("(1) Phone · OpenParallax")
    await bob.click()
    await expect(bob).not_to_contain_text("unread")
    await expect(window.page).to_have_title("Phone · OpenParallax")


async def test_a_failure_and_its_reason(window: Window, emulator: Emulator, parrot: Parrot) -> None:
    emulator.faults.set("fail", value=131026)
    parrot.may_answer.set()
    await window.say("hello")
    answer = window.bubble("You said: hello")
    await expect(answer.get_by_role("img", name="failed")).to_be_visible()
    await expect(answer.get_by_role("note")).to_contain_text("131026")


async def test_taps(window: Window, emulator: Emulator, parrot: Parrot) -> None:
    emulator.say("ann", "hello")
    buttons = [{"type": "reply", "reply": {"id": "y", "title": "Yes, please"}}]
    rows = [{"id": "r", "title": "Rye", "description": "keeps a week"}]
    asked = {"type": "button", "body": {"text": "Bread?"}, "action": {"buttons": buttons}}
    which = {
        "type": "list",
        "body": {"text": "Which?"},
        "action": {"button": "Loaves", "sections": [{"title": "Dark", "rows": rows}]},
    }
    link = {
        "type": "cta_url",
        "body": {"text": "Look"},
        "action": {
            "name": "cta_url",
            "parameters": {"display_text": "Open", "url": "https://example.com/"},
        },
    }
    to = emulator.person("ann").wa_id
    for interactive in (asked, which, link):
        await parrot.send(to=to, type="interactive", interactive=interactive)
    await window.page.get_by_role("button", name="Yes, please").click()
    await expect(window.bubble("Yes, please").last).to_have_class(_has("own"))
    await window.page.get_by_text("Loaves").click()
    await window.page.get_by_role("button", name="Rye").click()
    await expect(window.bubble("Rye").last).to_have_class(_has("own"))
    opening = window.page.get_by_role("link", name="Open")
    await expect(opening).to_have_attribute("href", "https://example.com/")
    await expect(opening).to_have_attribute("rel", "noopener noreferrer")


async def test_files(window: Window, emulator: Emulator, parrot: Parrot) -> None:
    for name in ("Sample picture", "Sample voice note", "Sample document"):
        await window.page.get_by_role("menu").wait_for(state="detached")
        await window.page.get_by_role("button", name="Send something else").click()
        await window.page.get_by_role("menuitem", name=name).click()
    picture = window.bubbles.locator("img[alt=Picture]")
    await expect(picture).to_have_js_property("naturalWidth", 720)
    await expect(window.bubbles.get_by_role("link", name="hello.pdf")).to_be_visible()
    heard = [one for one in emulator.world.all_messages() if one.kind == "audio"]
    to = emulator.person("ann").wa_id
    number = emulator.world.our_number().id
    medium = emulator.world.media[heard[0].content["id"]]
    kept = emulator.media.keep(number, "audio/ogg", medium.data, lasts_s=60)
    await parrot.send(to=to, type="audio", audio={"id": kept.id, "voice": True})
    note = window.page.locator(".row.theirs.kind-audio")
    await note.get_by_role("button", name="Play voice note").click()
    await expect(note.get_by_role("img", name="played")).to_be_visible()


async def test_places_and_cards(window: Window, emulator: Emulator) -> None:
    for item, dialog in (("Location", "Send a location"), ("Contact", "Send a contact card")):
        await window.page.get_by_role("menu").wait_for(state="detached")
        await window.page.get_by_role("button", name="Send something else").click()
        await window.page.get_by_role("menuitem", name=item).click()
        form = window.page.get_by_role("dialog", name=dialog)
        await form.get_by_role("button", name="Send").click()
        await expect(form).to_be_hidden()
    await expect(window.bubble("Brandenburg Gate")).to_be_visible()
    await expect(window.bubble("Erin Example")).to_be_visible()
    assert [one.kind for one in emulator.world.all_messages()] == ["location", "contacts"]


async def test_strangers_words_stay_words(
    window: Window, emulator: Emulator, parrot: Parrot
) -> None:
    emulator.say("ann", "hello")
    to = emulator.person("ann").wa_id
    evil = "<img src=x onerror=alert(1)><script>alert(2)</script> *<b>bold</b>* javascript:alert(3)"
    await parrot.send(to=to, type="text", text={"body": evil})
    bubble = window.bubble("onerror")
    await expect(bubble.locator(".text")).to_have_text(evil.replace("*", ""))
    await expect(bubble.locator(".text :is(img, script, b, a)")).to_have_count(0)
    picture = {"link": "https://example.com/tracking.png"}
    await parrot.send(to=to, type="image", image=picture)
    await expect(window.bubble("tracking.png")).to_be_visible()  # named, and not fetched


async def test_what_was_written_earlier_stands_before_and_a_refused_draft_comes_back(
    window: Window, emulator: Emulator
) -> None:
    window.expected = ("404",)
    emulator.say("ann", "second")
    emulator.say("ann", "first", at=emulator.clock.now() - 60)
    await expect(window.bubbles.first).to_contain_text("first")
    await expect(window.bubbles.last).to_contain_text("second")
    del emulator.world.people["ann"]  # the page does not know that
    await window.draft.fill("third")
    await window.draft.press("Enter")
    await expect(window.page.get_by_role("alert")).to_contain_text("nobody called 'ann'")
    await expect(window.draft).to_have_value("third")


def _has(name: str) -> re.Pattern[str]:
    return re.compile(rf"\b{name}\b")
