"""Documented or it fails: whatever a person can name is named in the README.

A name counts as documented where it stands as code: between backticks, or in a fenced block.
"""

import re
import tomllib
from collections.abc import Iterator

import pytest

from openparallax.cli import main
from openparallax.session.commands import COMMANDS
from openparallax.session.notices import SENTENCES
from tests.architecture.source import ROOT, docstrings, modules, name_of, repository_files, tree_of

README = ROOT / "README.md"
_FENCED = re.compile(r"^( *)(```+|~~~+)[^\n]*\n(.*?)^\1\2 *$", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_PATH = re.compile(r"[\w.-]+(/[\w.-]+)*/?")
_AT_THE_TOP = re.compile(r"[A-Z]{4,}\.md|[\w.-]+\.example\.\w+")


def code_in(text: str) -> list[str]:
    """What stands as code in a Markdown text or a docstring."""
    found = [match[3] for match in _FENCED.finditer(text)]
    found += [match[2] for match in _INLINE.finditer(_FENCED.sub("", text))]
    return found


def is_named(name: str, text: str) -> bool:
    """Whether ``name`` stands as code in ``text``, not as part of a longer word or path."""
    whole = re.compile(rf"(?<![\w/.-]){re.escape(name)}(?![\w-])")
    return any(whole.search(code) for code in code_in(text))


def paths_in(text: str) -> Iterator[str]:
    """The words of code in ``text`` that look like a path of this repository."""
    files = {name_of(path) for path in repository_files()}
    top = {name.partition("/")[0] for name in files}
    for word in (word for code in code_in(text) for word in code.split()):
        first, slash, rest = word.partition("/")
        is_inside = bool(_PATH.fullmatch(word) and first in top and rest)
        if is_inside or (not slash and _AT_THE_TOP.fullmatch(word)):
            yield word


def _entry_points(kind: str) -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return sorted(project["entry-points"][f"openparallax.{kind}"])


def _names() -> list[tuple[str, str]]:
    return [
        *(("command in chat", name) for name in COMMANDS),
        *(("command", f"openparallax {name}") for name in main.commands),
        *(("engine", name) for name in _entry_points("engines")),
        *(("stage", name) for name in _entry_points("stages")),
        *(("notice", name) for name in SENTENCES),
        *(
            ("script", name_of(path))
            for path in sorted((ROOT / "scripts").iterdir())
            if _runs(path)
        ),
    ]


def _runs(path: object) -> bool:
    text = str(path)
    return "." not in text.rpartition("/")[2] and not text.endswith("_parts")


@pytest.mark.parametrize(("kind", "name"), _names())
def test_the_readme_names_it(kind: str, name: str) -> None:
    assert is_named(name, README.read_text("utf-8")), f"README.md does not name the {kind} `{name}`"


def test_the_paths_that_are_named_exist() -> None:
    texts = {name_of(path): path.read_text("utf-8") for path in sorted(ROOT.glob("*.md"))}
    for path in modules():
        texts[name_of(path)] = "\n\n".join(docstrings(tree_of(path)))
    missing = {
        f"{name}: {path}"
        for name, text in texts.items()
        for path in paths_in(text)
        if not (ROOT / path).exists()
    }
    assert missing == set()


@pytest.mark.parametrize(
    ("name", "text", "is_there"),
    [
        ("/otr", "Write `/otr` to go off the record.", True),
        ("/otr", "Write /otr to go off the record.", False),
        ("/otr off", "```\n/otr off\n```", True),
        ("echo", "the engine `echo-like`", False),
        ("echo", "```yaml\nengine: {type: echo}\n```", True),
        ("openparallax serve", "    ```sh\n    openparallax serve -c x.yaml\n    ```", True),
        ("new", "`new_after_otr`, `/new`", False),
    ],
)
def test_names_are_found_as_code_only(name: str, text: str, *, is_there: bool) -> None:
    assert is_named(name, text) is is_there


def test_paths_are_found() -> None:
    text = (
        "See `openparallax/model/text.py`, `a/b`, `/webhook`; run `scripts/test tests/flow -k x`."
    )
    assert list(paths_in(text)) == ["openparallax/model/text.py", "scripts/test", "tests/flow"]
