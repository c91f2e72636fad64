"""Pictures of the phone page for the README: ``python -m tests.browser.shots FOLDER``.

A conversation is written into an emulator by hand, off the record at its end, and photographed in
both sizes and schemes. No daemon runs; what the page shows of one is told to it as `app` would.
"""

import asyncio
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, ViewportSize, async_playwright

from openparallax.emulator import Emulator, Message
from openparallax.emulator.daemon_side import DaemonSide
from openparallax.emulator.ids import new_wamid
from openparallax.emulator.phone.uploads import sample
from tests.browser.window import ARGUMENTS

SIZES = {
    "wide": ViewportSize(width=1280, height=800),
    "small": ViewportSize(width=390, height=844),
}
BREAD = """*Four things*, and patience:

1. Flour, 500 g
2. Water, 350 g
3. Salt, 10 g
4. Starter, _ripe and bubbly_

Bake at `240 °C`, lid on."""
OFF = (
    "Off the record: from here on nothing that is said is written down. "
    "WhatsApp and the model's provider still see it. /otr off goes back."
)


async def nothing() -> None: ...


class Writer:
    """Puts messages into a chat, a few seconds apart."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._at = emulator.clock.now() - 600

    def write(self, person: str, kind: str, content: dict[str, Any], **more: Any) -> None:
        self._at += 11
        is_ours = "answered_after_s" in more
        world = self._emulator.world
        of = world.people[person].address
        message = Message(
            wamid=new_wamid(of, is_ours=is_ours),
            number_id=world.our_number().id,
            person=person,
            is_ours=is_ours,
            kind=kind,
            content=content,
            at=self._at,
            status=more.pop("status", "read"),
            **more,
        )
        world.add(message)
        if is_ours:
            self._passed("graph", "/messages", person, "messages · text", 2.1)
            self._passed("webhook", "/webhook", person, "statuses · delivered", 1.4)
        else:
            self._passed("webhook", "/webhook", person, f"messages · {kind}", 3.6)
            self._passed("graph", "/messages", person, "read and typing", 1.2)

    def say(self, person: str, text: str, **more: Any) -> None:
        self.write(person, "text", {"body": text}, **more)

    def _passed(self, way: Any, path: str, person: str, what: str, took_ms: float) -> None:
        is_signed = True if way == "webhook" else None
        exchange = self._emulator.wire.begin(
            way, "POST", path, at=self._at, what=what, person=person, is_signed=is_signed
        )
        self._emulator.wire.end(exchange, 200, "", took_ms)


def converse(emulator: Emulator) -> None:
    emulator.daemon = DaemonSide(
        kill=nothing,
        stop=nothing,
        start=nothing,
        feed=emulator.world.feed,
        state="up",
        pid=48213,
        starts=1,
        modes={"ann": "off_the_record"},
        facts={"engine": "anthropic"},
    )
    data, mime_type, _ = sample("image")
    number = emulator.world.our_number().id
    picture = emulator.media.keep(number, mime_type, data, lasts_s=600)
    writer = Writer(emulator)
    writer.say("davi", "Vocês abrem no domingo?")
    writer.say("davi", "Sim! Das dez às quatro.", answered_after_s=1.1)
    writer.say("carol", "That was delicious 😍")
    writer.say("bob", "Can you move my table to eight?")
    writer.say(
        "bob", "Done: *eight sharp*, by the window.", answered_after_s=1.4, status="delivered"
    )
    writer.write("ann", "image", {"id": picture.id, "mime_type": mime_type})
    writer.say("ann", "What does a good sourdough need?")
    writer.say("ann", BREAD, answered_after_s=2.43)
    writer.say("ann", "/otr", reactions={"business": "🤫"})
    writer.say("ann", OFF, answered_after_s=0.03)
    writer.say("ann", "I want to surprise Bob. A weekend in the hills?")
    writer.say(
        "ann",
        "Lovely. *Two nights*, one hut, no phones. My lips are sealed 🤐",
        answered_after_s=1.7,
    )


async def take(browser: Browser, url: str, folder: Path) -> None:
    for size, viewport in SIZES.items():
        for scheme in ("light", "dark"):
            context = await browser.new_context(
                viewport=viewport, color_scheme="dark" if scheme == "dark" else "light"
            )
            page = await context.new_page()
            await page.goto(f"{url}/#ann")
            await page.locator(".record").wait_for()
            await page.wait_for_load_state("load")
            await page.evaluate("document.activeElement.blur()")
            await page.screenshot(path=folder / f"phone-{size}-{scheme}.png")
            await context.close()


async def main(folder: Path) -> None:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with Emulator() as emulator, async_playwright() as playwright:
        converse(emulator)
        browser = await playwright.chromium.launch(
            executable_path=path, args=[*ARGUMENTS, *as_root]
        )
        await take(browser, emulator.url, folder)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
