"""The shipped unit, read as systemd reads it, and systemd's own judgement of it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

UNIT = ROOT / "systemd" / "openparallax.service"
PROGRAM = "/opt/openparallax/bin/openparallax"


def settings(name: str) -> list[str]:
    """What the unit says for ``name``, line by line."""
    lines = [line.strip() for line in UNIT.read_text("utf-8").splitlines()]
    return [line.removeprefix(f"{name}=") for line in lines if line.startswith(f"{name}=")]


def setting(name: str) -> str:
    [value] = settings(name)
    return value


def analyze(folder: Path, *words: str) -> tuple[int, str]:
    """Ask ``systemd-analyze`` about the unit, with a program that exists; code and all it said.

    Only the unit itself is judged: what it stands on comes from the machine's own systemd.
    """
    program = shutil.which("systemd-analyze")
    if program is None:
        reason = "systemd-analyze is missing: on Debian and Ubuntu, apt-get install systemd"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    unit = folder / UNIT.name
    exists = shutil.which("true") or "/bin/true"
    unit.write_text(UNIT.read_text("utf-8").replace(PROGRAM, exists), "utf-8")
    done = subprocess.run(  # noqa: S603 - fixed words
        [program, *words, str(unit)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "SYSTEMD_COLORS": "0"},
        cwd=folder,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout.decode("utf-8", "replace")
