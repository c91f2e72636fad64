"""What continuous integration runs: both halves, the tests last, and neither fails unseen."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

SCRIPTS = {
    "venv.sh": "find_python() { :; }\n",
    "check": '#!/bin/sh\necho "check $*"\nexit "$CHECK"\n',
    "test": '#!/bin/sh\necho "test, CI is $CI"\nexit "$TEST"\n',
    "systemd-analyze": "#!/bin/sh\n",  # so that nothing is missing, and nothing is installed
    "chromium": "#!/bin/sh\n",
}


@pytest.mark.parametrize(("check", "test", "code"), [(0, 0, 0), (3, 0, 3), (0, 1, 1), (3, 1, 1)])
def test_both_are_run_and_heeded(tmp_path: Path, check: int, test: int, code: int) -> None:
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    for name, text in SCRIPTS.items():
        (scripts / name).write_text(text)
        (scripts / name).chmod(0o755)
    environment = {
        "PATH": f"{scripts}:{os.environ['PATH']}",
        "OPENPARALLAX_PYTHON": "python3",
        "CHECK": str(check),
        "TEST": str(test),
    }
    done = subprocess.run(  # noqa: S603 - a copy of ours
        [tmp_path / ".ci" / "run"], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (code, "check --static\ntest, CI is true\n")
