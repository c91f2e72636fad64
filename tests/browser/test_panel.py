"""What stands beside the phone: the daemon, faults, clock and cast, and the connection itself."""

import asyncio
import re

import pytest
from playwright.async_api import expect

from openparallax.emulator import Emulator
from openparallax.emulator.daemon_side import DaemonSide
from tests.app.patience import until
from tests.browser.window import Window

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Daemon:
    """A daemon that only says what is asked of it."""

    def __init__(self, emulator: Emulator) -> None:
        self.may_start = asyncio.Event()
        self.side = DaemonSide(
            kill=self.kill,
            stop=self.kill,
            start=self.start,
            feed=emulator.world.feed,
            state="up",
            pid=4711,
            starts=1,
            facts={"engine": "echo"},
        )
        emulator.daemon = self.side
        emulator.world.feed.tell("daemon", daemon=self.side.as_data())

    async def kill(self) -> None:
        self.side.tell(state="down", pid=None)

    async def start(self) -> None:
        self.side.tell(state="starting")
        await self.may_start.wait()
        self.side.tell(state="up", pid=4712, starts=2)


async def test_off_the_record(window: Window, emulator: Emulator) -> None:
    daemon = Daemon(emulator)
    banner = window.page.get_by_role("status").filter(has_text="Off the record.")
    await expect(banner).to_have_count(0)
    daemon.side.tell(modes={"ann": "off_the_record"})
    await expect(banner).to_be_visible()
    await window.page.get_by_role("button", name="Bob").click()
    await expect(banner).to_have_count(0)
    await window.page.get_by_role("button", name="Ann off the record").click()
    daemon.side.tell(modes={"ann": "on_the_record"})
    await expect(banner).to_have_count(0)


async def test_kill_and_start(window: Window, emulator: Emulator) -> None:
    panel = await window.tab("Daemon")
    await expect(panel).to_contain_text("the bot is somebody else")
    await expect(panel.get_by_role("button")).to_have_count(0)
    daemon = Daemon(emulator)
    await expect(panel).to_contain_text("4711")
    await expect(panel).to_contain_text("echo")
    await expect(panel.get_by_role("button", name="Start")).to_be_disabled()
    await panel.get_by_role("button", name="Kill").click()
    await expect(window.page.get_by_role("main")).to_contain_text("The daemon is down.")
    await panel.get_by_role("button", name="Start").click()
    await expect(window.page.get_by_role("main")).to_contain_text("The daemon is starting")
    await expect(panel.get_by_role("button", name="Start")).to_be_disabled()
    daemon.may_start.set()
    await expect(panel).to_contain_text("The daemon is up")
    await expect(window.page.get_by_role("main")).not_to_contain_text("The daemon is")


async def test_a_daemon_that_ended_by_itself(window: Window, emulator: Emulator) -> None:
    daemon = Daemon(emulator)
    note = "It ended, with exit code 78. The end of /tmp/daemon.log:\n    first line\n    last line"
    daemon.side.tell(state="ended", pid=None, note=note)
    said = window.page.locator(".daemon-notice")
    await expect(said).to_contain_text("It ended, with exit code 78.")
    await expect(said).not_to_contain_text("last line")
    await said.get_by_role("button", name="To the daemon").click()
    panel = window.page.get_by_role("tabpanel", name="Daemon")
    log = panel.locator("pre")
    await expect(log).to_have_text("first line\nlast line", use_inner_text=True)
    await expect(panel.get_by_role("button", name="Start")).to_be_enabled()


async def test_faults_for_some(window: Window, emulator: Emulator) -> None:
    panel = await window.tab("Faults")
    fault = panel.locator("#fault-refuse")
    await fault.locator("summary").click()
    await fault.get_by_label("For whom").select_option("Bob")
    await fault.get_by_label("How often").fill("2")
    await fault.get_by_label("Value").fill("131056")
    await fault.get_by_role("switch").click()
    await expect(fault).to_contain_text("for Bob · 131056 · 2 times more")
    assert emulator.faults.as_data() == [
        {"name": "refuse", "person": "bob", "value": "131056", "times": 2}
    ]
    assert emulator.faults.take("refuse", "bob") is not None
    await expect(fault).to_contain_text("once more")
    for whom in ("Ann", "everybody"):
        await fault.get_by_label("For whom").select_option(whom)
        await fault.get_by_role("button", name="Switch on").click()
        await expect(fault).to_contain_text(f"for {whom}")
    for whom in ("everybody", "Bob"):
        await fault.get_by_role("button", name=f"Switch off refuse for {whom}").click()
        await expect(fault.get_by_role("listitem").filter(has_text=whom)).to_have_count(0)
    assert [one["person"] for one in emulator.faults.as_data()] == ["ann"]
    await fault.get_by_role("switch").click()
    await expect(fault.get_by_role("listitem")).to_have_count(0)
    assert emulator.faults.as_data() == []


async def test_a_refusal_is_said_and_the_switch_stays_off(
    window: Window, emulator: Emulator
) -> None:
    window.expected = ("409",)
    panel = await window.tab("Faults")
    fault = panel.locator("#fault-refuse")
    await fault.locator("summary").click()
    await fault.get_by_label("Value").fill("")
    await fault.get_by_role("switch").click()
    await expect(window.page.get_by_role("alert")).to_contain_text("refuse")
    await expect(fault.get_by_role("switch")).not_to_be_checked()


async def test_rules(window: Window, emulator: Emulator) -> None:
    panel = await window.tab("Faults")
    await panel.get_by_role("switch", name="window").click()
    await expect(panel.get_by_role("switch", name="window")).not_to_be_checked()
    await until(lambda: not emulator.rules.window)  # the switch turns before the call arrives


async def test_the_clock(window: Window, emulator: Emulator) -> None:
    panel = await window.tab("Clock")
    await expect(panel).to_contain_text("the time of this machine")
    await panel.get_by_role("button", name="+1 day").click()
    await expect(panel).to_contain_text("24 h ahead of this machine")
    await panel.get_by_label("Move by").fill("-2")
    await panel.get_by_role("button", name="Move").click()
    await expect(panel).to_contain_text("22 h ahead of this machine")
    assert emulator.clock.ahead_s == 79_200
    await panel.get_by_role("button", name="Back to this machine").click()
    await expect(panel).to_contain_text("the time of this machine")


async def test_somebody_new(window: Window, emulator: Emulator) -> None:
    await window.page.get_by_role("button", name="Add a person").first.click()
    panel = window.page.get_by_role("tabpanel", name="People")
    await panel.get_by_label("Name", exact=True).fill("Erin Example")
    await panel.get_by_label("Username").fill("@erin.writes")
    await panel.get_by_role("button", name="Add a person").click()
    await expect(
        window.page.get_by_role("main", name=re.compile("Erin Example.s chat"))
    ).to_be_visible()
    await window.say("hello")
    assert [one.person for one in emulator.world.all_messages()] == ["erin-example"]


async def test_a_lost_connection_is_said_and_found_again(
    window: Window, emulator: Emulator
) -> None:
    window.expected = ("net::ERR", "503", "429")
    emulator.say("ann", "before")
    await expect(window.bubble("before")).to_be_visible()
    await window.draft.fill("half a thought")
    port = int(emulator.url.rpartition(":")[2])
    await emulator._server.close()
    alert = window.page.get_by_role("alert").filter(has_text="Connection lost, trying again")
    await expect(alert).to_be_visible()
    await window.draft.press("Enter")
    await expect(window.page.get_by_role("alert").nth(1)).to_contain_text("does not answer")
    async with Emulator() as another:
        another.say("ann", "while you were away")
        await another._server.close()
        await another._server.start(port)
        await expect(alert).to_have_count(0)
        await expect(window.bubble("while you were away")).to_be_visible()
        await expect(window.bubble("before")).to_have_count(0)
        await expect(window.draft).to_have_value("half a thought")
    await expect(alert).to_be_visible()
    await emulator._server.start(port)
    await expect(alert).to_have_count(0)
