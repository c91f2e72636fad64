"""Every way to misspell or mistype a configuration, through the real command."""

import re
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from openparallax.app import plugins
from openparallax.cli import main
from tests.config.ways import ENVIRONMENT, GOOD, Way, spoilt
from tests.config.ways_blocks import BLOCK_WAYS
from tests.config.ways_number import NUMBER_WAYS
from tests.config.ways_secrets import SECRET_WAYS
from tests.config.ways_yaml import YAML_WAYS

WAYS = [*NUMBER_WAYS, *SECRET_WAYS, *BLOCK_WAYS, *YAML_WAYS]
LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
PLANTED = ("planted", "sesame", "traceback", "internal error")
GROUPS = {
    "openparallax.engines": ("bird", "tests.plugins.aviary:Bird"),
    "openparallax.stages": ("cage", "tests.plugins.aviary:Cage"),
}
POINTS = {  # once, since looking for them takes a while
    group: [
        *(point for point in entry_points(group=group) if point.value.startswith("openparallax.")),
        EntryPoint(*other, group),
    ]
    for group, other in GROUPS.items()
}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the configuration stands; known variables, and one plugin of each kind from outside.

    Once for all, since it takes longer than a row.
    """
    folder = tmp_path_factory.mktemp("ways")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("OPENPARALLAX_CONFIG", "CREDENTIALS_DIRECTORY", "NOPE", "WHATSAPP_TOKEN"):
            patch.delenv(name, raising=False)
        for name, value in {**ENVIRONMENT, "HOME": str(folder)}.items():
            patch.setenv(name, value)
        patch.setattr(plugins, "entry_points", lambda *, group: POINTS[group])
        yield folder / "c.yaml"


def _check(file: Path, text: str) -> tuple[int, str]:
    file.write_text(text, "utf-8")
    result = CliRunner().invoke(main, ["check", "-c", str(file)])
    return result.exit_code, result.output


def _values(text: str) -> set[str]:
    """The values of a file, as they stand there; nothing where it cannot be read."""

    def leaves(tree: Any) -> Iterator[str]:
        if isinstance(tree, str):
            yield tree
            return
        for inner in tree.values() if isinstance(tree, dict) else tree:
            yield from leaves(inner)

    try:
        return set(leaves(yaml.load(text, LOADER)))  # noqa: S506 - it makes text only
    except (yaml.YAMLError, TypeError):
        return set()


GOOD_VALUES = _values(GOOD)


def test_the_good_file_is_good(file: Path) -> None:
    assert _check(file, GOOD) == (0, f"{file} is in order\n")


def test_there_are_enough_ways_and_all_differ() -> None:
    assert len(WAYS) >= 230
    assert len({spoilt(way)[0] for way in WAYS}) == len(WAYS)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.new.strip().replace("\n", "|"))
def test_a_way_to_be_wrong_is_told(file: Path, way: Way) -> None:
    text, line = spoilt(way)

    code, output = _check(file, text)

    assert code == 78
    told = output.splitlines()
    assert [one for one in told if not re.match(rf"{re.escape(str(file))}:\d+: ", one)] == []
    key = f"{way.key}: " if way.key else ""
    assert [one for one in told if one.startswith(f"{file}:{line}: {key}") and way.gist in one], (
        output
    )
    assert [word for word in PLANTED if word in output.replace(str(file), "").lower()] == []
    wrong = {value for value in _values(text) - GOOD_VALUES if len(value) > 3}
    named = {value for value in wrong if value in way.gist or value in way.key}
    said = output.replace(str(file), "").replace(way.gist, "")
    assert [value for value in wrong - named if value in said] == []
