"""The daemon as a child: what its page is told, whatever becomes of it."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from openparallax.app.dev.child import Child, Launch
from openparallax.app.dev.configuration import generate
from openparallax.app.dev.folder import Folder
from openparallax.app.dev.outside import of_settings
from openparallax.app.dev.ports import any_port
from openparallax.emulator.feed import Feed
from openparallax.errors import StartError
from tests.app.dev.dev import is_running
from tests.app.patience import LONG_S, until
from tests.architecture.source import ROOT


class Told:
    """A child, and the states that a page would show."""

    def __init__(self, tmp_path: Path) -> None:
        self.folder = Folder(tmp_path, None)
        shell = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
        setup = generate(
            self.folder, shell, engine="echo", webhook_port=any_port(), admin_port=None
        )
        self.states: list[str] = []
        self.ups = 0
        feed = Feed()
        feed.call(self._note)
        self.child = Child(
            Launch(
                arguments=(*setup.arguments, "--graph-api-url", "http://127.0.0.1:1"),
                environment=setup.environment,
                health_url=of_settings(setup.settings).health_url,
                log=self.folder.log,
            ),
            feed,
            on_up=self._count,
        )

    def _count(self) -> None:
        self.ups += 1

    def _note(self, change: dict[str, Any]) -> None:
        state = change["daemon"]["state"]
        if self.states[-1:] != [state]:
            self.states.append(state)


async def test_it_may_end_in_every_way(tmp_path: Path) -> None:
    told = Told(tmp_path)
    side = told.child.side
    told.folder.log.touch(0o644)
    async with told.child as child:
        await asyncio.gather(side.start(), side.start())  # the second one waits for the first
        assert told.states == ["starting", "up"]
        assert (side.starts, told.ups) == (1, 1)
        pid = side.pid
        assert pid is not None
        # It answers a moment before it says that it has started.
        await until(lambda: "started" in told.folder.log.read_text())
        os.kill(pid, signal.SIGKILL)  # by somebody else
        await asyncio.wait_for(child.ended.wait(), LONG_S)
        assert told.states[2:] == ["ended"]
        assert told.child.side.pid is None
        first, *log = side.note.splitlines()
        assert first.startswith("The daemon ended by itself, killed by SIGKILL. The end of ")
        assert any("started" in line for line in log)
        with pytest.raises(OSError, match="was ended while it started"):
            await asyncio.gather(side.start(), _when(told, "starting", side.kill))
        assert told.states[3:] == ["starting", "down"]
        await side.start()
        pid = side.pid
        assert pid is not None
    assert told.states[5:] == ["starting", "up", "stopping", "down"]
    assert child.code == 0
    assert not is_running(pid)
    assert child.launch.log is not None
    assert child.launch.log.stat().st_mode & 0o077 == 0


async def _when(told: Told, state: str, act: Any) -> None:
    while told.states[-1] != state or told.child.side.pid is None:
        await asyncio.sleep(0)
    await act()


async def test_one_that_cannot_start_says_why(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.folder.write(told.folder.config, "colour: red\n")
    async with told.child as child:
        with pytest.raises(StartError, match="colour: is not a setting") as raised:
            await child.begin()
        assert raised.value.exit_code == 78
        assert told.states == ["starting", "ended"]
        with pytest.raises(OSError, match="with exit code 78") as again:
            await child.side.start()
        assert str(again.value).count("colour: is not a setting") == 1  # and no older lines
        await child.side.stop()  # of what is not there nothing is asked
        assert told.states == ["starting", "ended"] * 2


async def test_one_whose_start_is_called_off_leaves_nothing(tmp_path: Path) -> None:
    told = Told(tmp_path)
    async with told.child:
        starting = asyncio.create_task(told.child.start())
        await asyncio.sleep(0)
        starting.cancel()
        await asyncio.wait([starting])
        own = told.child._starting
        assert own is not None
        assert not own.done()  # whoever asked has gone, and it is started all the same
    assert told.child.side.pid is None
    assert told.states in (["starting"], ["starting", "down"], ["starting", "stopping", "down"])
