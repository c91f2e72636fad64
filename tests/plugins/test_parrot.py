"""A package with an engine and a stage, built, installed and used like any stranger's."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from openparallax.session.notices import SENTENCES
from tests.app.process import ROOT, Daemon
from tests.fakes import meta
from tests.town import ANN

FILE = """\
channels:
  whatsapp:
    phone_number_id: "1234567890123456"
    verify_token: "my-secret-verify-token"
    allowed_numbers: ["+1234567890"]
"""

Check = Callable[[str], "CompletedProcess[str]"]


def _run(command: list[str], **how: Any) -> "CompletedProcess[str]":
    return subprocess.run(command, check=False, capture_output=True, text=True, **how)  # noqa: S603


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the parrot was installed; it has only to be put on the path."""
    folder = tmp_path_factory.mktemp("installed")
    source = tmp_path_factory.mktemp("source") / "parrot"
    shutil.copytree(Path(__file__).parent / "parrot", source)  # building leaves things behind
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    alone = ["--no-index", "--no-deps", "--no-build-isolation"]
    done = _run([*pip, *alone, "--target", str(folder), str(source)])
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def check(installed: Path, tmp_path: Path) -> Check:
    """Runs ``openparallax check`` on a file with more in it."""

    def check(more: str) -> "CompletedProcess[str]":
        (tmp_path / "config.yaml").write_text(FILE + more)
        return _run(
            [sys.executable, "-m", "openparallax", "check", "-c", "config.yaml"],
            cwd=tmp_path,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "PYTHONPATH": f"{ROOT}{os.pathsep}{installed}",
                "WHATSAPP_ACCESS_TOKEN": "made-up",
                "WHATSAPP_APP_SECRET": "made-up",
                "SEED": "made-up",
            },
        )

    return check


async def test_an_answer_goes_through_both(installed: Path, tmp_path: Path) -> None:
    shutil.copytree(installed, tmp_path, dirs_exist_ok=True)
    changes = {
        "engine": {"type": "parrot", "name": "Kea", "diary": True},
        "pipeline": [{"shout": {"mark": "!!"}}],
    }
    async with Daemon(tmp_path, changes) as daemon:
        await daemon.start()
        await daemon.deliver(meta.text(ANN, "hello there"))
        assert await daemon.hears(ANN, 1) == ["KEA SAYS: HELLO THERE!!"]
        await daemon.deliver(meta.text(ANN, "/otr confidential"))
        assert (await daemon.hears(ANN, 2))[1] == SENTENCES["otr_refused"]
        daemon.signal(signal.SIGTERM)
        assert await daemon.ended() == 0
        said = [json.loads(line) for line in daemon.said.splitlines()]
    events = [line["event"] for line in said]
    [refused] = [line for line in said if line["event"] == "off_the_record_refused"]
    assert refused["name"] == "parrot"
    assert events.count("parrot_closed") == 1
    assert events.count("shout_closed") == 1
    assert events[-1] == "stopped"


def test_the_file_is_checked_with_the_plugin_s_own_settings(check: Check) -> None:
    good = check(
        "engine:\n  type: parrot\n  seed_key_env: SEED\n"
        "pipeline: [time_limit, shout, {shout: {mark: '?'}}]\n"
    )
    assert (good.returncode, good.stdout, good.stderr) == (0, "config.yaml is in order\n", "")


def test_what_is_wrong_with_them_is_said_with_file_line_and_key(check: Check) -> None:
    wrong = check(
        "engine:\n  type: parrot\n  most_words: sesame\n  nmae: sesame\n"
        "  seed_key_env: NO_SUCH_SEED\n"
        "pipeline:\n  - shout:\n      mark: 4711\n  - shuot\n"
        "off_the_record:\n  engine:\n    type: parot\n    name: sesame\n"
    )
    assert (wrong.returncode, wrong.stdout) == (78, "")
    assert "sesame" not in wrong.stderr
    assert "4711" not in wrong.stderr
    lines = wrong.stderr.splitlines()
    told = {line.split(": ")[1]: line.split(": ", 2) for line in lines}
    assert {key: one[0] for key, one in told.items()} == {
        "engine.most_words": "config.yaml:8",
        "engine.nmae": "config.yaml:9",
        "engine.seed_key_env": "config.yaml:10",
        "pipeline.0.shout.mark": "config.yaml:13",
        "pipeline.1": "config.yaml:14",
        "off_the_record.engine.type": "config.yaml:17",
    }
    assert "did you mean name?" in told["engine.nmae"][2]
    assert "did you mean shout?" in told["pipeline.1"][2]
    assert "did you mean parrot?" in told["off_the_record.engine.type"][2]
    assert "known: anthropic, echo, parrot" in told["off_the_record.engine.type"][2]
