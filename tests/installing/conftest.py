"""What is built once for all these tests, and where it is put."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.architecture.source import ROOT
from tests.installing.empty import EmptyRoot, lacks

MEASURED = "measured"
_QUIETLY = ("-qq", "--disable-pip-version-check")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was measured, whichever worker did."""
    said = [
        text
        for report in terminalreporter.getreports("passed")
        for name, text in report.user_properties
        if name == MEASURED
    ]
    if said:
        terminalreporter.section(MEASURED)
        for line in said:
            terminalreporter.write_line(str(line))


@pytest.fixture
def say(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Have a line stand at the end of the run: how fast a machine is, is judged by nobody."""
    return partial(record_property, MEASURED)


def recent() -> set[str]:
    """The latest commits: what was built is of one of them, also where one came meanwhile."""
    listed = ["git", "rev-list", "--max-count=20", "HEAD"]
    done = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603
    return set(done.stdout.split())


def need(is_there: object, what: str) -> None:
    """Skip where a tool is missing; where CI runs, that is a failure."""
    if is_there:
        return
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing")
    pytest.skip(f"{what} is missing")


@pytest.fixture(scope="session")
def binary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The one-file program, built from this checkout; ``OPENPARALLAX_BINARY`` names a ready one."""
    if ready := os.environ.get("OPENPARALLAX_BINARY"):
        return Path(ready).absolute()
    return _once(tmp_path_factory, "binary", _build_binary)


def _build_binary(folder: Path) -> Path:
    file = folder / "openparallax"
    environment = {**os.environ, "OPENPARALLAX_PYTHON": sys.executable}
    done = subprocess.run(  # noqa: S603 - ours
        [ROOT / "scripts" / "build-binary", file],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return file


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as whoever publishes it would."""
    return _once(tmp_path_factory, "wheel", partial(_packed, "wheel"))


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _once(tmp_path_factory, "sdist", partial(_packed, "sdist"))


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command in an environment in which pip has installed the wheel, and nothing else."""
    return _once(tmp_path_factory, "installed", partial(_install, wheel))


def _install(wheel: Path, into: Path) -> Path:
    folder = into / "venv"
    for argv in (
        [sys.executable, "-m", "venv", str(folder)],
        [f"{folder}/bin/pip", "install", *_QUIETLY, str(wheel)],
    ):
        done = subprocess.run(argv, capture_output=True, text=True, check=False)  # noqa: S603
        assert done.returncode == 0, done.stderr
    return folder / "bin" / "openparallax"


@pytest.fixture
def empty(binary: Path, tmp_path: Path) -> EmptyRoot:
    """A root with the one-file program, a C library, zlib, and nothing else."""
    need(not lacks(), lacks() or "")
    return EmptyRoot(tmp_path / "root", binary)


def _once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Path]) -> Path:
    """What ``make`` makes in a folder, made by the first worker that needs it."""
    base = factory.getbasetemp()
    base = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder, made = base / name, base / f"{name}.made"
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            made.write_text(str(make(folder)))
    return Path(made.read_text())


def _packed(kind: str, into: Path) -> Path:
    """By the build backend itself, on a copy: it leaves folders behind where it works."""
    copy = into / "checkout"
    copy.mkdir()
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((ROOT / name).read_bytes())
            (copy / name).chmod((ROOT / name).stat().st_mode)
    (copy / ".git").symlink_to(ROOT / ".git")
    build = f"from setuptools import build_meta; build_meta.build_{kind}({str(into)!r})"
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", build], cwd=copy, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    [made] = [*into.glob("*.whl"), *into.glob("*.tar.gz")]
    return made
