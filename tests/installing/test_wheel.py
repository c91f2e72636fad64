"""What pip, pipx and uv install: whole, and it answers."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from openparallax import __version__
from tests.architecture.source import ROOT
from tests.installing.conftest import recent
from tests.installing.talk import ports_of_dev


def listed() -> set[str]:
    """The files of this checkout that are, or are to be, in the repository."""
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return {name for name in done.stdout.splitlines() if (ROOT / name).is_file()}


def test_the_wheel_is_the_package(wheel: Path, say: Callable[[str], None]) -> None:
    """Every file of it and none else: data that nobody named, or what is gone, would show."""
    with zipfile.ZipFile(wheel) as packed:
        names = {name for name in packed.namelist() if ".dist-info/" not in name}
        points = packed.read(f"openparallax-{__version__}.dist-info/entry_points.txt").decode()
        hashed = packed.read("openparallax/commit.txt").decode().strip()
    assert names == {name for name in listed() if name.startswith("openparallax/")} | {
        "openparallax/commit.txt"
    }
    assert hashed in recent()
    assert "echo = openparallax.engines.echo:Echo" in points
    say(f"wheel: {wheel.stat().st_size / 1e6:.1f} MB")


def test_the_archive_of_the_sources_makes_the_same_package(sdist: Path, tmp_path: Path) -> None:
    subprocess.run(["tar", "-xzf", sdist, "-C", tmp_path], check=True)  # noqa: S603, S607
    [sources] = tmp_path.iterdir()
    build = f"from setuptools import build_meta; build_meta.build_wheel({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", build], cwd=sources, capture_output=True, check=True)  # noqa: S603
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as made:
        names = {name for name in made.namelist() if ".dist-info/" not in name}
    assert names == {name for name in listed() if name.startswith("openparallax/")}


def answers(program: Path, home: Path) -> None:
    """It answers, from elsewhere than this checkout."""
    environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
    done = subprocess.run(  # noqa: S603 - just installed
        [program, "dev", "--terminal", *ports_of_dev()],
        input="good morning\n/status\n",
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "good morning" in done.stdout
    said = subprocess.run(  # noqa: S603 - the same
        [program, "--version"],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout in {f"openparallax {__version__} (commit {one[:12]})\n" for one in recent()}


def test_pip(installed: Path, tmp_path: Path) -> None:
    answers(installed, tmp_path)


@pytest.mark.parametrize("tool", ["pipx", "uv"])
def test_a_tool_that_installs_programs(wheel: Path, tmp_path: Path, tool: str) -> None:
    """In an environment of their own, with the command where commands are; and gone again."""
    run = [sys.executable, "-m", "venv", str(tmp_path / "tool")]
    subprocess.run(run, check=True)  # noqa: S603
    pip = [str(tmp_path / "tool/bin/pip"), "install", "-qq", "--no-compile", tool]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    command = tmp_path / "bin" / "openparallax"
    environment = {
        **os.environ,
        "PIPX_HOME": str(tmp_path / "pipx"),
        "PIPX_BIN_DIR": str(tmp_path / "bin"),
        "PIPX_MAN_DIR": str(tmp_path / "man"),
        "PIPX_DEFAULT_PYTHON": sys.executable,
        "UV_TOOL_DIR": str(tmp_path / "uv"),
        "UV_TOOL_BIN_DIR": str(tmp_path / "bin"),
        "UV_CACHE_DIR": str(tmp_path / "cache"),
        "UV_PYTHON": sys.executable,
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_LINK_MODE": "copy",
    }
    words = [str(tmp_path / "tool/bin" / tool), *(["tool"] if tool == "uv" else [])]
    options = ["--pip-args=--no-compile"]
    if tool == "uv":  # which does not know what pip is told of indexes and certificates
        fetch = [pip[0], "download", "-qq", "-d", str(tmp_path / "fetched"), str(wheel)]
        subprocess.run(fetch, capture_output=True, check=True)  # noqa: S603
        options = ["--no-index", "--find-links", str(tmp_path / "fetched")]
    for more in (["install", *options, str(wheel)], ["uninstall", "openparallax"]):
        done = subprocess.run(  # noqa: S603
            [*words, *more], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        if more[0] == "install":
            answers(command, tmp_path)
    assert not command.exists()
