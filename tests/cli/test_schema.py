"""``openparallax schema``: what editors are told, compared with what the models say."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from openparallax.cli import main
from openparallax.config import schema
from openparallax.config.models import File
from openparallax.config.shapes import blocks, is_secret
from openparallax.session.notices import SENTENCES
from tests.architecture.source import ROOT
from tests.architecture.test_documented import blocks as of_the_readme
from tests.config.files import ENGINES, SMALLEST, STAGES, Broken, with_block, with_line
from tests.config.ways import GOOD, spoilt
from tests.config.ways_blocks import BLOCK_WAYS
from tests.config.ways_number import NUMBER_WAYS
from tests.config.ways_secrets import SECRET_WAYS

Node = dict[str, Any]
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
WITHOUT_DEFAULT = {("File", "engine"), ("File", "pipeline"), ("File", "notices")}
WAYS = [*NUMBER_WAYS, *BLOCK_WAYS, *SECRET_WAYS]


@pytest.fixture(scope="module")
def described() -> Node:
    """What the command prints."""
    result = CliRunner().invoke(main, ["schema"])
    assert (result.exit_code, result.stderr) == (0, "")
    printed: Node = json.loads(result.stdout)
    return printed


@pytest.fixture(scope="module")
def validator(described: Node) -> Draft202012Validator:
    return Draft202012Validator(described)


@pytest.fixture(scope="module")
def of_the_tests() -> Draft202012Validator:
    """The same for the engines and stages of these tests' own files."""
    return Draft202012Validator(schema(ENGINES, STAGES, {"help": "{commands}", "lost": ""}))


def test_it_is_a_schema_of_the_draft_that_it_names(described: Node) -> None:
    Draft202012Validator.check_schema(described)
    assert described["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert list(described["properties"]) == list(File.model_fields)


def _blocks(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield model
    for field in model.model_fields.values():
        for inner in blocks(field.annotation):
            yield from _blocks(inner)


MODELS = {model.__name__: model for model in _blocks(File)}


@pytest.mark.parametrize("name", MODELS)
def test_every_setting_is_there_with_meaning_and_default(described: Node, name: str) -> None:
    node = described if name == "File" else described["$defs"][name]
    assert node["additionalProperties"] is False
    for key, field in MODELS[name].model_fields.items():
        said = node["properties"][key]
        assert field.description, key
        assert said["description"].startswith(field.description)
        assert {"type", "anyOf", "$ref"} & said.keys(), key
        if is_secret(field.annotation):
            assert f"{key}_env" in node["properties"]
        elif not field.is_required() and (name, key) not in WITHOUT_DEFAULT:
            default = field.default
            shown = default.model_dump() if isinstance(default, BaseModel) else default
            is_many = isinstance(shown, frozenset | tuple)
            assert said["default"] == (list(shown) if is_many else shown)


def test_ranges_forms_and_choices_are_said(described: Node) -> None:
    def form(block: str, key: str) -> Node:
        said: Node = described["$defs"][block]["properties"][key]["anyOf"][0]
        return said

    assert form("WhatsApp", "webhook_port") == {"type": "integer", "minimum": 0, "maximum": 65535}
    assert form("WhatsApp", "graph_timeout_seconds") == {
        "type": "number",
        "exclusiveMinimum": 0,
        "maximum": 3600,
    }
    assert form("Conversation", "coalesce")["enum"] == ["queued", "none"]
    assert form("WhatsApp", "graph_api_version")["pattern"].startswith("^v")
    assert described["properties"]["notices"]["properties"]["help"]["default"] == SENTENCES["help"]
    assert set(described["properties"]["notices"]["properties"]) == set(SENTENCES)


@pytest.mark.parametrize("name", ["engine.anthropic", "engine.echo", "stage.time_limit"])
def test_settings_of_built_in_plugins_have_a_meaning(described: Node, name: str) -> None:
    node = described["$defs"][name]
    assert node["additionalProperties"] is False
    assert [key for key, said in node["properties"].items() if not said.get("description")] == []


def test_the_example_and_the_readme_are_right(validator: Draft202012Validator) -> None:
    example = (ROOT / "config.example.yaml").read_text("utf-8")
    assert example.startswith("# yaml-language-server: $schema=openparallax.schema.json\n")
    switched_on = re.sub(r"^( *)#(?=[a-z])", r"\1", example, flags=re.MULTILINE)
    smallest, *others = [text for text in of_the_readme("yaml") if not text.startswith("scenario:")]
    birds = re.compile(r"parrot|shout")
    for text in (example, switched_on, *(smallest + other for other in ["", *others])):
        if not birds.search(text):
            assert [error.message for error in validator.iter_errors(yaml.safe_load(text))] == []


@pytest.mark.parametrize(
    "text",
    [
        SMALLEST,
        with_line("verify_token: file:x"),
        with_line("app_secret_env: [A, B]"),
        with_line("app_secret: ['${A}', credential:b]"),
        with_line("webhook_port: ${PORT}"),
        with_line("allow_unsigned_webhooks: ${YES:-true}"),
        with_line("presence: ${PRESENCE}"),
        with_line("phone_number_id: ${ID}"),
        with_line("rate_limit: null"),
        with_line("tls: {certificate: a.pem, key: '${KEY}'}"),
        with_line("accounts: [{phone_number_id: '7', access_token_env: A, presence: read}]"),
        with_block("engine: {model: x}"),
        with_block("engine: {type: echo}"),
        with_block("engine: {type: '${ENGINE}'}"),
        with_block("engine: {headers: {X-One: '${A}'}, proxy: {host: a, password_env: P}}"),
        with_block("pipeline: []"),
        with_block("pipeline: [shout, {time_limit: {seconds: 3}}, {shout: null}, '${STAGE}']"),
        with_block("off_the_record: {engine: {type: echo}, pipeline: [shout]}"),
        with_block("off_the_record: {engine: null, pipeline: null}"),
        with_block("outbox: {messages_per_second: null, pair_burst: null}"),
        with_block("storage: {url: null, retention_days: 3}"),
        with_block("notices: {lost: Gone.}"),
    ],
)
def test_what_is_in_order_is_right(of_the_tests: Draft202012Validator, text: str) -> None:
    assert [error.message for error in of_the_tests.iter_errors(yaml.safe_load(text))] == []


@pytest.mark.parametrize(
    "text",
    [
        with_line("webhok_port: 1"),
        with_line("webhook_port: '9443'"),
        with_line("webhook_port: 70000"),
        with_line("phone_number_id: 12345"),
        with_line("verify_token: ''"),
        with_line("verify_token: a\nverify_token_env: B"),
        with_line("presence: tpying"),
        with_line("app_secret: []"),
        with_line("tls: {certificate: a.pem}"),
        with_line("accounts: [{phone_number_id: '7', webhook_port: 1}]"),
        with_line("accounts: [{}]"),
        with_block("engine: echo"),
        with_block("engine: {type: ecco}"),
        with_block("engine: {type: echo, model: x}"),
        with_block("engine: {proxy: {}}"),
        with_block("pipeline: time_limit"),
        with_block("pipeline: [nothing]"),
        with_block("pipeline: [{shout: {colour: red}}]"),
        with_block("off_the_record: {engine: {type: x}}"),
        with_block("notices: {lsot: x}"),
        with_block("colour: red"),
        "log: {}",
    ],
)
def test_what_is_wrong_is_wrong_to_an_editor_too(
    of_the_tests: Draft202012Validator, text: str
) -> None:
    assert not of_the_tests.is_valid(yaml.safe_load(text))


def test_most_ways_to_be_wrong_are_seen_by_an_editor(validator: Draft202012Validator) -> None:
    """The rest is what YAML itself, the environment or several keys together decide."""
    here = {
        "bird": "echo",
        "    name: Polly\n    keeps: false\n": "",
        '  - cage:\n      mark: "[]"\n': "",
    }

    def read(text: str) -> Any:
        for old, new in here.items():
            text = text.replace(old, new)
        try:
            return yaml.load(text, LOADER)  # noqa: S506 - a safe one, and quick
        except yaml.YAMLError:
            return None

    assert validator.is_valid(read(GOOD))
    read_at_all = [tree for way in WAYS[::3] if (tree := read(spoilt(way)[0])) is not None]
    seen = [tree for tree in read_at_all if not validator.is_valid(tree)]
    assert len(seen) > 0.7 * len(read_at_all)


def test_a_plugin_that_cannot_be_imported_does_not_stand_in_the_way() -> None:
    said = Draft202012Validator(schema(Broken(), {"a/b%": STAGES["shout"]}, {}))

    assert said.is_valid(yaml.safe_load(with_block("pipeline: [{a/b%: {mark: x}}]")))
    assert not said.is_valid(yaml.safe_load(with_block("pipeline: [{a/b%: {colour: x}}]")))
    assert said.is_valid(yaml.safe_load(with_block("engine: {type: broken, whatever: 1}")))
