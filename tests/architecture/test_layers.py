"""Rooms look down, never up or sideways; each has a sign on its door."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import PACKAGE, ROOT, modules, name_of, tree_of

# Names that say nothing of what is inside.
NAMELESS = {"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"}


def test_the_import_contracts_hold(tmp_path: Path) -> None:
    code = "from importlinter.cli import lint_imports_command as run; run()"
    argv = [sys.executable, "-c", code, "--no-logo", "--cache-dir", str(tmp_path)]
    result = subprocess.run(  # noqa: S603 - fixed words
        argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    assert result.returncode == 0, result.stdout.decode()


@pytest.mark.parametrize(
    "door", sorted(PACKAGE.rglob("__init__.py")), ids=lambda path: name_of(path.parent)
)
def test_each_room_has_a_sign_on_its_door(door: Path) -> None:
    sign = ast.get_docstring(tree_of(door)) or ""
    lines = [line for line in sign.splitlines() if line.strip()]
    assert len(lines) >= 2, "say what happens here, what comes in and goes out, why, who may enter"


def test_each_folder_of_modules_is_a_room() -> None:
    without = {
        name_of(path.parent) for path in modules() if not (path.parent / "__init__.py").exists()
    }
    assert without == set()


def test_names_say_what_is_inside() -> None:
    found = [
        name_of(path)
        for path in modules()
        if {path.stem, path.parent.name} & NAMELESS or path.stem.endswith(("_utils", "_helpers"))
    ]
    assert found == []
