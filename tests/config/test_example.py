"""``config.example.yaml`` shows every setting, and is in order."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined

from openparallax import config
from openparallax.app.plugins import engine_catalog, stage_catalog
from openparallax.config.models import Channels, File, Log
from openparallax.config.shapes import is_model, members
from openparallax.config.whatsapp import Tls, WhatsApp
from openparallax.errors import ConfigError
from openparallax.session.notices import SENTENCES
from tests.config.files import ENVIRONMENT

EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"
COMPLETE = {**ENVIRONMENT, "WHATSAPP_VERIFY_TOKEN": "verify"}
OWN = {"phone_number_id", "access_token", "app_secret", "verify_token", "allowed_numbers"}


def _settings(model: type[BaseModel], way: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        yield (*way, name)
        for member in members(field.annotation):
            if is_model(member) and member is not Tls:  # which is null, and shown in words
                yield from _settings(member, (*way, name))


def _shown(tree: Any, way: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in tree.items() if isinstance(tree, dict) else ():
        yield (*way, key)
        yield (*way, key.removesuffix("_env"))
        yield from _shown(value, (*way, key))


OFF = re.compile(r"^( *)#(?=[a-z_]+:)", re.MULTILINE)
"""Begins a setting that is switched off."""


@cache
def _all_switched_on() -> Any:
    """The example with every setting that is switched off switched on."""
    return yaml.safe_load(OFF.sub(r"\1", EXAMPLE.read_text()))


def _load(file: Path) -> config.Settings:
    return config.load(
        file,
        environment=COMPLETE,
        engines=engine_catalog(),
        stages=stage_catalog(),
        sentences=SENTENCES,
    )


def test_the_example_is_in_order_without_a_warning() -> None:
    settings = _load(EXAMPLE)

    assert settings.warnings == ()
    assert settings.engine.type == "anthropic"
    assert settings.whatsapp.verify_token == SecretStr("verify")


def test_the_example_is_in_order_with_echo_and_no_key(tmp_path: Path) -> None:
    text = EXAMPLE.read_text()
    engine = text[text.index("\nengine:") : text.index("\n# What is put round")]
    file = tmp_path / "config.yaml"
    file.write_text(text.replace(engine, "\nengine: {type: echo}\n"))
    environment = {name: value for name, value in COMPLETE.items() if "ANTHROPIC" not in name}

    settings = config.load(
        file, environment=environment, engines=engine_catalog(), stages=stage_catalog()
    )

    assert settings.engine.type == "echo"


def test_every_setting_is_shown() -> None:
    shown = set(_shown(_all_switched_on()))

    assert [way for way in _settings(File) if way not in shown] == []


def test_every_setting_of_the_built_in_engines_and_stages_is_shown() -> None:
    tree = _all_switched_on()
    engine = {key.removesuffix("_env") for key in tree["engine"]}
    stages = {name: set(own) for stage in tree["pipeline"] for name, own in stage.items()}

    assert set(engine_catalog()["anthropic"].model_fields) <= engine
    assert set(stage_catalog()["time_limit"].model_fields) <= stages["time_limit"]


def test_every_form_and_choice_is_named() -> None:
    text = EXAMPLE.read_text()
    for form in ("_env:", "${NAME}", "${NAME:-default}", "credential:", "file:", "$${", "echo"):
        assert form in text
    for choice in ("queued", "none", "debug", "info", "warning", "error", "auto", "text", "json"):
        assert re.search(rf"\b{choice}\b", text)


@pytest.mark.parametrize("way", [way for way in _settings(File) if len(way) > 1])
def test_what_is_shown_is_the_default(way: tuple[str, ...]) -> None:
    if OWN & set(way) or way[-1] in {"whatsapp", "url"}:
        return
    model: Any = File
    value = _all_switched_on()
    for step in way:
        field = model.model_fields[step]
        inner = [member for member in members(field.annotation) if is_model(member)]
        model, value = inner[0] if inner else None, value[step]
    default = field.get_default(call_default_factory=True)
    assert default is not PydanticUndefined
    if isinstance(default, BaseModel):
        default = default.model_dump()
    assert value == (list(default) if isinstance(default, tuple) else default)


@pytest.mark.parametrize(
    ("model", "shown"),
    [
        (engine_catalog()["anthropic"], lambda tree: tree["engine"]),
        (stage_catalog()["time_limit"], lambda tree: tree["pipeline"][0]["time_limit"]),
    ],
)
def test_what_is_shown_of_a_plugin_is_its_default(
    model: type[BaseModel], shown: Callable[[Any], dict[str, Any]]
) -> None:
    said = shown(_all_switched_on())
    fields = model.model_fields.items()
    defaults = {name: field.default for name, field in fields if not field.is_required()}

    assert {name: said[name] for name in defaults} == defaults


@pytest.mark.parametrize("number", range(len(OFF.findall(EXAMPLE.read_text()))))
def test_each_setting_that_is_switched_off_can_be_switched_on(tmp_path: Path, number: int) -> None:
    text = EXAMPLE.read_text()
    one = list(OFF.finditer(text))[number]
    file = tmp_path / "config.yaml"
    file.write_text(text[: one.start()] + one[1] + text[one.end() :])

    assert _load(file).warnings == ()


def test_the_numbers_and_the_pair_that_are_shown_in_words_are_as_they_must_be(
    tmp_path: Path,
) -> None:
    text = EXAMPLE.read_text()
    for block in ("accounts", "tls"):
        [words] = re.findall(rf"^    # {block}:\n(?:    #  .*\n)+", text, flags=re.MULTILINE)
        text = text.replace(words, words.replace("    # ", "    "))
    file = tmp_path / "config.yaml"
    file.write_text(text)

    with pytest.raises(ConfigError) as raised:
        _load(file)

    keys = [problem.split(": ")[1] for problem in raised.value.problems]
    assert keys == [f"channels.whatsapp.tls.{name}" for name in Tls.model_fields]


def test_the_test_sees_what_is_missing() -> None:
    shown = set(_shown({"channels": {"whatsapp": {}}}))

    missing = [way for way in _settings(File) if way not in shown]

    assert ("log", "level") in missing
    assert len(missing) > len(WhatsApp.model_fields) + len(Log.model_fields)
    assert Channels.model_fields.keys() == {"whatsapp"}
