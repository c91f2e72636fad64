"""Every key of the schema: it is in force after a reload, or the answer names it.

A key that is neither here nor among those that need a restart fails. What is looked at is what the
parts go by, not the settings: a key that nobody takes over would stay as it was there.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from openparallax import config
from openparallax.app import plugged
from openparallax.app.differences import NEED_A_RESTART, differences, in_force
from openparallax.app.house import House
from openparallax.app.plugins import engine_catalog, stage_catalog
from openparallax.config import EngineChoice, Settings, Tls
from openparallax.errors import ConfigError
from openparallax.model.session import Mode
from openparallax.plugin import Tools
from openparallax.session.notices import SENTENCES
from tests.fakes import meta
from tests.fakes.engines import FakeEngine
from tests.town import BOB, Town, settings_for
from tests.webhook.certificates import Files, Pair

pytestmark = pytest.mark.usefixtures("catalogs_at_hand")
FIRST, SECOND = meta.PHONE_NUMBER_ID, "2000000000000002"
ON, OFF = Mode.ON_THE_RECORD, Mode.OFF_THE_RECORD
Observe = Callable[[House], Any]


class Chosen(FakeEngine):
    """Remembers by which choice it was made."""

    def __init__(self, choice: EngineChoice, _tools: Tools) -> None:
        super().__init__()
        self.choice = choice


def at_door(house: House, number: str) -> Any:
    return house.door._accounts[number]


def way(house: House, number: str) -> Any:
    return house.graph._clients[number]


def said_of(key: str, house: House, number: str) -> Any:
    """What is for others to read: the doctor, and who refreshes tokens."""
    [one] = [one for one in house.settings.whatsapp.numbers if one.phone_number_id == number]
    return getattr(one, key)


def secrets(house: House, number: str) -> set[bytes]:
    return {key.secret for key in house.listener._gate._keys if number in key.accounts}


def pace(house: House) -> Any:
    return house.outbox.departures.gate(FIRST).pacing


def engine_of(mode: Mode, house: House) -> EngineChoice:
    halves = house._exchange.fittings.plugged
    half = halves.on if mode is ON else halves.off
    assert isinstance(half.engine, Chosen)
    answerers = house._exchange._parts.answerers
    assert answerers[mode] is halves.answerers[mode]
    return half.engine.choice


def setting_of(mode: Mode, key: str, house: House) -> Any:
    found = getattr(engine_of(mode, house).settings, key)
    return found.get_secret_value() if isinstance(found, SecretStr) else found


def stages_of(mode: Mode, house: House) -> int:
    halves = house._exchange.fittings.plugged
    return len((halves.on if mode is ON else halves.off).stages)


def alert(key: str, house: House) -> Any:
    return getattr(house.watchers._lookout.settings.alerts, key)


OF_A_NUMBER: dict[str, tuple[Any, Any, Callable[[House, str], Any]]] = {
    "allowed_numbers": ([f"+{BOB}"], frozenset({BOB}), lambda h, n: at_door(h, n).allowed.entries),
    "rate_limit.window_seconds": (7, 7, lambda h, n: at_door(h, n).limit._window_s),
    "rate_limit.max_messages": (8, 8, lambda h, n: at_door(h, n).limit._most),
    "human_takeover_minutes": (9, 540, lambda h, n: at_door(h, n).takeover_s),
    "presence": ("read", "read", lambda h, n: h.presence._shown[n]),
    "access_token": (
        "file:fresh",
        "Bearer fresh",
        lambda h, n: way(h, n)._headers["Authorization"],
    ),
    "app_secret": ("file:fresh", {b"fresh"}, secrets),
    "verify_token": ("fresh", True, lambda h, _n: b"fresh" in h.listener._tokens),
    "graph_api_url": (
        "http://127.0.0.1:9/x",
        "http://127.0.0.1:9/x/v25.0",
        lambda h, n: str(way(h, n)._base),
    ),
    "graph_api_version": ("v26.0", "v26.0", lambda h, n: way(h, n)._base.name),
    "graph_timeout_seconds": (11, 11, lambda h, n: way(h, n)._timeout.total),
    "app_id": ("123", "123", partial(said_of, "app_id")),
    "waba_id": ("124", "124", partial(said_of, "waba_id")),
    "public_url": ("https://a.example", "https://a.example", partial(said_of, "public_url")),
}
"""Key of one of our numbers -> what the file says, what a part goes by then, and where that is."""

OTHERS: dict[str, tuple[Any, Any, Observe]] = {
    "conversation.coalesce": ("none", False, lambda h: h.dispatcher._advancing.coalesces),
    "conversation.drain_seconds": (3, 3, lambda h: h._settings.conversation.drain_seconds),
    "conversation.history_messages": (
        4,
        (4, 4),
        lambda h: (h.durable._history_entries, h.volatile.history_entries),
    ),
    "conversation.max_concurrent_turns": (5, 5, lambda h: h.dispatcher._free),
    "off_the_record.idle_minutes": (6, 360, lambda h: h.housekeeping._forgetting.idle_s),
    "off_the_record.pipeline": (["time_limit"] * 3, 3, partial(stages_of, OFF)),
    "pipeline": (["time_limit"] * 2, 2, partial(stages_of, ON)),
    "outbox.receipt_wait_seconds": (
        7,
        7,
        lambda h: h._exchange._parts.delivery._waits.receipt_wait_s,
    ),
    "outbox.messages_per_second": (8, 8, lambda h: pace(h)._number._most),
    "outbox.pair_burst": (9, 9, lambda h: pace(h)._pair_burst),
    "outbox.pair_interval_seconds": (4, 0.25, lambda h: pace(h)._pair_per_second),
    "outbox.max_in_flight": (
        11,
        (11, 11),
        lambda h: (h.outbox.places._most, way(h, FIRST)._most),
    ),
    "storage.retention_days": (12, 12, lambda h: h._exchange._parts.retention._days),
    "log.level": ("error", 40, lambda h: h._log.least),  # type: ignore[attr-defined]
    "engine.type": ("anthropic", "anthropic", lambda h: engine_of(ON, h).type),
    "off_the_record.engine.type": ("anthropic", "anthropic", lambda h: engine_of(OFF, h).type),
    "alerts.alert_command": ("true", ("true",), partial(alert, "alert_command")),
    "alerts.all_clear": (False, False, partial(alert, "all_clear")),
}
for name, value in {
    "backlog_messages": 21, "backlog_minutes": 22, "certificate_days": 23, "silence_hours": 24,
    "disk_free_megabytes": 25, "engine_failures": 26, "repeat_minutes": 27, "timeout_seconds": 28,
    "token_days": 29, "wait_minutes": 30,
}.items():  # fmt: skip
    OTHERS[f"alerts.{name}"] = value, value, partial(alert, name)
for name, given in {
    "api_key": "fresh", "base_url": "http://127.0.0.1:9", "max_tokens": 31, "model": "another",
    "system_prompt": "Be short.",
}.items():  # fmt: skip
    OTHERS[f"engine.{name}"] = given, given, partial(setting_of, ON, name)
    OTHERS[f"off_the_record.engine.{name}"] = given, given, partial(setting_of, OFF, name)

APART = {
    # another number takes its place, or one comes or goes: `test_a_number_comes_and_goes`
    "channels.whatsapp.phone_number_id",
    "channels.whatsapp.accounts.phone_number_id",
    "channels.whatsapp.accounts.enabled",
    # off is refused, as in any file: `test_the_only_number_cannot_be_switched_off`
    "channels.whatsapp.enabled",
    # `test_other_files_of_a_certificate`, and without any: `NEED_A_RESTART`
    "channels.whatsapp.tls.certificate",
    "channels.whatsapp.tls.key",
    # `test_unsigned_requests`
    "channels.whatsapp.allow_unsigned_webhooks",
    # each by `test_each_notice`
    *(f"notices.{name}" for name in SENTENCES),
}


def keys() -> set[str]:
    """Every key of the schema, with dots; secrets without the forms in which they are given."""
    document = config.schema(engine_catalog(), stage_catalog(), SENTENCES)
    return _keys(document, document["$defs"], ())


def _keys(node: dict[str, Any], defs: dict[str, Any], at: tuple[str, ...]) -> set[str]:
    if "$ref" in node:
        node = {**defs[node["$ref"].removeprefix("#/$defs/")], **node}
    found: set[str] = set()
    for name, inner in node.get("properties", {}).items():
        if not name.endswith("_env"):
            found |= _keys(inner, defs, (*at, name)) or {".".join((*at, name))}
    for key in ("anyOf", "allOf", "oneOf"):
        for one in node.get(key, []):
            found |= _keys(one, defs, at)
    if isinstance(node.get("items"), dict) and at[-1:] != ("pipeline",):
        found |= _keys(node["items"], defs, at)
    return found


def test_every_key_is_looked_at() -> None:
    looked_at = {
        *OTHERS,
        *APART,
        *NEED_A_RESTART,
        *(f"channels.whatsapp.{key}" for key in OF_A_NUMBER),
        *(f"channels.whatsapp.accounts.{key}" for key in OF_A_NUMBER),
    }
    found = keys()
    assert found - looked_at == set()
    # a block, of which other keys are in the schema
    assert looked_at - found == {"channels.whatsapp.tls"}


def tree(key: str, value: Any) -> dict[str, Any]:
    steps = key.split(".")
    found = value
    for step in reversed(steps):
        found = {step: found}
    return dict(found)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Town:
    (tmp_path / "fresh").write_text("fresh")
    (tmp_path / "second").write_text("another")
    monkeypatch.setattr(plugged, "load_engine", Chosen)
    return Town(tmp_path, monkeypatch, own_engines=True)


async def taken(town: Town, changes: dict[str, Any], key: str) -> House:
    """Reload with ``changes``, of which ``key`` must be applied, and begin one unit."""
    outcome = await town.reload(changes)
    assert outcome.problems == ()
    assert any(one == key or one.startswith(f"{key}.") for one in outcome.applied), outcome
    assert outcome.needs_restart == ()
    house = town.up
    await house.database.unit(house.door.admit)
    return house


async def test_what_is_said_of_a_number_is_in_force_after_a_reload(own: Town) -> None:
    async with own as town:
        for key, (given, becomes, observe) in OF_A_NUMBER.items():
            dotted = f"channels.whatsapp.{key}"
            assert observe(town.up, FIRST) != becomes, key
            house = await taken(town, tree(dotted, given), _named(dotted))
            assert observe(house, FIRST) == becomes, key


async def test_what_is_said_of_a_further_number_too(own: Town) -> None:
    second = {"phone_number_id": SECOND, "access_token": "file:second"}
    async with own as town:
        for key, (given, becomes, observe) in OF_A_NUMBER.items():
            await town.reload({"channels": {"whatsapp": {"accounts": [second]}}})
            changed = second | tree(key, given)
            dotted = f"channels.whatsapp.accounts.{SECOND}.{key}"
            house = await taken(
                town, {"channels": {"whatsapp": {"accounts": [changed]}}}, _named(dotted)
            )
            assert observe(house, SECOND) == becomes, key
            if key != "verify_token":
                assert observe(house, FIRST) != becomes, key


def _named(dotted: str) -> str:
    """In the smallest file there is no limit: the block is what changes."""
    return dotted.replace(".window_seconds", "").replace(".max_messages", "")


async def test_every_other_key_is_in_force_after_a_reload(own: Town) -> None:
    async with own as town:
        for key, (given, becomes, observe) in OTHERS.items():
            below: dict[str, Any] = {}
            if key.startswith("engine.") and key != "engine.type":
                below = {"engine": {"type": "anthropic", "api_key": "made-up"}}
            if key.startswith("off_the_record.engine."):
                below = {"off_the_record": {"engine": {"type": "anthropic", "api_key": "made-up"}}}
            if key.endswith("engine.type"):
                below = tree(key.removesuffix(".type"), {"api_key": "made-up"})
                await town.reload(tree(key, "echo"))
            elif below:
                await town.reload(below)
            assert observe(town.up) != becomes, key
            changes = _over(below, tree(key, given))
            house = await taken(town, changes, key)
            assert observe(house) == becomes, key


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    found = dict(below)
    for key, value in above.items():
        inner = found.get(key)
        is_both = isinstance(value, dict) and isinstance(inner, dict)
        found[key] = _over(inner, value) if is_both else value  # type: ignore[arg-type]
    return found


async def test_where_one_thing_is_wrong_nothing_at_all_changes(
    own: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    anthropic = {"type": "anthropic", "api_key": "made-up"}
    own.changes = base = {"engine": anthropic, "off_the_record": {"engine": anthropic}}
    changes: dict[str, Any] = base
    for key, (given, _, _) in OTHERS.items():
        if not key.endswith("engine.type"):
            changes = _over(changes, tree(key, given))
    for key, (given, _, _) in OF_A_NUMBER.items():
        changes = _over(changes, tree(f"channels.whatsapp.{key}", given))

    def looked_at(house: House) -> dict[str, Any]:
        seen = {key: observe(house) for key, (_, _, observe) in OTHERS.items()}
        return seen | {key: look(house, FIRST) for key, (_, _, look) in OF_A_NUMBER.items()}

    async with own as town:
        house, before = town.up, looked_at(town.up)
        assert (await town.reload(_over(changes, {"log": {"format": "loud"}}))).problems
        with monkeypatch.context() as patch:
            patch.setattr(plugged, "load_engine", _unmakeable)
            assert (await town.reload(changes)).problems
        (town.folder / "fresh").write_text("")  # a secret that is half written
        assert (await town.reload(changes)).problems
        await house.database.unit(house.door.admit)
        assert looked_at(house) == before
        (town.folder / "fresh").write_text("fresh")
        assert (await town.reload(changes)).problems == ()
        await house.database.unit(house.door.admit)
        after = looked_at(house)
        assert [key for key in after if after[key] == before[key]] == [
            "engine.type",
            "off_the_record.engine.type",
        ]


def _given(settings: Settings) -> Settings:
    return settings


def _unmakeable(_choice: EngineChoice, _tools: Tools) -> FakeEngine:
    raise ConfigError(["it could not be made"])


async def test_each_notice(own: Town) -> None:
    async with own as town:
        outcome = await town.reload({"notices": dict.fromkeys(SENTENCES, "So it is.")})
        assert set(outcome.applied) == {f"notices.{name}" for name in SENTENCES}
        parts = town.up._exchange._parts
        for name in SENTENCES:
            assert parts.notices.say(name) == "So it is."
        assert town.up.door._mover._notices is parts.notices


async def test_a_number_comes_and_goes(own: Town) -> None:
    one = {"phone_number_id": SECOND, "access_token": "file:second"}
    named = f"channels.whatsapp.accounts.{SECOND}"
    async with own as town:
        house = await taken(town, {"channels": {"whatsapp": {"accounts": [one]}}}, named)
        assert set(house.graph._clients) == set(house.door._accounts) == {FIRST, SECOND}
        off = one | {"enabled": False}
        house = await taken(
            town, {"channels": {"whatsapp": {"accounts": [off]}}}, f"{named}.enabled"
        )
        assert set(house.graph._clients) == set(house.door._accounts) == {FIRST}
        house = await taken(
            town,
            tree("channels.whatsapp.phone_number_id", SECOND),
            "channels.whatsapp.phone_number_id",
        )
        assert set(house.graph._clients) == set(house.door._accounts) == {SECOND}
        assert house.posting._accounts == (SECOND,)
        assert house.condition._served == {SECOND}


async def test_the_only_number_cannot_be_switched_off(own: Town) -> None:
    async with own as town:
        outcome = await town.reload(tree("channels.whatsapp.enabled", False))
        assert "channels.whatsapp.enabled: is false" in outcome.problems[0]


async def test_unsigned_requests(own: Town) -> None:
    def without(settings: Settings, *, allow: bool) -> Settings:
        changed = {"app_secret": (), "allow_unsigned_webhooks": allow}
        return replace(settings, whatsapp=settings.whatsapp.model_copy(update=changed))

    async with own as town:
        house = town.up
        for allow in (False, True):
            wanted = without(town.read_anew(), allow=allow)
            outcome = await house.reload.reload("test", read=partial(_given, wanted))
            assert outcome.applied[-1] == (
                "channels.whatsapp.allow_unsigned_webhooks"
                if allow
                else "channels.whatsapp.app_secret"
            )
            assert house.listener._gate._refuses_proxied is not allow


async def test_other_files_of_a_certificate(own: Town, tmp_path: Path) -> None:
    both = [tmp_path / "one", tmp_path / "two"]
    pairs = []
    for folder in both:
        folder.mkdir()
        pairs.append(Files(folder))
        pairs[-1].write(Pair.issue())
    one, two = ({"certificate": str(p.certificate), "key": str(p.key)} for p in pairs)
    own.changes = tree("channels.whatsapp.tls", one)
    async with own as town:
        house = await taken(
            town, tree("channels.whatsapp.tls", two), "channels.whatsapp.tls.certificate"
        )
        certificates = house._exchange._certificates
        assert certificates is not None
        assert certificates._key == pairs[1].key
        certificates._look()
        before = certificates._in_use
        certificates._look()
        assert certificates._in_use is not before
        outcome = await town.reload({})
        assert outcome.needs_restart == ("channels.whatsapp.tls",)
        assert outcome.applied == ()


# -- what needs a restart ------------------------------------------------------------------------


def altered(settings: Settings, key: str, folder: Path) -> Settings:
    whatsapp, admin = settings.whatsapp, settings.admin
    section, name = key.rsplit(".", 1)
    value: Any = {
        "webhook_host": "127.0.0.2", "webhook_port": 7, "webhook_path": "/x", "enabled": None,
        "host": "127.0.0.3", "port": 8, "format": "text",
        "tls": Tls(certificate=folder / "c", key=folder / "k"),
    }.get(name)  # fmt: skip
    if section == "channels.whatsapp":
        return replace(settings, whatsapp=whatsapp.model_copy(update={name: value}))
    if key == "storage.url":
        return replace(settings, storage=replace(settings.storage, path=folder / "other.db"))
    block = admin if section == "admin" else getattr(settings, section)
    if value is None:
        value = not getattr(block, name)
    changed: dict[str, Any] = {section: block.model_copy(update={name: value})}
    return replace(settings, **changed)


async def test_what_needs_a_restart_is_named_and_changes_nothing(own: Town, tmp_path: Path) -> None:
    async with own as town:
        house = town.up
        before = house.settings
        for key in sorted(NEED_A_RESTART):
            wanted = altered(town.read_anew(), key, tmp_path)
            outcome = await house.reload.reload("test", read=partial(_given, wanted))
            assert outcome.needs_restart == (key,)
            assert outcome.applied == outcome.problems == ()
            assert house.settings == before


def test_only_what_needs_a_restart_is_held_back(tmp_path: Path) -> None:
    before = settings_for(tmp_path, "http://127.0.0.1:9")
    wanted = replace(before, notices={"new": "Anew."})
    for key in NEED_A_RESTART:
        wanted = altered(wanted, key, tmp_path)
    assert differences(before, in_force(before, wanted)) == ("notices.new",)
