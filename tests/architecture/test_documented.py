"""Documented or it fails: whatever a person can name is named in the README.

A name counts as documented where it stands as code: between backticks, or in a fenced block.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from openparallax.admin.families import COUNTED, MEASURED, TIMED
from openparallax.app.plugins import engine_catalog, stage_catalog
from openparallax.cli import main
from openparallax.clock import SystemClock
from openparallax.config import Catalog, load
from openparallax.config.models import File
from openparallax.config.shapes import is_model, members
from openparallax.emulator.scenario import load as load_scenario
from openparallax.logs import configure
from openparallax.model.session import Mode
from openparallax.pipeline import compose
from openparallax.plugin import Chat, PluginSettings, Tools, Turn, settings_of
from openparallax.session.commands import COMMANDS
from openparallax.session.notices import SENTENCES
from openparallax.webhook.news import FIELDS
from openparallax.webhook.payload import _READERS
from tests.architecture.source import ROOT, docstrings, modules, name_of, repository_files, tree_of
from tests.webhook.certificates import Files, Pair

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
    top = _at_the_top()
    for word in (word for code in code_in(text) for word in code.split()):
        first, slash, rest = word.partition("/")
        is_inside = bool(_PATH.fullmatch(word) and first in top and rest)
        if is_inside or (not slash and _AT_THE_TOP.fullmatch(word)):
            yield word


@cache
def _at_the_top() -> frozenset[str]:
    return frozenset(name_of(path).partition("/")[0] for path in repository_files())


def _entry_points(kind: str) -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return sorted(project["entry-points"][f"openparallax.{kind}"])


def _names() -> list[tuple[str, str]]:
    return [
        *(("command in chat", name) for name in COMMANDS),
        *(("webhook field", name) for name in sorted({*_READERS, *FIELDS})),
        *(("command", f"openparallax {name}") for name in main.commands),
        *(("engine", name) for name in _entry_points("engines")),
        *(("stage", name) for name in _entry_points("stages")),
        *(("notice", name) for name in SENTENCES),
        *(("setting", name) for name in sorted(_settings())),
        *(("event of the log", name) for name in sorted(_events())),
        *(("metric", name) for name in _metrics()),
        *(
            ("script", name_of(path))
            for path in sorted((ROOT / "scripts").iterdir())
            if _runs(path)
        ),
    ]


def _settings() -> set[str]:
    """The last part of each setting's key: of the file, and of the built-in engines and stages."""
    catalogs: list[Catalog] = [engine_catalog(), stage_catalog()]
    models: list[type[BaseModel]] = [File]
    models += [catalog[name] for catalog in catalogs for name in catalog]
    return {name for model in models for name in _fields(model)}


def _fields(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield name
        for member in members(field.annotation):
            if is_model(member):
                yield from _fields(member)


def _metrics() -> list[str]:
    """The families by the names that Prometheus shows."""
    counted = [f"{family.name}_total" for family in COUNTED]
    return counted + [family.name for family in (*TIMED, *MEASURED)]


def _events() -> set[str]:
    """What the package logs: ``log.info("event", …)`` and the `Complaint`s of the webhook."""
    found = set()
    for path in modules():
        for call in ast.walk(tree_of(path)):
            place = _place_of_event(call.func) if isinstance(call, ast.Call) else None
            if isinstance(call, ast.Call) and place is not None and len(call.args) > place:
                event = call.args[place]
                if isinstance(event, ast.Constant):
                    found.add(str(event.value))
    return found


def _place_of_event(called: ast.expr) -> int | None:
    match called:
        case ast.Attribute(
            value=ast.Name(id="log" | "_log") | ast.Attribute(attr="log" | "_log"),
            attr="debug" | "info" | "warning" | "error",
        ):
            return 0
        case ast.Name(id="Complaint"):
            return 2
        case _:
            return None


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


# -- the examples ---------------------------------------------------------------------------------


def blocks(language: str) -> list[str]:
    """The fenced blocks of the README in that language, without their indentation."""
    fenced = re.compile(rf"^( *)```{language}\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
    return [
        re.sub(rf"^{match[1]}", "", match[2], flags=re.MULTILINE)
        for match in fenced.finditer(README.read_text("utf-8"))
    ]


@pytest.fixture
def birds() -> dict[str, Any]:
    """What the module of the README's plugin holds."""
    [source] = blocks("python")
    module: dict[str, Any] = {"__name__": "birds"}
    exec(compile(source, "birds.py", "exec"), module)  # noqa: S102 - our own README
    return module


def _catalogs(birds: dict[str, Any]) -> list[Catalog]:
    """The built-in plugins, and those that the README's pyproject.toml names."""
    [project] = blocks("toml")
    points = tomllib.loads(project)["project"]["entry-points"]
    return [
        {name: built_in[name] for name in built_in}
        | {
            name: settings_of(birds[value.removeprefix("birds:")])
            for name, value in points[f"openparallax.{kind}"].items()
        }
        for kind, built_in in (("engines", engine_catalog()), ("stages", stage_catalog()))
    ]


def test_the_configurations_in_the_readme_are_in_order(
    tmp_path: Path, birds: dict[str, Any]
) -> None:
    smallest, *others = [text for text in blocks("yaml") if not text.startswith("scenario:")]
    engines, stages = _catalogs(birds)
    secrets = ("WHATSAPP_ACCESS_TOKEN", "WHATSAPP_APP_SECRET", "ANTHROPIC_API_KEY")
    environment = {"HOME": str(tmp_path), **dict.fromkeys(secrets, "not-a-secret")}
    Files(tmp_path).write(Pair.issue())
    for example in ["", *others]:
        file = tmp_path / "config.yaml"
        text = (smallest + example).replace("/etc/openparallax/tls", str(tmp_path))
        file.write_text(text, "utf-8")
        settings = load(
            file,
            environment=environment,
            engines=engines,
            stages=stages,
            sentences=SENTENCES,
        )
        assert settings.warnings == ()


def test_the_scenarios_in_the_readme_can_be_played(tmp_path: Path) -> None:
    texts = [text for text in blocks("yaml") if text.startswith("scenario:")]
    assert texts
    file = tmp_path / "scenario.yaml"
    for text in texts:
        file.write_text(text, "utf-8")
        assert len(load_scenario(file, sentences=SENTENCES).steps) > 1


async def test_the_plugin_in_the_readme_works(birds: dict[str, Any]) -> None:
    tools = Tools(clock=SystemClock(), log=configure(level="error"))
    parrot = birds["Parrot"](PluginSettings(), tools)
    shout = birds["Shout"](birds["Shout"].Settings(mark="!!"), tools)
    turn = Turn(id="1", chat=Chat(id="1", account="1"), mode=Mode.ON_THE_RECORD, text="hello")
    answer = compose([shout], parrot)
    assert (await answer(turn)).text == "HELLO!!"
    await parrot.close()


def test_the_notices_in_the_readme_take_what_they_are_filled_with() -> None:
    rows = [line for line in README.read_text("utf-8").splitlines() if line.startswith("| `")]
    for name, sentence in SENTENCES.items():
        filled = [
            set(re.findall(r"{\w+}", row)) for row in rows if f"`{name}`" in row.split("|")[1]
        ]
        wanted = set(re.findall(r"{\w+}", sentence))
        assert any(wanted <= row for row in filled), name
