"""What is in the way of a start is said, and nothing stays behind."""

import asyncio
import gc
import socket
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from openparallax.app.house import House
from openparallax.clock import SystemClock
from openparallax.config import Settings
from openparallax.errors import ConfigError, NotStored, StartError
from openparallax.storage import Database
from tests.fakes.engines import FakeEngine, Gate
from tests.pipeline.doubles import RecordedLog
from tests.storage.notes import files_no_longer_than
from tests.town import ANN, Town, settings_for


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_for(tmp_path, "http://127.0.0.1:1")


@pytest_asyncio.fixture
async def stopped(town: Town) -> AsyncIterator[Town]:
    """A town whose house has stopped, with one message that waits."""
    town.engine.answer_with = Gate()
    town.changes = {"conversation": {"drain_seconds": 0}}
    await town.restart()
    await town.say(ANN, "hello")
    await town.until(lambda: bool(town.engine.asked))
    await town.stop()
    town.engine.answer_with = FakeEngine().answer_with
    yield town


def on_port(settings: Settings, port: int) -> Settings:
    changed = settings.whatsapp.model_copy(update={"webhook_port": port})
    object.__setattr__(settings, "whatsapp", changed)
    return settings


async def failing(settings: Settings, error: type[Exception]) -> Any:
    """Start a house in vain, and see that it leaves nothing behind."""
    before = asyncio.all_tasks()
    house = House(settings, clock=SystemClock(), log=RecordedLog())
    with pytest.raises(error) as raised:
        await house.start()
    assert asyncio.all_tasks() == before
    with pytest.raises((sqlite3.ProgrammingError, AttributeError)):
        house.database._writer._connection.execute("SELECT 1")
    del house
    gc.collect()  # a socket or session that was forgotten would warn, and a warning fails
    return raised.value


async def test_what_to_think_about_is_said(town: Town) -> None:
    assert "setting_noted" in town.log.getvalue()
    assert "allowed_numbers is empty: everybody may write to this number" in town.log.getvalue()


async def test_a_port_that_is_taken(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        error = await failing(on_port(settings, taken.getsockname()[1]), StartError)
    assert error.exit_code == 75
    assert "webhook_port" in str(error)


async def test_a_file_in_use(settings: Settings) -> None:
    database = Database(settings.storage.path, log=RecordedLog())
    await database.open()
    error = await failing(settings, StartError)
    assert error.exit_code == 75
    await database.close()


async def test_an_engine_that_cannot_be_made(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*_: object) -> None:
        raise ConfigError(["made up"])

    monkeypatch.setattr("openparallax.app.plugged.load_engine", load)
    await failing(settings, ConfigError)


async def test_a_disk_without_room(settings: Settings, stopped: Town) -> None:
    """Systemd tries again; by then there may be room."""
    with files_no_longer_than(0):
        error = await failing(settings, StartError)
    assert error.exit_code == 75
    assert not isinstance(error, NotStored)
    await stopped.start()
    assert await stopped.hears(ANN, 1) == ["hello"]


async def test_a_file_that_fails_when_the_listener_is_up(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last question of a start is the first that meets the damage."""

    def damaged(_: sqlite3.Connection) -> None:
        raise sqlite3.DatabaseError("malformed")

    monkeypatch.setattr("openparallax.storage.chats.unfinished_merges", damaged)
    await failing(settings, NotStored)


async def test_a_look_that_hangs_ends_with_the_house(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging = asyncio.Event()

    async def hang() -> None:
        hanging.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(town.up.condition._probe, "_look", hang)
    asking = asyncio.ensure_future(town.up.condition.reasons())
    await hanging.wait()
    await town.stop()
    await asyncio.wait([asking], timeout=10)
    assert asking.cancelled()


async def test_tried_in_vain_and_then_started(stopped: Town, settings: Settings) -> None:
    for _ in range(3):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            await failing(on_port(settings, taken.getsockname()[1]), StartError)
    await stopped.start()
    assert await stopped.hears(ANN, 1) == ["hello"]
    assert stopped.engine.asked[0].id == stopped.engine.asked[1].id
