"""A house in trouble, and the program that tells somebody."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from openparallax.app import lookout
from openparallax.app.alerting import Alerting
from openparallax.app.care import TokenState
from openparallax.plugin import Reply, Turn
from openparallax.watching.ledger import Kind
from tests.admin.reading import Read
from tests.canary import Canary
from tests.fakes import meta
from tests.fakes.behaviours import error
from tests.fakes.engines import FakeEngine
from tests.town import ANN, Town
from tests.webhook.certificates import Files, Pair

WRITES = """#!/bin/sh
{ printf '%s %s\\n' "$OPENPARALLAX_ALERT_KIND" "$OPENPARALLAX_ALERT_STATE"; cat; } >> DIARY.new
cat DIARY.new >> DIARY
rm DIARY.new
exit $(cat CODE 2>/dev/null || echo 0)
"""


class Alarmed(Town):
    """A town whose operator keeps a diary of what is told."""

    @property
    def diary(self) -> str:
        file = self.folder / "diary"
        return file.read_text() if file.exists() else ""

    def told(self) -> list[str]:
        """Kind and state of each alert so far."""
        known = {kind.value for kind in Kind} | {"all_clear", "test"}
        return [line for line in self.diary.splitlines() if line.split(" ")[0] in known]

    def ends_with(self, code: int) -> None:
        (self.folder / "code").write_text(str(code))

    def forget(self) -> None:
        """What was found is old by now."""
        condition = self.up.condition
        for one in (condition._probe, condition.tables):
            one._looked_at = float("-inf")

    async def look(self) -> list[str]:
        """Look once, with everything found anew; what was told so far."""
        self.forget()
        await self.up.watchers.alerting.look()
        return self.told()

    async def ask(self, name: str) -> tuple[int, Any]:
        """As the command line asks, over the socket."""
        connector = aiohttp.UnixConnector(str(self.state / "control.sock"))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.post(f"http://localhost/control/{name}", json={}) as got,
        ):
            return got.status, await got.json()


def alarm(folder: Path, **settings: Any) -> dict[str, Any]:
    """Told at once, and again at once."""
    program = folder / "alert"
    text = WRITES.replace("DIARY", str(folder / "diary")).replace("CODE", str(folder / "code"))
    program.write_text(text)
    program.chmod(0o700)
    limits = {"wait_minutes": 0, "disk_free_megabytes": None, **settings}
    return {"alerts": {"alert_command": str(program), **limits}, "admin": {"enabled": True}}


START = Alerting.start


@pytest.fixture(autouse=True)
def _looks_when_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Alerting, "start", lambda _: None)


@pytest_asyncio.fixture
async def town(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: FakeEngine
) -> AsyncIterator[Alarmed]:
    async with Alarmed(tmp_path, monkeypatch, engine=engine, changes=alarm(tmp_path)) as town:
        yield town


def paused(town: Town) -> bool:
    return town.up.outbox.account(meta.PHONE_NUMBER_ID).is_paused


async def test_a_house_that_is_well(town: Alarmed) -> None:
    await town.say(ANN, "hello")
    await town.hears(ANN, 1)
    await town.quiet()
    assert await town.look() == []


async def test_a_number_that_is_paused_and_that_all_is_well_again(town: Alarmed) -> None:
    town.graph.queue(error(190))
    await town.say(ANN, "hello")
    await town.until(lambda: paused(town))
    assert await town.look() == ["account_paused raised"]
    assert "is paused (code 190): the access token has expired" in town.diary
    assert meta.PHONE_NUMBER_ID not in town.diary
    assert await town.look() == ["account_paused raised"]
    state = town.up.outbox.account(meta.PHONE_NUMBER_ID)
    state.begin(1)
    state.accepted(1)
    assert len(await town.look()) == 1  # nothing was taken by Graph yet: nobody knows
    await town.say(ANN, "again")
    await town.until(lambda: town.up.metrics.value("graph_send", "accepted") > 0)
    assert await town.look() == ["account_paused raised", "all_clear all_clear"]


async def test_a_restart_neither_repeats_nor_forgets(town: Alarmed) -> None:
    town.graph.plan = lambda _: error(190)
    await town.say(ANN, "hello")
    await town.until(lambda: paused(town))
    await town.look()
    await town.restart()
    await town.until(lambda: paused(town))
    assert await town.look() == ["account_paused raised"]
    await town.stop()
    town.graph.plan = None
    await town.start()
    await town.hears(ANN, 1)
    assert await town.look() == ["account_paused raised", "all_clear all_clear"]


async def test_an_engine_that_does_not_answer(town: Alarmed, engine: FakeEngine) -> None:
    async def fail(_turn: Turn) -> Reply:
        raise RuntimeError("no credit")

    engine.answer_with, answering = fail, engine.answer_with
    for count in range(1, 6):
        assert await town.look() == []
        await town.say(ANN, "hello")
        await town.hears(ANN, count)
    assert await town.look() == ["engine raised"]
    assert "The last 5 turns got no answer" in town.diary
    engine.answer_with = answering
    await town.say(ANN, "hello")
    await town.hears(ANN, 6)
    await town.quiet()
    assert (await town.look())[1:] == ["all_clear all_clear"]


async def test_a_disk_that_refuses(town: Alarmed) -> None:
    connection = town.up.database._writer._connection
    connection.execute("PRAGMA query_only = ON")
    assert await town.look() == ["storage raised"]
    assert f"storage: {town.state}" in town.diary
    connection.execute("PRAGMA query_only = OFF")
    assert (await town.look())[1:] == ["all_clear all_clear"]


async def test_what_is_told_of_by_the_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: FakeEngine
) -> None:
    changes = alarm(tmp_path, silence_hours=2, disk_free_megabytes=10**9, backlog_messages=2)
    async with Alarmed(tmp_path, monkeypatch, engine=engine, changes=changes) as town:
        town.up.condition.started_at -= 7300
        watchers = town.up.watchers
        watchers._lookout._token_states = lambda: [
            TokenState((meta.PHONE_NUMBER_ID,), expires_at=int(time.time()) + 3 * 86_400)
        ]
        gate = asyncio.Event()

        async def wait(turn: Turn) -> Reply:
            await gate.wait()
            return Reply(text=turn.text)

        assert await town.look() == ["disk raised", "silence raised", "token raised"]
        engine.answer_with = wait
        for word in ("one", "two", "three"):
            await town.say(ANN, word)
        assert (await town.look())[3:] == ["backlog raised"]
        gate.set()
        await town.quiet()
        town.forget()
        status, found = await town.ask("alerts")
        assert status == 200
        assert {one["kind"]: one["state"] for one in found["kinds"]} == {
            "account_paused": "well",
            "backlog": "well",
            "storage": "well",
            "disk": "wrong",
            "engine": "well",
            "silence": "well",
            "token": "wrong",
            "certificate": "well",
        }
        for words in (
            "Nothing came from Meta since the daemon was started, for 2 hours",
            "ends on 20",
            "in 2 days.",
            "2 messages wait to be answered",
            " MB left.",
        ):
            assert words in town.diary
        assert (await town.ask("alerts"))[1]["settings"]["silence_hours"] == 2
        async with town.session.get(town.up.admin.url + "/metrics") as got:
            scraped = Read(await got.text())
        assert scraped.value("openparallax_alert_active", kind="disk") == 1
        assert scraped.value("openparallax_alert_active", kind="backlog") == 0
        assert scraped.value("openparallax_alerts_total", kind="disk", result="told") == 1
        name = "openparallax_token_expiry_timestamp_seconds"
        assert scraped.value(name, account=meta.PHONE_NUMBER_ID) > time.time()


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (TokenState(("1234567890",)), None),
        (TokenState(("1234567890",), expires_at=0, is_valid=True), ""),
        (TokenState(("1234567890",), expires_at=40, is_valid=True), ""),
        (TokenState(("1234567890",), expires_at=14, is_valid=True), ""),
        (TokenState(("1234567890",), expires_at=14, trouble="x"), "in 14 days: x."),
        (TokenState(("1234567890",), expires_at=6, is_valid=True), "in 6 days."),
        (TokenState(("1234567890",), expires_at=0, is_valid=False, trouble="x"), "good no more: x"),
        (TokenState(("1234567890",), expires_at=-3), "has ended on"),
    ],
)
async def test_when_a_token_is_told(town: Alarmed, state: TokenState, says: str | None) -> None:
    if state.expires_at:
        state.expires_at = int(time.time() + 60 + state.expires_at * 86_400)
    watching = town.up.watchers._lookout
    watching._token_states = lambda: [state]
    found = (await watching.look()).get(Kind.TOKEN)
    if says:
        assert found is not None
        assert says in found
        assert "1234567890" not in found
    else:
        assert found == says


async def test_a_certificate_near_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: FakeEngine
) -> None:
    files = Files(tmp_path)
    files.write(Pair.issue())
    changes = alarm(tmp_path)
    tls = {"certificate": str(files.certificate), "key": str(files.key)}
    changes["channels"] = {"whatsapp": {"tls": tls}}
    async with Alarmed(tmp_path, monkeypatch, engine=engine, changes=changes) as town:
        assert await town.look() == []
        watching = town.up.watchers._lookout
        ends = watching._certificate
        assert ends is not None
        assert ends > time.time()
        monkeypatch.setattr(lookout, "CERTIFICATE_FOR_S", 1e9)
        watching._certificate = time.time() + 3.5 * 86_400
        assert await town.look() == ["certificate raised"]
        assert "in 3 days. Meta calls nobody" in town.diary


async def test_a_command_that_fails(town: Alarmed) -> None:
    town.ends_with(3)
    connection = town.up.database._writer._connection
    connection.execute("PRAGMA query_only = ON")
    assert await town.look() == ["storage raised"]
    assert '"reason": "ended with exit code 3"' in town.log.getvalue()
    assert await town.look() == ["storage raised"]  # not before a minute has passed
    connection.execute("PRAGMA query_only = OFF")
    assert town.up.metrics.value("alerts", "storage failed") == 1


async def test_a_command_that_hangs_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: FakeEngine
) -> None:
    changes = alarm(tmp_path)
    begun = tmp_path / "begun"
    changes["alerts"]["alert_command"] = ["sh", "-c", f": > {begun}; exec sleep 1000"]
    async with Alarmed(tmp_path, monkeypatch, engine=engine, changes=changes) as town:
        connection = town.up.database._writer._connection
        connection.execute("PRAGMA query_only = ON")
        looking = asyncio.ensure_future(town.look())
        await town.until(begun.exists)
        connection.execute("PRAGMA query_only = OFF")
        await town.say(ANN, "hello")
        await town.hears(ANN, 1)
        assert not looking.done()
        looking.cancel()
        await asyncio.wait({looking})


async def test_trying_it_out(town: Alarmed) -> None:
    status, ended = await town.ask("alerts_test")
    assert (status, ended["ok"], ended["code"]) == (200, True, 0)
    assert town.told() == ["test test"]
    town.ends_with(1)
    assert (await town.ask("alerts_test"))[1]["reason"] == "ended with exit code 1"


async def test_without_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: FakeEngine
) -> None:
    changes = {"admin": {"enabled": True}}
    async with Alarmed(tmp_path, monkeypatch, engine=engine, changes=changes) as town:
        town.up.database._writer._connection.execute("PRAGMA query_only = ON")
        assert await town.look() == []
        status, answer = await town.ask("alerts_test")
        assert status == 409 or answer["exit_code"] == 1
        assert "alert_command is not set" in answer["error"]
        found = (await town.ask("alerts"))[1]
        assert found["is_configured"] is False
        town.up.database._writer._connection.execute("PRAGMA query_only = OFF")


async def test_a_look_that_breaks_is_logged_once_and_is_not_the_last(
    town: Alarmed, monkeypatch: pytest.MonkeyPatch
) -> None:
    alerting = town.up.watchers.alerting
    looks: list[int] = []

    async def broken() -> None:
        looks.append(1)
        raise RuntimeError("words")

    monkeypatch.setattr(alerting, "look", broken)
    monkeypatch.setattr("openparallax.app.alerting.LOOK_EVERY_S", 0.0)
    START(alerting)
    await town.until(lambda: len(looks) > 3)
    assert town.log.getvalue().count("alerting_broke") == 1
    assert '"words"' not in town.log.getvalue()


async def test_no_word_and_no_number_of_a_person(town: Alarmed, engine: FakeEngine) -> None:
    canary, person = Canary(), "491755512340987"

    async def fail(turn: Turn) -> Reply:
        raise RuntimeError(turn.text)

    engine.answer_with = fail
    for _ in range(5):
        await town.say(person, f"hello {canary}", name=str(canary))
    await town.until(lambda: town.up.metrics.value("engine_failures", "raised") == 5)
    town.graph.queue(error(190))
    await town.say(person, f"/otr {canary}")
    await town.until(lambda: paused(town))
    assert {line.split()[0] for line in await town.look()} >= {"engine", "account_paused"}
    shown = town.diary + json.dumps((await town.ask("alerts"))[1])
    assert person[2:] not in shown
    assert meta.PHONE_NUMBER_ID not in shown
    assert canary.found_in(shown.encode()) == []
