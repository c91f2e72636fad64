"""What tests of faults share: one daemon each, stopped and judged at the end."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.faults.daemon import Daemon
from tests.faults.net.figures import pytest_terminal_summary

__all__ = ["daemon", "pytest_terminal_summary", "words_said"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--judge-times",
        action="store_true",
        help="acknowledgements beside an attack must take what they usually take",
    )


@pytest.fixture
def words_said() -> list[str]:
    """Words of people; a test adds what it says, and none of it may be in the log at the end."""
    return []


@pytest_asyncio.fixture
async def daemon(tmp_path: Path, words_said: list[str]) -> AsyncIterator[Daemon]:
    """A daemon that has not been started; at the end its file is whole and its log without words.

    A test that breaks the file itself sets `Daemon.must_be_whole` to False.
    """
    async with Daemon(tmp_path) as daemon:
        yield daemon
        if daemon.is_running:
            await daemon.kill()
        if daemon.must_be_whole and daemon.database.exists():
            assert daemon.integrity() == "ok"
        said = daemon.said
        assert not [words for words in words_said if words in said]
        assert daemon.may_panic or "Traceback" not in said
