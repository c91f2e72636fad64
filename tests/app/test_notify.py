"""What the service manager is told, over a real socket."""

import asyncio
import os
import re
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openparallax.app.notify import (
    BEAT_S,
    PROGRESS_S,
    STUCK_S,
    Heartbeat,
    Notifier,
    describe,
    take_watchdog,
)
from openparallax.errors import NotStored
from tests.app.manager import Manager
from tests.app.process import Daemon
from tests.fakes import meta
from tests.fakes.clock import TurnedClock
from tests.pipeline.doubles import RecordedLog
from tests.storage.test_migrations_copies import old_file
from tests.town import ANN


def written() -> "asyncio.Future[Any]":
    done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    done.set_result(None)
    return done


def refused() -> "asyncio.Future[Any]":
    failed: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    failed.set_exception(NotStored())
    return failed


class Writer:
    """One that hangs until it is freed."""

    def __init__(self) -> None:
        self.asked = 0
        self.under_way: asyncio.Future[Any] | None = None

    def touch(self) -> "asyncio.Future[Any]":
        self.asked += 1
        self.under_way = asyncio.get_running_loop().create_future()
        return self.under_way


class Beating:
    """A heartbeat on a turned clock, and whom it tells."""

    def __init__(
        self,
        manager: Manager,
        watchdog_s: float | None = 30.0,
        touch: Callable[[], "asyncio.Future[Any]"] = written,
    ) -> None:
        self.manager = manager
        self.clock = TurnedClock()
        self.log = RecordedLog()
        self.heart = Heartbeat(
            Notifier(manager.address, log=self.log),
            describe=lambda: "answering",
            touch=touch,
            watchdog_s=watchdog_s,
            clock=self.clock,
            log=self.log,
        )
        self.heart.start()

    async def turn(self, seconds: float) -> int:
        """Let time pass while the manager listens, since its socket holds few; the pings so far."""
        for _ in range(round(seconds / 10.0)):
            await self.clock.turn(10.0)
            self.manager.count("WATCHDOG")
        return self.manager.count("WATCHDOG")


@pytest.fixture
def manager(tmp_path: Path) -> Any:
    with Manager(tmp_path) as made:
        yield made


# The protocol


@pytest.mark.parametrize("is_abstract", [False, True])
def test_lines_reach_the_socket(tmp_path: Path, *, is_abstract: bool) -> None:
    with Manager(tmp_path, is_abstract=is_abstract) as manager:
        environment = {"NOTIFY_SOCKET": manager.address, "HOME": "/"}
        notifier = Notifier.take(environment, RecordedLog())
        notifier.tell(READY=1, STATUS="a · b = c")
        assert manager.messages == [{"READY": "1", "STATUS": "a · b = c"}]
        assert environment == {"HOME": "/"}  # programs that a plugin starts do not inherit it


def test_without_a_manager_nothing_happens() -> None:
    log = RecordedLog()
    Notifier.take({}, log).tell(READY=1)
    Notifier("vsock:2:1234", log=log).tell(READY=1)
    assert log.lines == []


@pytest.mark.parametrize("address", ["/nowhere/notify", "/" + "x" * 200, "@nobody", "/"])
def test_a_socket_that_fails_is_said_once_and_does_no_harm(address: str) -> None:
    log = RecordedLog()
    notifier = Notifier(address, log=log)
    for _ in range(3):
        notifier.tell(READY=1)
    assert [event for _, event, _ in log.lines] == ["notify_failed"]


def test_a_manager_that_does_not_listen_is_not_waited_for(manager: Manager) -> None:
    notifier = Notifier(manager.address, log=RecordedLog())
    for _ in range(2000):  # more than a socket holds
        notifier.tell(STATUS="x" * 1000)
    assert 0 < len(manager.messages) < 2000


def test_a_start_that_takes_its_time_asks_for_more(manager: Manager) -> None:
    """From the thread that copies the file."""
    notifier = Notifier(manager.address, log=RecordedLog())
    thread = threading.Thread(target=notifier.starts_slowly)
    thread.start()
    thread.join()
    assert manager.messages == [
        {
            "EXTEND_TIMEOUT_USEC": str(int(PROGRESS_S * 1_000_000)),
            "STATUS": "starting · upgrading the database",
        }
    ]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "-5"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdog_that_is_meant_for_us(given: dict[str, str], wanted: float | None) -> None:
    assert take_watchdog(given) == wanted
    assert given == {}


# The heartbeat


async def test_it_beats_three_times_in_the_watchdog_s_interval(manager: Manager) -> None:
    beating = Beating(manager, watchdog_s=30.0)
    assert manager.messages == [
        {"STATUS": "answering", "READY": "1", "MAINPID": str(os.getpid()), "WATCHDOG": "1"}
    ]
    await beating.clock.turn(30.0)
    assert manager.count("WATCHDOG") == 4
    beating.heart.stop()
    assert beating.clock.waiting == 0


async def test_without_a_watchdog_only_its_state_is_told(manager: Manager) -> None:
    beating = Beating(manager, watchdog_s=None)
    await beating.clock.turn(BEAT_S)
    assert manager.count("STATUS") == 2
    assert manager.count("WATCHDOG") == 0
    beating.heart.stop()


async def test_a_long_interval_does_not_make_its_state_old(manager: Manager) -> None:
    beating = Beating(manager, watchdog_s=3600.0)
    await beating.clock.turn(BEAT_S)
    assert manager.count("STATUS") == 2
    beating.heart.stop()


async def test_a_loop_that_hangs_does_not_beat(manager: Manager) -> None:
    """Time passes, and nothing on the loop runs: what would beat is a timer of the loop."""
    beating = Beating(manager)
    before = manager.count("WATCHDOG")
    beating.clock._monotonic += 3600.0
    assert manager.count("WATCHDOG") == before
    await beating.clock.turn(0.0)
    assert manager.count("WATCHDOG") > before
    beating.heart.stop()


async def test_a_write_that_is_slow_does_not_stop_it(manager: Manager) -> None:
    writer = Writer()
    beating = Beating(manager, touch=writer.touch)
    assert await beating.turn(STUCK_S - 10.0) == STUCK_S / 10.0
    assert writer.asked == 1  # no heap of them behind one that hangs
    assert beating.log.lines == []
    beating.heart.stop()


async def test_a_write_that_is_stuck_stops_it_until_it_ends(manager: Manager) -> None:
    writer = Writer()
    beating = Beating(manager, touch=writer.touch)
    beats = await beating.turn(STUCK_S + 60.0)
    assert beats == STUCK_S / 10.0
    assert manager.count("STATUS") > beats
    assert [event for _, event, _ in beating.log.lines] == ["writer_stuck"]
    assert writer.under_way is not None
    writer.under_way.set_result(None)
    assert await beating.turn(10.0) == beats + 1
    beating.heart.stop()


async def test_a_disk_that_refuses_is_not_one_that_hangs(manager: Manager) -> None:
    beating = Beating(manager, touch=refused)
    assert await beating.turn(2 * STUCK_S) == 2 * STUCK_S / 10.0 + 1
    beating.heart.stop()


async def test_the_end_is_told_with_the_time_that_it_may_take(manager: Manager) -> None:
    beating = Beating(manager)
    beating.heart.begin_end(45.0)
    assert manager.messages[-1] == {
        "STOPPING": "1",
        "EXTEND_TIMEOUT_USEC": "45000000",
        "STATUS": "answering",
    }
    await beating.clock.turn(10.0)
    assert manager.messages[-1] == {
        "STOPPING": "1",
        "EXTEND_TIMEOUT_USEC": "35000000",
        "STATUS": "answering",
        "WATCHDOG": "1",
    }
    await beating.clock.turn(40.0)
    assert manager.messages[-1]["EXTEND_TIMEOUT_USEC"] == "0"
    beating.heart.stop()


async def test_without_a_manager_there_is_no_beat() -> None:
    clock, log, writer = TurnedClock(), RecordedLog(), Writer()
    heart = Heartbeat(
        Notifier(log=log),
        describe=str,
        touch=writer.touch,
        watchdog_s=30.0,
        clock=clock,
        log=log,
    )
    heart.start()
    assert clock.waiting == writer.asked == 0
    heart.begin_end(45.0)
    heart.stop()


@pytest.mark.parametrize(
    ("turns", "webhook_s", "said"),
    [
        (0, None, "answering · 0 turns running · 7 waiting · no webhook yet"),
        (1, 12.4, "answering · 1 turn running · 7 waiting · last webhook 12 s ago"),
        (3, -3.0, "answering · 3 turns running · 7 waiting · last webhook 0 s ago"),
        (3, 119.0, "answering · 3 turns running · 7 waiting · last webhook 119 s ago"),
        (3, 120.0, "answering · 3 turns running · 7 waiting · last webhook 2 min ago"),
        (3, 9000.0, "answering · 3 turns running · 7 waiting · last webhook 2 h ago"),
        (3, 1e6, "answering · 3 turns running · 7 waiting · last webhook 12 d ago"),
    ],
)
def test_its_state_in_words(turns: int, webhook_s: float | None, said: str) -> None:
    assert describe("answering", turns=turns, waiting=7, webhook_s=webhook_s) == said


# The process


async def test_a_daemon_says_when_it_is_ready_that_it_lives_and_when_it_stops(
    daemon: Daemon, manager: Manager
) -> None:
    daemon.environment = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "300000"}
    daemon.configure(conversation={"drain_seconds": 30})
    await daemon.launch()
    await manager.hears("READY")
    assert await daemon._answers()
    assert manager.messages[0]["MAINPID"] == str(daemon.pid)
    assert manager.messages[0]["STATUS"] == (
        "answering · 0 turns running · 0 waiting · no webhook yet"
    )
    await daemon.deliver(meta.text(ANN, "hello"))
    beats = manager.count("WATCHDOG")
    await manager.hears("WATCHDOG", beats + 3)
    assert ANN not in str(manager.messages)
    assert re.search(r"last webhook \d+ s ago$", manager.messages[-1]["STATUS"])
    daemon.signal(signal.SIGTERM)
    await manager.hears("STOPPING")
    assert await daemon.ended() == 0
    last = next(message for message in manager.messages if "STOPPING" in message)
    assert last["STATUS"].startswith("stopping · ")
    assert int(last["EXTEND_TIMEOUT_USEC"]) > 35_000_000


async def test_a_daemon_that_cannot_start_is_never_ready(daemon: Daemon, manager: Manager) -> None:
    daemon.environment = {"NOTIFY_SOCKET": manager.address}
    (daemon.folder / "state").mkdir()
    (daemon.folder / "state" / "openparallax.db").write_text("no rows\n" * 1000)
    await daemon.launch()
    assert await daemon.ended() == 78
    assert manager.messages == []


async def test_an_upgrade_of_the_database_extends_the_start_and_a_hang_is_shown(
    daemon: Daemon, manager: Manager
) -> None:
    """What the watchdog kills with shows where each thread was, in lines of code."""
    daemon.environment = {"NOTIFY_SOCKET": manager.address}
    (daemon.folder / "state").mkdir()
    old_file(daemon.folder / "state" / "openparallax.db", 2, "quokka")
    await daemon.launch()
    await manager.hears("READY")
    first, *_, last = manager.messages
    assert first["STATUS"] == "starting · upgrading the database"
    assert int(first["EXTEND_TIMEOUT_USEC"]) > 60_000_000
    assert "READY" in last
    daemon.signal(signal.SIGABRT)
    assert await daemon.ended() == -signal.SIGABRT
    assert "Fatal Python error: Aborted" in daemon.said
    assert "daemon.py" in daemon.said
    assert "quokka" not in daemon.said


async def test_a_reload_is_told_and_then_that_it_is_over(manager: Manager) -> None:
    beating = Beating(manager, watchdog_s=30.0)
    beating.heart.reload(True)
    await beating.clock.turn(10.0)
    beating.heart.reload(False)
    _, begun, still, over = manager.messages
    now_usec = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    assert begun["RELOADING"] == still["RELOADING"] == "1"
    assert still["WATCHDOG"] == "1"  # it lives meanwhile, and is not ready yet
    assert "READY" not in begun | still
    assert 0 <= now_usec - int(begun["MONOTONIC_USEC"]) < 60_000_000
    assert (over["READY"], "RELOADING" in over) == ("1", False)
    beating.heart.begin_end(5)
    beating.heart.reload(True)
    assert manager.messages[-1]["STOPPING"] == "1"
    beating.heart.stop()
