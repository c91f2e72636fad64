"""Which commit it is: of a checkout in every form that Git gives it, and of what was installed."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from openparallax.build import commit_of_checkout
from tests.architecture.source import ROOT

HASH = "0123456789abcdef0123456789abcdef01234567"
OTHER = HASH[::-1]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    (root / ".git" / "refs" / "heads").mkdir(parents=True)
    (root / "pyproject.toml").touch()
    (root / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    return root


def test_a_branch(checkout: Path) -> None:
    assert commit_of_checkout(checkout) == ""
    (checkout / ".git" / "refs" / "heads" / "main").write_text(f"{HASH}\n")
    assert commit_of_checkout(checkout) == HASH


def test_a_packed_branch(checkout: Path) -> None:
    packed = f"# pack-refs\n{OTHER} refs/heads/mainly\n{HASH} refs/heads/main\n^{OTHER}\n"
    (checkout / ".git" / "packed-refs").write_text(packed)
    assert commit_of_checkout(checkout) == HASH


def test_a_detached_head(checkout: Path) -> None:
    (checkout / ".git" / "HEAD").write_text(f"{HASH}\n")
    assert commit_of_checkout(checkout) == HASH


@pytest.mark.parametrize("is_packed", [True, False])
def test_a_worktree(checkout: Path, tmp_path: Path, *, is_packed: bool) -> None:
    git = checkout / ".git"
    (git / "worktrees" / "beside").mkdir(parents=True)
    (git / "worktrees" / "beside" / "HEAD").write_text("ref: refs/heads/other\n")
    (git / "worktrees" / "beside" / "commondir").write_text("../..\n")
    if is_packed:
        (git / "packed-refs").write_text(f"{HASH} refs/heads/other\n")
    else:
        (git / "refs" / "heads" / "other").write_text(f"{HASH}\n")
    beside = tmp_path / "beside"
    beside.mkdir()
    (beside / "pyproject.toml").touch()
    (beside / ".git").write_text(f"gitdir: {git}/worktrees/beside\n")
    assert commit_of_checkout(beside) == HASH


@pytest.mark.parametrize("head", ["", "ref: refs/heads/gone", "sesame", "ref: HEAD", "\udcff"])
def test_what_is_not_understood_is_not_known(checkout: Path, head: str) -> None:
    (checkout / ".git" / "HEAD").write_bytes(head.encode("utf-8", "surrogateescape"))
    assert commit_of_checkout(checkout) == ""


def test_another_folder_is_no_checkout(tmp_path: Path) -> None:
    assert commit_of_checkout(tmp_path) == ""


def test_a_wheel_has_all_that_it_needs_and_its_commit(checkout: Path, tmp_path: Path) -> None:
    (checkout / ".git" / "refs" / "heads" / "main").write_text(f"{HASH}\n")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, checkout / name)
    package = checkout / "openparallax"
    shutil.copytree(ROOT / package.name, package, ignore=shutil.ignore_patterns("__pycache__"))
    needed = {str(file.relative_to(checkout)) for file in package.rglob("*") if file.is_file()}
    build = f"from setuptools import build_meta; build_meta.build_wheel({str(tmp_path)!r})"
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", build], cwd=checkout, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    [wheel] = tmp_path.glob("*.whl")
    into = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
        packed.extractall(into)
    assert needed - names == set()
    code = "from openparallax.build import commit; print(commit())"
    told = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], cwd=into, check=True, capture_output=True, text=True
    )
    assert told.stdout == f"{HASH}\n"
