"""The operator's listener of a whole house: what it counts, when it is ready."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from openparallax.admin.families import COUNTED, MEASURED, TIMED
from openparallax.app import condition
from openparallax.errors import NotStored, StartError
from openparallax.plugin import Reply, Turn
from openparallax.storage import holder_of
from tests.admin.reading import Read
from tests.canary import Canary
from tests.fakes import meta
from tests.fakes.behaviours import error
from tests.fakes.engines import FakeEngine, Gate
from tests.town import ANN, BOB, Town

OPEN: dict[str, Any] = {"admin": {"enabled": True}}


class Watched(Town):
    """A town with an operator."""

    async def ask(self, path: str) -> tuple[int, str]:
        async with self.session.get(self.up.admin.url + path) as got:
            return got.status, await got.text()

    async def read(self) -> Read:
        status, text = await self.ask("/metrics")
        assert status == 200
        return Read(text)

    async def status(self) -> dict[str, Any]:
        """As the command line asks, over the socket."""
        connector = aiohttp.UnixConnector(str(self.state / "control.sock"))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.post("http://localhost/control/status", json={}) as got,
        ):
            assert got.status == 200
            found: dict[str, Any] = await got.json()
            return found

    async def ready(self) -> list[str]:
        """The reasons why not, found anew."""
        await self.forget()
        status, text = await self.ask("/readyz")
        assert status == (200 if text == "ready" else 503)
        return [] if text == "ready" else text.split("\n")

    async def forget(self) -> None:
        """What was found is old by now."""
        for one in (self.up.condition._probe, self.up.condition.tables):
            one._looked_at = float("-inf")


@pytest_asyncio.fixture
async def town(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: FakeEngine
) -> AsyncIterator[Watched]:
    async with Watched(tmp_path, monkeypatch, engine=engine, changes=OPEN) as town:
        yield town


# -- metrics ----------------------------------------------------------------------------------


async def test_every_family_is_there(town: Watched) -> None:
    found = await town.read()
    for family in (*COUNTED, *TIMED, *MEASURED):
        assert family.name in found.types, family.name
    assert found.value("openparallax_build_info", **found.labels("openparallax_build_info")[0]) == 1
    assert found.value("openparallax_last_webhook_timestamp_seconds") == 0


async def test_a_message_and_its_answer(town: Watched, engine: FakeEngine) -> None:
    async def answer(turn: Turn) -> Reply:
        return Reply(text=turn.text, usage={"input": 12, "output": 3}, model="made-up")

    engine.answer_with = answer
    hello = meta.text(ANN, "hello")
    await town.post(hello)
    await town.post(hello, meta.media(ANN, "image"))
    await town.hears(ANN, 2)
    await town.quiet()
    [call, *_] = town.graph.accepted
    await town.post(meta.status(call.wamid, "delivered", callback=call.callback))
    await town.post(meta.status("wamid.foreign", "read"))
    await meta.post(town.session, town.url, b"{}", secret="another")
    await town.forget()
    found = await town.read()

    def count(name: str, **labels: str) -> float:
        return found.value(f"openparallax_{name}", **labels)

    assert count("webhook_requests_total", result="stored") == 4
    assert count("webhook_requests_total", result="bad_signature") == 1
    assert count("signature_failures_total") == 1
    assert count("webhook_seconds_count") == 4
    assert count("inbound_messages_total", type="text", outcome="admitted") == 1
    assert count("inbound_messages_total", type="image", outcome="unreadable") == 1
    assert count("duplicates_total") == 1
    assert count("turn_seconds_count", result="answered") == 1
    assert count("turn_seconds_count", result="only_text") == 1
    assert count("sends_total", outcome="accepted") == 2
    assert count("send_seconds_count") == 2
    assert count("statuses_total", status="delivered") == 1
    assert count("statuses_total", status="foreign") == 1
    assert count("tokens_total", engine="echo", kind="input") == 12
    assert count("tokens_total", engine="echo", kind="output") == 3
    assert count("account_paused", account=meta.PHONE_NUMBER_ID) == 0
    assert count("database_bytes") > 0
    assert time.time() - count("last_webhook_timestamp_seconds") < 60
    for queue in found.labels("openparallax_queue_depth"):
        assert count("queue_depth", **queue) == 0
    assert count("oldest_waiting_seconds", queue="messages") == 0


async def test_what_goes_wrong(town: Watched, engine: FakeEngine) -> None:
    async def fail(_turn: Turn) -> Reply:
        raise RuntimeError("broken")

    engine.answer_with = fail
    town.graph.queue(error(131026))
    await town.say(ANN, "hello")
    await town.until(lambda: town.up.metrics.value("sends", "failed") == 1)
    await town.say(BOB, "hello")
    await town.hears(BOB, 1)
    await town.quiet()
    [call] = town.graph.accepted
    await town.post(meta.status(call.wamid, "failed", callback=call.callback, code=131049))
    found = await town.read()
    assert found.value("openparallax_turn_seconds_count", result="engine_failed") == 2
    assert found.value("openparallax_sends_total", outcome="refused") == 1
    assert found.value("openparallax_graph_errors_total", code="131026") == 1
    assert found.value("openparallax_graph_errors_total", code="131049") == 1
    assert found.value("openparallax_parcels_total", outcome="failed") == 2


async def test_what_waits(town: Watched, engine: FakeEngine) -> None:
    gate = engine.answer_with = Gate()
    now = int(time.time())
    await town.say(ANN, "one", at=now - 100)
    await town.until(lambda: gate.waiting == 1)
    await town.say(ANN, "two", at=now - 90)
    await town.say(ANN, "three")
    await town.forget()
    found = await town.read()
    assert found.value("openparallax_queue_depth", queue="messages_waiting") == 2
    assert found.value("openparallax_queue_depth", queue="turns_running") == 1
    assert 90 <= found.value("openparallax_oldest_waiting_seconds", queue="messages") < 300
    gate.open()


async def test_one_message_one_outcome(town: Watched, engine: FakeEngine) -> None:
    """However a message is told off, the sum over all outcomes is the number of messages."""
    revoked = meta.text(ANN, "take it back")
    items = [
        meta.text(ANN, "hello"),
        meta.text(ANN, "/new and words"),
        meta.text(ANN, "/status"),
        meta.media(ANN, "image"),
        meta.media(ANN, "audio"),
        meta.message(ANN, "reaction", {"emoji": "👍"}),
        revoked,
        meta.revoke(ANN, revoked["message"]["id"]),
    ]
    for item in items:
        await town.post(item)
    found = await town.read()
    name = "openparallax_inbound_messages_total"
    assert sum(found.value(name, **labels) for labels in found.labels(name)) == len(items)


# -- ready ------------------------------------------------------------------------------------


async def test_ready(town: Watched) -> None:
    assert await town.ask("/healthz") == (200, "ok")
    assert await town.ask("/readyz") == (200, "ready")


async def test_an_account_that_is_paused(town: Watched) -> None:
    town.graph.queue(error(190))
    await town.say(ANN, "hello")
    await town.until(lambda: town.up.outbox.account(meta.PHONE_NUMBER_ID).is_paused)
    [reason] = await town.ready()
    assert reason.startswith(f"account {meta.PHONE_NUMBER_ID} is paused (code 190): ")
    assert (await town.read()).value(
        "openparallax_account_paused", account=meta.PHONE_NUMBER_ID
    ) == 1
    [account] = (await town.status())["accounts"]
    assert (account["state"], account["code"]) == ("paused", 190)
    assert account["hint"]
    state = town.up.outbox.account(meta.PHONE_NUMBER_ID)
    state.begin(1)
    state.accepted(1)
    assert await town.ready() == []


async def test_a_disk_without_room(town: Watched) -> None:
    assert await town.ready() == []
    connection = town.up.database._writer._connection
    connection.execute("PRAGMA query_only = ON")
    assert await town.post_once(meta.text(ANN, "hello")) == 503
    assert (await town.ask("/readyz"))[0] == 503  # at once, though it was found ready just now
    [reason] = await town.ready()
    assert reason.startswith("storage: ")
    assert str(town.state) in reason
    found = await town.read()
    assert found.value("openparallax_storage_failures_total") > 0
    assert found.value("openparallax_webhook_requests_total", result="not_stored") == 1
    connection.execute("PRAGMA query_only = OFF")
    assert await town.ready() == []


async def test_a_disk_that_hangs(town: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = town.up.database._writer
    with monkeypatch.context() as hanging:
        hanging.setattr(writer, "_begin", lambda: None)
        hanging.setattr(town.up.condition._probe, "_patience_s", 0.01)
        assert "does not answer" in (await town.ready())[0]
        assert (await town.ask("/metrics"))[0] == 200
    writer._begin()
    await town.until(lambda: not writer._busy)
    assert await town.ready() == []


async def test_somebody_who_reads_at_length(town: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(town.up.condition.tables, "_patience_s", 0.01)
    with town.up.database._readers_may_read:
        assert await town.ready() == []
        assert (await town.ask("/metrics"))[0] == 200


async def test_a_backlog(
    town: Watched, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = engine.answer_with = Gate()
    await town.say(ANN, "one")
    await town.until(lambda: gate.waiting == 1)
    await town.say(ANN, "two", at=int(time.time()) - 1000)
    assert await town.ready() == []  # it is old, and came just now
    town.up.condition._oldest_since -= 1000
    [reason] = await town.ready()
    assert reason.startswith("backlog: messages wait for a turn, the oldest for 17 minutes")
    await town.say(ANN, "three")
    monkeypatch.setattr(condition, "MOST_WAITING", 1)
    assert (await town.ready())[0].startswith("backlog: 2 messages wait")
    gate.open()
    await town.quiet()
    assert await town.ready() == []
    gate = engine.answer_with = Gate()
    await town.say(ANN, "four")
    await town.until(lambda: gate.waiting == 1)
    await town.say(ANN, "five", at=int(time.time()) - 1000)
    assert await town.ready() == []  # another one is the oldest, and just so
    gate.open()


async def test_what_waits_on_a_number_that_is_not_served(town: Watched, engine: FakeEngine) -> None:
    gate = engine.answer_with = Gate()
    await town.say(ANN, "one")
    await town.until(lambda: gate.waiting == 1)
    await town.say(ANN, "two", at=int(time.time()) - 1000)
    assert await town.ready() == []
    town.up.condition._oldest_since -= 1000
    assert len(await town.ready()) == 1
    town.up.condition._served = frozenset({"another"})
    assert await town.ready() == []
    town.up.condition._served = frozenset({meta.PHONE_NUMBER_ID})
    gate.open()
    await town.quiet()


async def test_while_it_stops_and_before_it_has_started(town: Watched, engine: FakeEngine) -> None:
    gate = engine.answer_with = Gate()
    await town.say(ANN, "hello")
    await town.until(lambda: gate.waiting == 1)
    url = town.up.admin.url
    stopping = asyncio.ensure_future(town.up.stop())
    await town.until(lambda: town.up.dispatcher.is_stopping)
    [reason] = await town.ready()
    assert reason.startswith("stopping: ")
    assert (await town.status())["state"] == "draining"
    gate.open()
    await stopping
    with pytest.raises(aiohttp.ClientError):
        await town.session.get(url + "/readyz")
    town.house = None
    await town.start()
    town.up.condition.state = "starting"
    assert (await town.ready())[0].startswith("starting: ")


async def test_probes_cost_one_write_in_some_seconds(
    town: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    await town.up.housekeeping.stop()  # its first sweep writes too, whenever that is
    database, unit = town.up.database, town.up.database.unit

    def counting(*work: Any) -> Any:
        written.append(work)
        return unit(*work)

    monkeypatch.setattr(database, "unit", counting)
    await town.forget()
    for _ in range(20):
        await town.ask("/readyz")
        await town.ask("/metrics")
    assert len(written) == 1


async def test_scrapes_go_one_after_the_other(
    town: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many ask at once, what is acknowledged waits for one of them only."""
    rendered: list[int] = []
    all_begun, rounds = asyncio.Barrier(4), 0

    async def measured() -> dict[str, Any]:
        await all_begun.wait()  # as on a disk that hangs: nobody waits for the others' patience
        asyncio.get_running_loop().call_soon(turn_round)
        return {}

    def turn_round() -> None:
        nonlocal rounds
        rounds += 1
        if len(rendered) < 4:
            asyncio.get_running_loop().call_soon(turn_round)

    def render(*_: object) -> tuple[bytes, str]:
        rendered.append(rounds)
        return b"", "text/plain"

    await town.ask("/metrics")
    monkeypatch.setattr(town.up.condition, "measured", measured)
    monkeypatch.setattr(town.up.condition._exposition, "render", render)
    answers = await asyncio.gather(*(town.ask("/metrics") for _ in range(4)))
    assert [status for status, _ in answers] == [200] * 4
    assert len(set(rendered)) == 4


# -- status -----------------------------------------------------------------------------------


async def test_status(town: Watched) -> None:
    await town.say(ANN, "hello")
    await town.hears(ANN, 1)
    await town.quiet()
    await town.forget()
    found = await town.status()
    assert found["state"] == "running"
    assert (found["ready"], found["reasons"]) == (True, [])
    assert found["database"]["path"] == str(town.state / "openparallax.db")
    assert found["database"]["bytes"] > 0
    assert found["engines"] == {"on the record": "echo", "off the record": "echo"}
    assert found["accounts"][0].pop("token")["trouble"] == ""
    assert found["accounts"] == [
        {
            "phone_number_id": meta.PHONE_NUMBER_ID,
            "state": "active",
            "code": None,
            "hint": "",
            "allowed": 0,
            "signed": True,
            "presence": "none",
        }
    ]
    assert found["messages_waiting"] == found["parts_waiting"] == 0
    assert found["oldest_message_seconds"] is None
    assert found["listener"]["port"] == town.up.port
    assert found["admin"]["port"] == town.up.admin.port
    assert found["admin"]["socket"] == str(town.state / "control.sock")
    assert 0 <= found["last_webhook_seconds"] < 60
    assert found["tokens_today"] == []
    assert found["warnings"]


async def test_status_with_a_file_that_cannot_be_read(
    town: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_work: object) -> None:
        raise NotStored("the database could not be read (SQLITE_IOERR)")

    monkeypatch.setattr(town.up.database, "read", refuse)
    await town.forget()
    found = await town.status()
    assert found["messages_waiting"] is None
    assert found["news"] is None
    assert found["database"]["bytes"] is None
    assert "SQLITE_IOERR" in found["reasons"][0]
    scraped = await town.read()
    assert scraped.labels("openparallax_oldest_waiting_seconds") == []
    assert scraped.value("openparallax_queue_depth", queue="turns_running") == 0


# -- doors ------------------------------------------------------------------------------------


async def test_the_socket_is_announced_and_is_there_without_a_port(town: Watched) -> None:
    file = town.state / "openparallax.db"
    town.changes = None
    await town.restart()
    holder = holder_of(file)
    assert holder is not None
    assert holder.socket == town.state / "control.sock"
    status = await town.status()
    assert status["admin"]["enabled"] is False
    assert status["admin"]["port"] is None
    await town.stop()
    assert not (town.state / "control.sock").exists()
    assert holder_of(file) is None


async def test_the_socket_that_a_killed_process_left_behind(town: Watched) -> None:
    await town.crash()
    assert (town.state / "control.sock").exists()
    await town.start()
    assert (await town.status())["state"] == "running"


async def test_the_folder_that_systemd_gives(
    town: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    monkeypatch.setenv("RUNTIME_DIRECTORY", f"{run}:{tmp_path / 'another'}")
    await town.restart()
    assert (run / "control.sock").exists()
    holder = holder_of(town.state / "openparallax.db")
    assert holder is not None
    assert holder.socket == run / "control.sock"


@pytest.mark.parametrize("whose", ["operator", "public"])
async def test_a_port_that_is_taken(town: Watched, whose: str) -> None:
    await town.stop()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        town.changes = {
            "operator": {"admin": {"enabled": True, "port": port}},
            "public": OPEN | {"channels": {"whatsapp": {"webhook_port": port}}},
        }[whose]
        with pytest.raises(StartError) as raised:
            await town.start()
    assert raised.value.exit_code == 75
    assert ("admin.port" in str(raised.value)) == (whose == "operator")
    assert not (town.state / "control.sock").exists()
    town.house, town.changes = None, OPEN
    await town.start()
    assert await town.ready() == []


# -- nobody is betrayed -------------------------------------------------------------------------


async def test_no_person_and_no_word(town: Watched, engine: FakeEngine) -> None:
    """Through answers, refusals, notices and what is not understood, in both modes."""
    canary, person = Canary(), "491755512340987"

    async def answer(turn: Turn) -> Reply:
        if "fail" in turn.text:
            raise RuntimeError(turn.text)
        return Reply(text=turn.text, usage={canary.core: 3}, model="made-up")

    engine.answer_with = answer
    await town.say(person, f"hello {canary}", name=str(canary))
    await town.say(person, f"/{canary.core}")
    await town.say(person, f"/otr {canary}")
    await town.say(person, f"fail {canary}")
    await town.post(meta.media(person, "image", caption=f"{canary}"))
    await town.post(meta.message(person, canary.core, {"body": canary.core}))
    await town.post(
        meta.status(f"wamid.{canary.core}", "failed", callback=canary.core, code=131026)
    )
    town.graph.queue(error(131026), error(190))
    await town.say(person, f"once more {canary}")
    await town.until(lambda: town.up.outbox.account(meta.PHONE_NUMBER_ID).is_paused)
    await town.forget()
    status = await town.status()
    del status["tokens_today"]  # by the names that the engine gives
    (_, metrics), (_, ready) = await town.ask("/metrics"), await town.ask("/readyz")
    shown = repr([metrics, ready, status])
    assert person[2:] not in shown
    assert canary.found_in(shown.encode()) == []
    assert "is paused" in ready
    found = Read(metrics)
    assert found.value("openparallax_inbound_messages_total", type="text", outcome="admitted") == 5
    assert found.value("openparallax_inbound_messages_total", type="other", outcome="silent") == 1
