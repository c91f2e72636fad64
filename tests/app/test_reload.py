"""A configuration taken over while the house runs: what is in force then, and what had begun.

That every key is either taken over or named is in ``test_reload_keys.py``; that nothing is lost
meanwhile in ``test_reload_under_load.py``.
"""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from openparallax.app import plugged
from openparallax.app.plugins import import_ahead
from openparallax.config import EngineChoice
from openparallax.engines.anthropic import Anthropic
from openparallax.errors import ConfigError
from openparallax.outbox import account
from openparallax.plugin import Reply, Tools, Turn
from openparallax.session.notices import SENTENCES
from tests.fakes import meta
from tests.fakes.engines import FakeEngine, Gate
from tests.town import ANN, BOB, Town

SECOND = "2000000000000002"


def whatsapp(**changes: Any) -> dict[str, Any]:
    return {"channels": {"whatsapp": changes}}


class Engines:
    """Makes one engine for each choice, as plugins are made; each says its name and the words."""

    def __init__(self) -> None:
        self.made: list[FakeEngine] = []
        self.refuses = False
        self.keeps_content = False
        self.writes_markdown = False

    def load(self, choice: EngineChoice, _tools: Tools) -> FakeEngine:
        if self.refuses:
            raise ConfigError([f"{choice.place}: the engine {choice.type} could not be made"])
        name = f"{choice.type}{len(self.made)}"

        async def answer(turn: Turn) -> Reply:
            return Reply(text=f"{name}: {turn.text}")

        engine = FakeEngine(answer)
        engine.keeps_content = self.keeps_content
        engine.writes_markdown = self.writes_markdown
        self.made.append(engine)
        return engine


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> Engines:
    return Engines()


@pytest_asyncio.fixture
async def town(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engines: Engines
) -> AsyncIterator[Town]:
    monkeypatch.setattr(plugged, "load_engine", engines.load)
    async with Town(tmp_path, monkeypatch, own_engines=True) as town:
        yield town


pytestmark = pytest.mark.usefixtures("catalogs_at_hand")
ANTHROPIC = {"engine": {"type": "anthropic", "api_key": "made-up"}}


# -- who is let in -------------------------------------------------------------------------------


async def test_the_allow_list_is_another_from_the_next_message_on(town: Town) -> None:
    await town.say(ANN, "one")
    await town.hears(ANN, 1)
    outcome = await town.reload(whatsapp(allowed_numbers=[f"+{BOB}"]))
    assert outcome.applied == ("channels.whatsapp.allowed_numbers",)
    assert outcome.problems == outcome.needs_restart == ()
    await town.say(ANN, "two")
    await town.say(BOB, "three")
    assert await town.hears(BOB, 1) == ["echo0: three"]
    assert town.heard(ANN) == ["echo0: one"]


async def test_another_app_secret_is_asked_for_at_once(town: Town) -> None:
    fresh = "another_secret_of_this_app"
    (town.folder / "secret").write_text(fresh)
    outcome = await town.reload(whatsapp(app_secret=f"file:{town.folder / 'secret'}"))
    assert outcome.applied == ("channels.whatsapp.app_secret",)
    raw = meta.body(meta.text(ANN, "one"))
    assert await meta.post(town.session, town.url, raw) == 401
    assert await meta.post(town.session, town.url, raw, fresh) == 200
    assert await town.hears(ANN, 1) == ["echo0: one"]


async def test_what_is_unsigned_cannot_be_let_in_where_the_old_listener_is_public(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is in order by itself: its listener is on loopback. The one that runs is not."""
    async with Town(tmp_path, monkeypatch, changes=whatsapp(webhook_host="0.0.0.0")) as town:
        before = town.up.settings
        read = town.read_anew

        def without_secret() -> Any:
            settings = read()
            unsigned = settings.whatsapp.model_copy(update={"app_secret": ()})
            object.__setattr__(settings, "whatsapp", unsigned)
            return settings

        town.up.reload._read = without_secret
        outcome = await town.reload()
        assert "channels.whatsapp.app_secret: cannot be taken away" in outcome.problems[0]
        assert town.up.settings is before
        raw = meta.body(meta.text(ANN, "one"))
        assert await meta.post(town.session, town.url, raw, "wrong") == 401


async def test_verification_is_asked_with_another_token(town: Town) -> None:
    await town.reload(whatsapp(verify_token="a fresh one"))
    asked = {"hub.mode": "subscribe", "hub.challenge": "7", "hub.verify_token": meta.VERIFY_TOKEN}
    async with town.session.get(town.url, params=asked) as answer:
        assert answer.status == 403
    async with town.session.get(
        town.url, params=asked | {"hub.verify_token": "a fresh one"}
    ) as answer:
        assert (answer.status, await answer.text()) == (200, "7")


async def test_a_limit_goes_on_from_what_was_counted(town: Town) -> None:
    limit = {"window_seconds": 3600, "max_messages": 2}
    await town.reload(whatsapp(rate_limit=limit))
    for count, words in enumerate(("one", "two"), start=1):
        await town.say(ANN, words)
        await town.hears(ANN, count)  # else they may be answered together
    await town.reload(whatsapp(rate_limit=limit, human_takeover_minutes=5))
    await town.say(ANN, "three")
    assert (await town.hears(ANN, 3))[-1] == SENTENCES["rate_limited"]
    outcome = await town.reload(whatsapp(rate_limit={**limit, "max_messages": 3}))
    assert "channels.whatsapp.rate_limit.max_messages" in outcome.applied
    await town.say(ANN, "four")
    assert (await town.hears(ANN, 4))[-1] == "echo0: four"


# -- ways to Graph -------------------------------------------------------------------------------


async def test_a_paused_number_goes_on_with_another_token_at_once(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "FIRST_PROBE_S", 3600)  # no pause ends by itself
    town.graph.tokens = {meta.PHONE_NUMBER_ID: "fresh"}
    await town.say(ANN, "one")
    state = town.up.outbox.account(meta.PHONE_NUMBER_ID)
    await town.until(lambda: state.is_paused)
    (town.folder / "token").write_text("fresh")
    outcome = await town.reload(whatsapp(access_token=f"file:{town.folder / 'token'}"))
    assert outcome.applied == ("channels.whatsapp.access_token",)
    assert await town.hears(ANN, 1) == ["echo0: one"]
    await town.until(lambda: not state.is_paused)


async def test_what_the_old_token_is_refused_for_while_it_is_exchanged_pauses_nobody(
    town: Town,
) -> None:
    """Withdrawn at Meta in the very moment: the send under way comes back refused."""
    town.graph.tokens = {meta.PHONE_NUMBER_ID: "fresh"}
    refused, exchanged = asyncio.Event(), asyncio.Event()
    held = town.up.graph._clients[meta.PHONE_NUMBER_ID]
    post = held._post

    async def slowly(number: str, data: bytes) -> Any:
        outcome = await post(number, data)
        refused.set()
        await exchanged.wait()
        return outcome

    held._post = slowly  # type: ignore[method-assign,assignment]
    await town.say(ANN, "one")
    await refused.wait()
    (town.folder / "token").write_text("fresh")
    await town.reload(whatsapp(access_token=f"file:{town.folder / 'token'}"))
    exchanged.set()
    assert await town.hears(ANN, 1) == ["echo0: one"]
    assert "account_paused" not in town.log.getvalue()


async def test_a_send_under_way_has_as_long_as_it_had_before(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut, it would be in doubt, and the message perhaps sent twice."""
    await town.reload(whatsapp(graph_timeout_seconds=600))
    retire, given = town.up._exchange._retire_clients, list[float]()

    async def retired(clients: Any, longest_s: float) -> None:
        given.append(longest_s)
        await retire(clients, longest_s)

    monkeypatch.setattr(town.up._exchange, "_retire_clients", retired)
    await town.reload(whatsapp(graph_timeout_seconds=5))
    await town.until(lambda: bool(given))
    assert given[0] > 600


# -- who answers ---------------------------------------------------------------------------------


async def test_a_turn_ends_with_the_engine_that_it_was_asked_of(
    town: Town, engines: Engines
) -> None:
    old, gate = engines.made[0], Gate()
    old.answer_with = gate
    await town.say(ANN, "*one*")
    await town.until(lambda: gate.waiting == 1)
    engines.writes_markdown = True
    outcome = await town.reload(ANTHROPIC)
    assert outcome.applied == ("engine.type",)
    await town.say(BOB, "**two**")
    assert await town.hears(BOB, 1) == ["anthropic1: *two*"]
    assert not old.was_closed
    gate.open()
    assert await town.hears(ANN, 1) == ["*one*"]  # as its engine wrote it, not as Markdown
    await town.until(lambda: old.was_closed)
    assert not engines.made[1].was_closed


async def test_a_turn_of_two_exchanges_ago_ends_with_its_engine_too(
    town: Town, engines: Engines
) -> None:
    """The engine stayed when its stages changed, and is gone while that turn still runs in it."""
    old, gate = engines.made[0], Gate()
    old.answer_with = gate
    await town.say(ANN, "one")
    await town.until(lambda: gate.waiting == 1)
    await town.reload({"pipeline": []})
    await town.reload(ANTHROPIC | {"pipeline": []})
    await town.say(BOB, "two")
    assert await town.hears(BOB, 1) == ["anthropic1: two"]
    await asyncio.sleep(0.05)  # whoever would close it would have
    assert not old.was_closed
    gate.open()
    assert await town.hears(ANN, 1) == ["one"]
    await town.until(lambda: old.was_closed)


IMPORTING, MAY_END = threading.Event(), threading.Event()


async def test_messages_are_taken_while_what_an_engine_needs_is_imported(
    town: Town, engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seconds may go by, as with a model's SDK; made on the loop, it is imported by then."""
    (town.folder / "slow_to_import.py").write_text(
        f"from {__name__} import IMPORTING, MAY_END\nIMPORTING.set()\nassert MAY_END.wait(20)\n"
    )
    assert set(Anthropic.imports) <= set(Anthropic.__init__.__code__.co_names)
    monkeypatch.syspath_prepend(town.folder)
    monkeypatch.setattr(Anthropic, "imports", ("not_there_at_all", "slow_to_import"))
    monkeypatch.setattr("openparallax.app.fittings.import_ahead", import_ahead)
    reloading = asyncio.create_task(town.reload(ANTHROPIC))
    try:
        await town.until(IMPORTING.is_set)
        await town.say(ANN, "one")
        assert await town.hears(ANN, 1) == ["echo0: one"]
    finally:
        MAY_END.set()
    assert (await reloading).applied == ("engine.type",)
    assert sys.modules.pop("slow_to_import")
    await town.say(ANN, "two")
    assert (await town.hears(ANN, 2))[1] == "anthropic1: two"


async def test_an_engine_whose_settings_are_the_same_stays(town: Town, engines: Engines) -> None:
    await town.reload({"conversation": {"history_messages": 3}})
    await town.reload({"pipeline": []})
    assert len(engines.made) == 1
    assert not engines.made[0].was_closed


async def test_an_engine_that_cannot_be_made_changes_nothing(town: Town, engines: Engines) -> None:
    engines.refuses = True
    outcome = await town.reload({**ANTHROPIC, "notices": {"new": "Anew."}})
    assert [text.rsplit(": ", 1)[1] for text in outcome.problems] == [
        "the engine anthropic could not be made"
    ]
    await town.say(ANN, "/new")
    await town.say(ANN, "one")
    assert await town.hears(ANN, 2) == [SENTENCES["new"], "echo0: one"]
    assert "setting_refused" in town.log.getvalue()
    assert "is wrong" in town.up.reload.note


async def test_engines_of_both_modes_are_closed_in_the_end(town: Town, engines: Engines) -> None:
    await town.reload({"off_the_record": {"engine": ANTHROPIC["engine"]}})
    await town.say(ANN, "/otr one")
    assert (await town.hears(ANN, 2))[1] == "anthropic1: one"
    gate = Gate()
    engines.made[1].answer_with = gate
    await town.say(ANN, "two")
    await town.until(lambda: gate.waiting == 1)
    await town.reload({"conversation": {"drain_seconds": 0}})
    await town.say(BOB, "three")
    assert await town.hears(BOB, 1) == ["echo0: three"]
    await town.stop()  # the turn is cancelled in the end, or has ended
    assert [engine.was_closed for engine in engines.made] == [True, True]


async def test_who_is_off_the_record_is_told_of_an_engine_that_keeps_content(
    town: Town, engines: Engines
) -> None:
    await town.say(ANN, "/otr")
    await town.hears(ANN, 1)
    engines.keeps_content = True
    outcome = await town.reload(ANTHROPIC)
    assert any("/otr is refused from now on" in warning for warning in outcome.warnings)
    await town.say(ANN, "confidential")
    assert (await town.hears(ANN, 2))[1] == SENTENCES["otr_refused"]
    await town.say(BOB, "/otr")
    assert await town.hears(BOB, 1) == [SENTENCES["otr_refused"]]
    assert engines.made[1].asked == []


# -- our numbers ---------------------------------------------------------------------------------


def with_second(folder: Path) -> dict[str, Any]:
    (folder / "second").write_text("another")
    return whatsapp(
        accounts=[{"phone_number_id": SECOND, "access_token": f"file:{folder / 'second'}"}]
    )


async def test_a_number_that_is_gone_keeps_what_waits_until_it_is_back(
    town: Town, engines: Engines
) -> None:
    outcome = await town.reload(with_second(town.folder))
    assert outcome.applied == (f"channels.whatsapp.accounts.{SECOND}",)
    gate = Gate()
    engines.made[0].answer_with = gate
    await town.say(ANN, "one", phone_number_id=SECOND)
    await town.until(lambda: gate.waiting == 1)
    await town.say(ANN, "two", phone_number_id=SECOND)
    await town.reload({})
    gate.open()
    await town.until(lambda: not town.up.dispatcher.running and not town.up.dispatcher.waiting)
    assert await town.post_once(meta.text(ANN, "foreign", phone_number_id=SECOND)) == 200
    await town.say(ANN, "here")
    assert await town.hears(ANN, 1) == ["here"]
    await town.reload(with_second(town.folder))
    assert await town.hears(ANN, 3) == ["here", "one", "two"]
    assert {one.phone_number_id for one in town.graph.accepted} == {SECOND, meta.PHONE_NUMBER_ID}


# -- the reload itself ---------------------------------------------------------------------------


async def test_what_needs_a_restart_is_named_each_time_and_the_rest_is_applied(town: Town) -> None:
    changes = {
        **whatsapp(webhook_path="/other"),
        "log": {"format": "text", "level": "error"},
        "notices": {"new": "Anew."},
    }
    for applied in (("log.level", "notices.new"), ()):
        outcome = await town.reload(changes)
        assert outcome.applied == applied
        assert outcome.needs_restart == ("channels.whatsapp.webhook_path", "log.format")
    await town.say(ANN, "/new")
    assert await town.hears(ANN, 1) == ["Anew."]
    assert "a restart is needed for channels.whatsapp.webhook_path" in town.up.reload.note
    assert (await town.reload()).needs_restart == ()


async def test_a_dry_run_tells_the_same_and_changes_nothing(town: Town, engines: Engines) -> None:
    town.changes = {**ANTHROPIC, "notices": {"new": "Anew."}}
    found = await town.up.reload.control({"dry_run": True})
    assert found["applied"] == ["engine.type", "notices.new"]
    assert engines.made[1].was_closed
    await town.say(ANN, "/new one")
    assert await town.hears(ANN, 2) == [SENTENCES["new"], "echo0: one"]
    assert town.up.reload.note == ""
    assert '"reloaded"' not in town.log.getvalue()


async def test_one_after_the_other_and_the_last_file_wins(town: Town) -> None:
    wordings = [{"notices": {"new": f"Anew {number}."}} for number in range(5)]
    reread = iter(wordings)

    def read() -> Any:
        town.changes = next(reread)
        return town.read_anew()

    town.up.reload._read = read
    outcomes = await asyncio.gather(*(town.up.reload.reload("test") for _ in wordings))
    assert [outcome.applied for outcome in outcomes] == [("notices.new",)] * 5
    await town.say(ANN, "/new")
    assert await town.hears(ANN, 1) == ["Anew 4."]


async def test_a_daemon_that_stops_reloads_no_more(town: Town, engines: Engines) -> None:
    gate = Gate()
    engines.made[0].answer_with = gate
    await town.say(ANN, "one")
    await town.until(lambda: gate.waiting == 1)
    house = town.up
    stopping = asyncio.create_task(town.stop())
    await town.until(lambda: house.condition.state == "draining")
    town.changes = {"notices": {"new": "Anew."}}
    outcome = await house.reload.reload("test")
    assert outcome.is_too_early
    assert "stopping" in outcome.problems[0]
    gate.open()
    await stopping


async def test_a_file_that_is_wrong_is_told_with_all_its_problems(town: Town) -> None:
    before = town.up.settings
    outcome = await town.reload({"conversation": {"drain_seconds": -1}, "log": {"level": "loud"}})
    file = town.folder / "config.yaml"
    assert [text.split(": ")[1] for text in outcome.problems] == [
        "conversation.drain_seconds",
        "log.level",
    ]
    assert all(text.startswith(f"{file}:") for text in outcome.problems)
    assert town.up.settings is before
    assert town.up.reload.told()["problems"] == list(outcome.problems)
