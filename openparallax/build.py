"""Which commit this is, and whether it is the one-file program.

In a checkout Git's own files tell, without Git. What is installed carries ``commit.txt``, which
setuptools writes beside this file while the package is built (``pyproject.toml`` names `BuildPy`).
What came without either, such as an archive of the sources, is of an unknown commit.
"""

import re
import sys
from pathlib import Path
from typing import Any

_WRITTEN = "commit.txt"
_HASH = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_MOST_LINKS = 5


def commit() -> str:
    """The commit in full, hexadecimal; "" if it is not known."""
    package = Path(__file__).parent
    return commit_of_checkout(package.parent) or _read_hash(package / _WRITTEN)


def commit_of_checkout(root: Path) -> str:
    """The commit that is checked out at ``root``; "" if that is no checkout, or cannot be read.

    Source:
        gitrepository-layout(5): worktrees, packed refs.
    """
    git = root / ".git"
    try:
        if not (root / "pyproject.toml").is_file():
            return ""
        if git.is_file():
            git = root / git.read_text("utf-8").removeprefix("gitdir:").strip()
        shared = git / "commondir"
        common = git / shared.read_text("utf-8").strip() if shared.is_file() else git
        name = "HEAD"
        for _ in range(_MOST_LINKS):
            found = _look_up(name, git, common)
            if not found.startswith("ref:"):
                return found if _HASH.fullmatch(found) else ""
            name = found.removeprefix("ref:").strip()
    except (OSError, ValueError):
        pass
    return ""


def is_one_file() -> bool:
    """Whether this is what ``scripts/build-binary`` makes: a program without a Python beside it.

    It is ``sys.executable`` then, which takes no option of Python's.

    Source:
        PyInstaller manual, "Run-time Information".
    """
    return bool(getattr(sys, "frozen", False))


def _look_up(name: str, git: Path, common: Path) -> str:
    for folder in (git, common):
        if (folder / name).is_file():
            return (folder / name).read_text("utf-8").strip()
    for line in (common / "packed-refs").read_text("utf-8").splitlines():
        hashed, _, packed = line.partition(" ")
        if packed == name:
            return hashed
    return ""


def _read_hash(file: Path) -> str:
    try:
        found = file.read_text("utf-8").strip()
    except (OSError, ValueError):
        return ""
    return found if _HASH.fullmatch(found) else ""


def __getattr__(name: str) -> Any:
    """`BuildPy`, made when setuptools asks for it: where the daemon runs there is none."""
    if name != "BuildPy":
        raise AttributeError(name)
    from setuptools.command.build_py import build_py  # type: ignore[import-untyped]  # noqa: PLC0415 - while building only

    class BuildPy(build_py):  # type: ignore[misc]
        """Copies the package, and writes down of which commit it is."""

        def run(self) -> None:
            super().run()
            found = commit_of_checkout(Path.cwd())
            if found and not self.editable_mode:
                Path(self.build_lib, "openparallax", _WRITTEN).write_text(found + "\n", "utf-8")

    return BuildPy
