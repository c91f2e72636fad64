"""What is in the repository, and what must not be."""

import os
import re
from pathlib import Path

from tests.architecture.source import ROOT, name_of, repository_files

TOP = {
    ".ci",
    ".github",
    ".gitignore",
    "BENCHMARKS.md",
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "config.example.yaml",
    "openparallax",
    "pyproject.toml",
    "scripts",
    "systemd",
    "tests",
}
# In pieces, so that this file does not hold them.
FOREIGN = re.compile(
    "|".join(
        "".join(pieces)
        for pieces in (
            ("py", r"pi\.org"),
            ("python", r"hosted\.org"),
            ("registry.npm", "js"),
            ("/opt/py", "pi"),
            (r"(?<![\w.-])/wo", "rk/"),
            (r"(?<![\w.-])/ro", "ot/"),
            ("/tmp/", "lab"),
            ("/tmp/", "bash_jobs"),
        )
    )
)


def _is_script(path: Path) -> bool:
    folders = {ROOT / "scripts", ROOT / ".ci"}
    return path.parent in folders and not path.suffix and path.name != "Containerfile"


def test_the_top_level_holds_only_what_belongs_there() -> None:
    found = {name_of(path).partition("/")[0] for path in repository_files()}
    assert found - TOP == set()


def test_no_file_names_the_machine_it_was_written_on_or_a_package_registry() -> None:
    found = []
    for path in repository_files():
        text = path.read_bytes().decode("utf-8", "replace")
        found += [
            f"{name_of(path)}:{number}"
            for number, line in enumerate(text.splitlines(), start=1)
            if FOREIGN.search(line)
        ]
    assert found == []


def test_scripts_can_be_run() -> None:
    scripts = [path for path in repository_files() if _is_script(path)]
    assert {"test", "check", "run"} <= {path.name for path in scripts}
    for path in scripts:
        assert os.access(path, os.X_OK), f"{name_of(path)} is not executable"
        assert path.read_bytes().startswith(b"#!"), f"{name_of(path)} has no first line"


def test_text_files_end_with_one_line_break() -> None:
    texts = [path for path in repository_files() if path.suffix in {".py", ".md", ".toml", ".sql"}]
    found = [
        name_of(path)
        for path in texts
        if (text := path.read_bytes()) and (not text.endswith(b"\n") or text.endswith(b"\n\n"))
    ]
    assert found == []
