"""The project's own files, as these tests read them."""

import ast
import os
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "openparallax"


@cache
def modules(folder: Path = PACKAGE) -> tuple[Path, ...]:
    return tuple(sorted(folder.rglob("*.py")))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def name_of(path: Path) -> str:
    """The path as people write it: from the top of the checkout, with slashes."""
    return path.relative_to(ROOT).as_posix()


def docstrings(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""


@cache
def repository_files() -> tuple[Path, ...]:
    """All that is tracked or would be: what git knows and does not ignore.

    Without git, or outside a clone (an unpacked archive), all files but the well-known litter.
    """
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "-co", "--exclude-standard"]
    try:
        listed = subprocess.run(  # noqa: S603 - fixed words
            command, cwd=ROOT, capture_output=True, check=True, env=_without_git()
        )
    except (OSError, subprocess.CalledProcessError):
        return tuple(
            path for path in sorted(ROOT.rglob("*")) if path.is_file() and not _litter(path)
        )
    names = listed.stdout.decode().split("\0")
    # A file that was deleted and not yet committed is still listed.
    return tuple(ROOT / name for name in sorted(names) if name and (ROOT / name).is_file())


def _without_git() -> dict[str, str]:
    """The environment without what a git hook sets, which would point at another repository."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}


def _litter(path: Path) -> bool:
    known = {".git", ".venv", "build", "dist", "__pycache__"}
    parts = path.relative_to(ROOT).parts
    return any(part in known or part.endswith(("_cache", ".egg-info")) for part in parts)
