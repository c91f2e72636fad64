"""What every test may ask for."""

import signal
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings

from tests.fakes.engines import FakeEngine
from tests.town import Town

# Hypothesis fails an example that takes more than 200 ms: that is the machine, not what is tested.
settings.register_profile(
    "any machine", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")

# A shell starts what runs in its background with SIGINT ignored, and every program that a test
# starts and interrupts would inherit that.
if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    and threading.current_thread() is threading.main_thread()
):
    signal.signal(signal.SIGINT, signal.default_int_handler)

OWN_COMMANDS = {Path(__file__).parent / name for name in ("faults", "installing")}
"""Folders that have a command of their own in ``scripts``, and are left out unless asked for."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    if collection_path not in OWN_COMMANDS:
        return None
    asked = (Path(argument.partition("::")[0]).resolve() for argument in config.args)
    return None if any(one.is_relative_to(collection_path) for one in asked) else True


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest_asyncio.fixture
async def town(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: FakeEngine
) -> AsyncIterator[Town]:
    """A house with `engine`, between a fake Meta and a fake Graph."""
    async with Town(tmp_path, monkeypatch, engine=engine) as town:
        yield town
