"""What tests of the machine's faults share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.daemon import Daemon
from tests.faults.machine.shim import Shim, library


@pytest.fixture(scope="session")
def shim_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return library(tmp_path_factory.mktemp("shim"))


@pytest.fixture
def shim(shim_library: Path, tmp_path: Path, daemon: Daemon) -> Iterator[Shim]:
    """Under the daemon, whichever process it is: what its machine can be made to do."""
    shim = Shim(shim_library, tmp_path / "control", daemon.state)
    daemon.environment |= shim.environment
    yield shim
    shim.close()
