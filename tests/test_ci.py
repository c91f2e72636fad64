"""What continuous integration runs: every step, the tests last, and none fails unseen."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

STEPS = {
    "check": "check --static",
    "torture": "torture --minutes 1 --seed 1",
    "faults": "faults -m not long",
    "fuzz": "fuzz --plain --seconds 2 --seed 1",
    "bench": "bench --quick",
    "sbom": "sbom build/sbom.json",
    "try-install": "try-install ",
    "test": "test ",
}
"""Each script, and what it is asked."""
TOOLS = ("systemd-analyze", "chromium", "gcc", "objdump")
"""So that nothing is missing, and nothing is installed."""


@pytest.mark.parametrize("fails", ["", *STEPS])
def test_all_are_run_and_heeded(tmp_path: Path, fails: str) -> None:
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "venv.sh").write_text("find_python() { :; }\n")
    texts = dict.fromkeys(TOOLS, "#!/bin/sh\n")
    for name in STEPS:
        code = 3 if name == fails else 0
        texts[name] = f'#!/bin/sh\necho "{name} $*, CI is $CI"\nexit {code}\n'
    for name, text in texts.items():
        (scripts / name).write_text(text)
        (scripts / name).chmod(0o755)
    done = subprocess.run(  # noqa: S603 - a copy of ours
        [tmp_path / ".ci" / "run"],
        env={"PATH": f"{scripts}:{os.environ['PATH']}", "OPENPARALLAX_PYTHON": "python3"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in done.stdout.splitlines() if not line.startswith("==")]
    assert said == [f"{asked}, CI is true" for asked in STEPS.values()]
    assert done.returncode == (1 if fails else 0)
