"""No value of the file or of the environment is ever in a message."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from openparallax.config.models import File
from tests.config.files import ENVIRONMENT, ModelSettings, load, problems
from tests.config.test_load import EVERYTHING

DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
CANARY = "zq7Canary"
CANARIES: list[Any] = [
    CANARY,
    f"{CANARY} and more",
    f"!{CANARY}",
    f"file:{CANARY}",
    f"credential:{CANARY}",
    "${" + CANARY + "-}",
    "${NOPE:-" + CANARY + "}",
    f"https://{CANARY}:{CANARY}@{CANARY}/?{CANARY}",
    f"sqlite://{CANARY}",
    [CANARY, [CANARY]],
    {"key": CANARY},
    70707070707,
    -7.0707070707,
]
MARKS = (CANARY.lower(), "707070")


def _ways(tree: Any, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if way:
        yield way
    items = (
        tree.items()
        if isinstance(tree, dict)
        else enumerate(tree)
        if isinstance(tree, list)
        else ()
    )
    for key, inner in items:
        yield from _ways(inner, (*way, key))


def _replaced(tree: Any, way: tuple[str | int, ...], value: Any) -> Any:
    if not way:
        return value
    copy: Any = dict(tree) if isinstance(tree, dict) else list(tree)
    copy[way[0]] = _replaced(copy[way[0]], way[1:], value)
    return copy


def _complete() -> dict[str, Any]:
    """The full file, with every secret in both its forms and every optional setting."""
    tree: dict[str, Any] = yaml.safe_load(EVERYTHING)
    whatsapp = tree["channels"]["whatsapp"]
    whatsapp["allowed_numbers"] = ["+1 555 000 1111"]
    whatsapp["access_token"] = "x"
    whatsapp["app_secret"] = ["x", "y"]
    whatsapp["verify_token_env"] = "x"
    tree["engine"] |= {"api_key": "x", "proxy": {"host": "x", "password": "y"}}
    tree["off_the_record"] |= {"engine": {"type": "anthropic", "model": "x"}, "pipeline": ["shout"]}
    tree["notices"] = {"lost": "x"}
    tree["alerts"] |= {"alert_command": ["x", "y"]}
    tree["pipeline"].append({"shout": {"mark": "x", "word": "y"}})
    return tree


TREE = _complete()
WAYS = list(_ways(TREE))


def _together() -> list[list[tuple[str | int, ...]]]:
    """Every way: values several at a time, which is quicker; alone what would hide others.

    That is a block or a list, and the name of an engine, whose settings are not looked at if it is
    wrong.
    """
    alone = [way for way in WAYS if way[-1] == "type" or list(_ways(_at(way)))]
    values = [way for way in WAYS if way not in alone]
    return [*([way] for way in alone), *(values[start::8] for start in range(8))]


def _at(way: tuple[str | int, ...]) -> Any:
    tree: Any = TREE
    for step in way:
        tree = tree[step]
    return tree


def _told(folder: Path, text: str) -> list[str]:
    found = problems(folder, text)
    return found or list(load(folder, text).warnings)


def test_the_tree_has_every_setting() -> None:
    def fields(model: type[BaseModel], way: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for name, field in model.model_fields.items():
            yield (*way, name)
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                yield from fields(field.annotation, (*way, name))

    assert set(fields(File, ())) <= set(WAYS)


@pytest.fixture
def quick_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is well-formed is read in C where that is to be had: the same nodes, in a tenth."""
    monkeypatch.setattr(yaml, "SafeLoader", getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@pytest.mark.usefixtures("quick_reading")
@pytest.mark.parametrize("ways", _together(), ids=lambda ways: ".".join(map(str, ways[0])))
def test_no_value_is_ever_in_a_message(tmp_path: Path, ways: list[tuple[str | int, ...]]) -> None:
    for turn in range(len(CANARIES)):
        tree = TREE
        for place, way in enumerate(ways, start=turn):
            tree = _replaced(tree, way, CANARIES[place % len(CANARIES)])
        text = yaml.dump(tree, Dumper=DUMPER, sort_keys=False)
        for quoted in {text, text.replace(f"'!{CANARY}'", f"!{CANARY}")}:
            for told in _told(tmp_path, quoted):
                assert not [mark for mark in MARKS if mark in told.lower()], told


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    ways=st.lists(st.sampled_from(WAYS), min_size=1, max_size=4, unique=True),
    canaries=st.lists(st.sampled_from(CANARIES), min_size=4, max_size=4),
    cut=st.integers(0, 2000),
    noise=st.sampled_from(["", "\t", ":", "'", '"', "{", "]", "&", "*", "@", "\n", ": ", "\x00"]),
)
def test_no_value_is_in_a_message_about_a_mangled_file(
    tmp_path: Path,
    ways: list[tuple[str | int, ...]],
    canaries: list[Any],
    cut: int,
    noise: str,
) -> None:
    tree = TREE
    for way, canary in zip(ways, canaries, strict=False):
        try:
            tree = _replaced(tree, way, canary)
        except (KeyError, IndexError, TypeError):
            continue  # an ancestor was replaced before
    text = yaml.dump(tree, Dumper=DUMPER, sort_keys=False)
    for told in _told(tmp_path, text[:cut] + noise + text[cut:]):
        assert not [mark for mark in MARKS if mark in told.lower()], told


def test_values_of_the_environment_are_not_in_messages(tmp_path: Path) -> None:
    environment = dict.fromkeys(ENVIRONMENT, f"{CANARY} {CANARY}")
    found = problems(tmp_path, yaml.safe_dump(TREE), environment)

    assert found
    assert CANARY not in "\n".join(found)


def test_a_plugin_that_quotes_is_not_quoted(tmp_path: Path) -> None:
    class Talkative(ModelSettings):
        def model_post_init(self, context: Any, /) -> None:
            raise ValueError(f"the key {self.api_key.get_secret_value().upper()} is wrong")

    class Bursting(ModelSettings):
        def model_post_init(self, context: Any, /) -> None:
            raise RuntimeError(self.api_key.get_secret_value())

    for model, said in ((Talkative, "is not accepted"), (Bursting, "could not be checked: the pl")):
        [problem] = problems(tmp_path, yaml.safe_dump(_settled()), engines={"anthropic": model})
        assert f"engine: {said}" in problem
        assert "key-of-the" not in problem.lower()


def _settled() -> dict[str, Any]:
    tree: dict[str, Any] = yaml.safe_load(EVERYTHING)
    return tree


def test_a_secret_whose_colon_lost_its_space_is_not_printed(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, EVERYTHING.replace("presence:", f"app_secret:{CANARY}:"))

    assert "holds a key that is not a setting (is a space missing after a colon?)" in problem
    assert CANARY not in problem


def test_secrets_are_secret_in_the_settings(tmp_path: Path) -> None:
    whatsapp = load(tmp_path, EVERYTHING).whatsapp

    for secret in (whatsapp.access_token, whatsapp.verify_token, *whatsapp.app_secret):
        assert isinstance(secret, SecretStr)
