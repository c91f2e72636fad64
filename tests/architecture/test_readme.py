"""What the README shows can be done as it stands: links, commands, defaults, snippets, quotes."""

import ast
import os
import re
import shlex
from collections.abc import Iterator
from typing import Any

import click
import pytest
import yaml
from pydantic import BaseModel

from openparallax.admin.families import COUNTED, MEASURED, TIMED
from openparallax.app.plugins import engine_catalog
from openparallax.cli import main
from openparallax.config.models import File
from openparallax.config.shapes import is_model, members
from openparallax.graph.errors import classify
from openparallax.model.outcomes import ErrorClass
from tests.architecture.source import ROOT, modules, tree_of
from tests.architecture.test_documented import README, blocks, code_in
from tests.config.files import SMALLEST

_TEXT = README.read_text("utf-8")
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_ROW = re.compile(r"^\| (.+) \|$")


def section(title: str) -> str:
    """What stands under the heading of that title, down to the next one as high."""
    return _TEXT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(text: str) -> Iterator[list[str]]:
    """The cells of each table's row, without the line under its head."""
    for line in text.splitlines():
        if (row := _ROW.fullmatch(line)) and not line.startswith("|---"):
            yield [cell.strip() for cell in row[1].split(" | ")]


# -- links ----------------------------------------------------------------------------------------


def _without_code(text: str) -> str:
    return re.sub(r"^( *)```.*?^\1```$", "", text, flags=re.DOTALL | re.MULTILINE)


def _anchor(heading: str) -> str:
    """As GitHub makes it of a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("name", ["README.md", "SECURITY.md", "CHANGELOG.md"])
def test_links_lead_somewhere(name: str) -> None:
    text = _without_code((ROOT / name).read_text("utf-8"))
    anchors = {_anchor(heading) for heading in _HEADING.findall(text)}
    missing = []
    for link in _LINK.findall(text):
        if link.startswith("#"):
            is_there = link[1:] in anchors
        else:
            is_there = link.startswith("https://") or (ROOT / link).exists()
        missing += [] if is_there else [link]
    assert missing == []


def test_the_contents_name_every_chapter() -> None:
    chapters = re.findall(r"^## (.+)$", _without_code(_TEXT), re.MULTILINE)
    contents = _TEXT.partition("**On this page:**")[2].partition("\n## ")[0]
    assert re.findall(r"\[(.+?)\]\(#", contents)[: len(chapters)] == chapters


def test_no_two_headings_make_the_same_link() -> None:
    anchors = [_anchor(heading) for heading in _HEADING.findall(_without_code(_TEXT))]
    assert sorted(anchors) == sorted(set(anchors))


# -- commands -------------------------------------------------------------------------------------


def _calls(line: str) -> Iterator[list[str]]:
    """The arguments of each call of ``openparallax`` in a line of shell."""
    for part in re.split(r"\||&&|;|\$\(", line):
        words = shlex.split(part, comments=True)
        while words and (words[0] in {"sudo", "exec"} or "=" in words[0]):
            words = words[1:]
            if words[:1] == ["-u"]:
                words = words[2:]
        if words and (words[0] == "openparallax" or words[0].endswith("bin/openparallax")):
            yield words[1:]


def _all_calls() -> Iterator[list[str]]:
    for block in blocks("sh"):
        for line in block.replace("\\\n", " ").splitlines():
            yield from _calls(line)
    for code in code_in(_TEXT):
        if code.startswith("openparallax ") and "\n" not in code:
            yield code.replace("[", "").replace("]", "").split()[1:]


def _complaint(words: list[str]) -> str:
    """What is wrong with a call of the command line; "" where nothing is."""
    command: click.Command = main
    for word in words:
        if word.startswith("-") and word != "-":
            known = {name for option in command.params for name in option.opts}
            if word.partition("=")[0] not in known | {"-h", "--help"}:
                return f"{command.name} has no {word}"
        elif isinstance(command, click.Group):
            found = command.commands.get(word)
            if found is None:
                return f"{command.name} has no {word}"
            command = found
    return ""


def test_the_commands_that_are_shown_exist() -> None:
    calls = list(_all_calls())
    assert ["serve", "-c", "config.yaml"] in calls
    assert [complaint for call in calls if (complaint := _complaint(call))] == []


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("sudo -u somebody openparallax check -c x.yaml", ""),
        ("A=b .venv/bin/openparallax check --confg x", "check has no --confg"),
        ("echo x | openparallax chekc", "main has no chekc"),
    ],
)
def test_a_command_that_is_none_is_noticed(line: str, complaint: str) -> None:
    [call] = _calls(line)
    assert _complaint(call) == complaint


def _commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            yield from _commands(inner, f"{name} {inner.name}")
    else:
        yield name, command


def test_every_command_is_shown_and_its_help_tells_every_option() -> None:
    shown = " ".join(code_in(section("Command line")))
    missing = []
    for name, command in _commands(main, "openparallax"):
        missing += [] if re.search(rf"{name}(?![\w-])", shown) else [name]
        for option in (one for one in command.params if isinstance(one, click.Option)):
            missing += [] if option.hidden or option.help else [f"{name} {option.name}"]
    assert missing == []


def test_the_exit_codes_are_those_of_the_program() -> None:
    told = {int(row[0]) for row in rows(section("Command line")) if row[0].isdigit()}
    used = {0, 2}  # done; and click's own for a wrong call
    for path in modules():
        used |= {code for node in ast.walk(tree_of(path)) for code in _exit_codes(node)}
    assert used <= told


def _exit_codes(node: ast.AST) -> Iterator[int]:
    """What ends a process: ``exit_code=75``, and constants such as ``_EX_CONFIG = 78``."""
    match node:
        case ast.keyword(arg="exit_code", value=ast.Constant(value=int(code))):
            yield code
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=int(constant))):
            if name.startswith("_EX_"):
                yield constant


# -- settings -------------------------------------------------------------------------------------


def _section_model(path: str) -> type[BaseModel]:
    if path == "engine":
        return engine_catalog()["anthropic"]
    model: type[BaseModel] = File
    for name in path.split("."):
        [model] = [one for one in members(model.model_fields[name].annotation) if is_model(one)]
    return model


def _defaults(path: str) -> dict[str, Any]:
    """What a setting of that section has when it is not given; None if it must be."""
    found = {
        name: None if field.is_required() else field.get_default(call_default_factory=True)
        for name, field in _section_model(path).model_fields.items()
    }
    return {"type": "anthropic", **found} if path == "engine" else found


def test_the_defaults_that_are_told_are_the_defaults() -> None:
    wrong, path, compared = [], "", 0
    for line in section("Every setting").partition("\n### ")[0].splitlines():
        if title := re.match(r"\| \*\*`([a-z_.]+)`\*\*", line):
            path = title[1] if title[1] not in {"pipeline", "notices"} else ""
            continue
        for cells in rows(line):
            if not path or cells[0] == "key":
                continue
            defaults = _defaults(path)
            for key in re.findall(r"`(\w+)`", cells[0]):
                told = re.fullmatch("`(.+)`", cells[1])
                compared += told is not None
                if key not in defaults:
                    wrong.append(f"{path}.{key} is no setting")
                elif told and yaml.safe_load(told[1]) != _plain(defaults[key]):
                    wrong.append(f"{path}.{key}")
    assert wrong == []
    assert compared > 40


def _plain(default: object) -> object:
    return list(default) if isinstance(default, tuple | frozenset) else default


# -- metrics --------------------------------------------------------------------------------------


def test_every_metric_is_told_with_its_labels() -> None:
    told = {
        name for row in rows(section("Every metric")) for name in re.findall(r"`([^`]+)`", row[0])
    }
    families = [(f"{one.name}_total", one.labels) for one in COUNTED]
    families += [(one.name, one.labels) for one in (*TIMED, *MEASURED)]
    assert told == {
        f"{name}{{{','.join(labels)}}}" if labels else name for name, labels in families
    }


# -- snippets -------------------------------------------------------------------------------------


def test_the_smallest_configuration_is_that_of_many_guides() -> None:
    assert blocks("yaml")[0] == SMALLEST


def test_the_service_is_installed_where_its_unit_looks() -> None:
    unit = (ROOT / "systemd" / "openparallax.service").read_text("utf-8")
    chapter = section("Running it")
    wanted = re.findall(r"^ExecStart=(\S+)", unit, re.MULTILINE)
    wanted += re.findall(r"^LoadCredential=(\S+)", unit, re.MULTILINE)
    assert len(wanted) > 1
    assert [word for word in wanted if word not in chapter] == []


# -- what is said when something is wrong ---------------------------------------------------------


def _texts() -> Iterator[str]:
    """All texts of the program."""
    for path in modules():
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_the_events_that_are_told_are_the_programs() -> None:
    told = {name for row in rows(section("The log")) for name in re.findall(r"`(\w+)`", row[0])}
    assert told - set(_texts()) == set()


def test_the_symptoms_are_in_the_words_of_the_program() -> None:
    texts = "\n".join([*_texts(), *(os.strerror(number) for number in range(1, 100))])
    quotes = [
        piece.strip(" .")
        for chapter in ("When the bot is silent", "When something is wrong")
        for row in rows(section(chapter))
        for quote in re.findall(r'"([^"`]+)"', row[0])
        for piece in re.split(r"…|: | \(", quote)
        if " " in piece.strip()
    ]
    assert len(quotes) > 10
    assert [piece for piece in quotes if piece not in texts] == []


@pytest.mark.parametrize(
    ("event", "error_class"),
    [
        ("account_paused", ErrorClass.ACCOUNT),
        ("parcel_failed", ErrorClass.RECIPIENT),
        ("parcel_held", ErrorClass.WINDOW),
    ],
)
def test_the_codes_of_the_symptoms_are_of_their_class(event: str, error_class: ErrorClass) -> None:
    codes = [
        int(code)
        for row in rows(section("When something is wrong"))
        if f"`{event}`" in row[0] and "code" in row[0]
        for code in re.findall(r"\b\d+\b", row[0].partition("code")[2])
    ]
    assert codes
    assert {classify(code) for code in codes} == {error_class}
