"""The image: what its file says holds, as far as that can be seen without a builder."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from openparallax.cli import main
from tests.architecture.source import ROOT
from tests.installing.conftest import need

FILE = ROOT / "scripts" / "Containerfile"


def instructions() -> list[tuple[str, str]]:
    """Each with its words, lines that go on put together."""
    text = re.sub(r"^\s*#.*\n", "", FILE.read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    parts = [line.partition(" ") for line in lines if line.strip()]
    return [(name, words) for name, _, words in parts]


def said(name: str) -> list[str]:
    return [words for one, words in instructions() if one == name]


def test_it_is_understood() -> None:
    known = "ARG FROM COPY RUN LABEL ENV USER WORKDIR VOLUME EXPOSE STOPSIGNAL HEALTHCHECK"
    assert {name for name, _ in instructions()} == {*known.split(), "ENTRYPOINT", "CMD"}
    for words in said("RUN"):
        subprocess.run(["sh", "-n", "-c", words], check=True)  # noqa: S603, S607
    assert said("STOPSIGNAL") == ["SIGTERM"]
    labels = " ".join(said("LABEL"))
    for label in ("title", "description", "licenses", "version", "revision"):
        assert f"org.opencontainers.image.{label}=" in labels


def test_it_runs_as_nobody_in_particular() -> None:
    assert said("USER") == ["10001:10001"]
    last = [name for name, _ in instructions()][-8:]
    assert "RUN" not in last[last.index("USER") :]
    [folder] = said("VOLUME")
    assert any(f"install -d -o 10001 -g 10001 -m 0700 {folder}" in words for words in said("RUN"))
    environment = dict(word.split("=", 1) for word in shlex.split(" ".join(said("ENV"))))
    assert environment["STATE_DIRECTORY"] == folder
    assert environment["CONFIGURATION_DIRECTORY"] == "/etc/openparallax"


def test_its_commands_are_ours() -> None:
    [entry], [command] = (json.loads(words) for words in said("ENTRYPOINT")), said("CMD")
    assert entry == ["openparallax"]
    assert json.loads(command)[0] in main.commands
    [health] = said("HEALTHCHECK")
    program, *words = json.loads(health.partition("CMD ")[2])
    assert (program, words[0] in main.commands) == ("openparallax", True)


@pytest.fixture
def builders(tmp_path: Path) -> Path:
    """A folder with a podman that says what it was asked, and sees what it would be given."""
    podman = tmp_path / "bin" / "podman"
    podman.parent.mkdir()
    podman.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\nls build/image\n')
    podman.chmod(0o755)
    return podman.parent


def test_what_the_builder_is_asked(builders: Path) -> None:
    """What is copied is there when it is; and the file is the one above."""
    environment = {
        **os.environ,
        "PATH": f"{builders}:{os.environ['PATH']}",
        "OPENPARALLAX_PYTHON": sys.executable,
        "PYTHON_IMAGE": "localhost/python",
    }
    done = subprocess.run(  # noqa: S603 - ours
        [ROOT / "scripts/build-image", "registry.example/bot", "--pull"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *asked, wheel = done.stdout.splitlines()
    assert asked[0] == "build"
    assert asked[asked.index("--file") + 1] == "scripts/Containerfile"
    assert "PYTHON=localhost/python" in asked
    assert "registry.example/bot:latest" in asked
    assert asked[-2:] == ["--pull", "."]
    [copied] = [words for words in said("COPY") if not words.startswith("--from")]
    assert copied.startswith("build/image/*.whl ")
    assert re.fullmatch(r"openparallax-.*\.whl", wheel)


def test_it_is_built_and_answers_where_there_is_an_image_of_python() -> None:
    """With ``OPENPARALLAX_PYTHON_IMAGE``, such as one in this machine's own store, and podman."""
    image = os.environ.get("OPENPARALLAX_PYTHON_IMAGE")
    if image is None:
        pytest.skip("OPENPARALLAX_PYTHON_IMAGE names no image to build on")
    name = "localhost/openparallax-tried"
    environment = {**os.environ, "OPENPARALLAX_PYTHON": sys.executable, "PYTHON_IMAGE": image}
    need(subprocess.run(["podman", "--version"], check=False).returncode == 0, "podman")  # noqa: S607
    subprocess.run([ROOT / "scripts/build-image", name], env=environment, check=True)  # noqa: S603
    run = ["podman", "run", "--rm", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "all", name]
    done = subprocess.run(  # noqa: S603
        [*run[:-1], "--interactive", name, "dev", "--terminal"],
        input="good morning\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "good morning" in done.stdout) == (0, True), done.stderr
