"""The bench runs, loses nothing, and cleans up behind itself; its figures are not judged here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import ROOT


@pytest.mark.slow
def test_the_bench_runs(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    files = tmp_path / "files"
    files.mkdir()
    argv = ["scripts/bench", "--quick", "--seconds", "0.3", "--stored", "300"]
    result = subprocess.run(  # noqa: S603 - fixed words
        [*argv, "--folder", str(files), "--json", str(figures)],
        cwd=ROOT,
        env=os.environ | {"OPENPARALLAX_PYTHON": sys.executable},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=120,
    )
    assert result.returncode == 0, result.stdout.decode()
    found = json.loads(figures.read_text("utf-8"))
    trips = found["whole round trips with echo"]
    assert trips["ratio"]["median"] > 0
    assert [one["missing"] for one in trips["rounds"]] == [0, 0]
    assert found["of these on the disk after kill -9"] >= found["acknowledged"] > 0
    assert list(files.iterdir()) == []
