"""The canary itself: it is nowhere by chance, and it is found wherever it is."""

import base64
import json
from pathlib import Path

import pytest

from tests.architecture.source import ROOT
from tests.canary import Canary, heard_singing
from tests.town import ANN, Town


def test_it_stands_in_no_source_file() -> None:
    canary = Canary()
    folders = [ROOT / "openparallax", ROOT / "tests", ROOT / "scripts"]
    files = [file for folder in folders for file in folder.rglob("*.py")]
    assert files
    assert not any(canary.found_in(file.read_bytes()) for file in files)


@pytest.mark.parametrize(
    "form",
    [
        str.encode,
        lambda words: words.encode("utf-16-le"),
        lambda words: words.encode("utf-16-be"),
        lambda words: words.encode("utf-16"),
        lambda words: json.dumps({"text": words}).encode(),
        lambda words: json.dumps(json.dumps(words)).encode(),
        lambda words: repr(words).encode(),
        lambda words: words.upper().encode(),
        lambda words: words.encode().hex().encode(),
        lambda words: base64.b64encode(words.encode()),
        lambda words: base64.b64encode(b"x" + words.encode()),
        lambda words: base64.b64encode(b"xy" + words.encode()),
    ],
)
def test_it_is_found_in_any_clothes(form: object) -> None:
    canary = Canary()
    assert callable(form)
    assert canary.found_in(b"noise" + form(canary.words) + b"noise")


async def test_on_the_record_it_is_found_on_disk(town: Town) -> None:
    """The control: a search that finds nothing anywhere would prove nothing."""
    canary = Canary()
    await town.say(ANN, canary.words)
    await town.hears(ANN, 1)
    assert {line.split(": ")[1] for line in heard_singing(town, canary)} >= {"core", "utf-8"}
    await town.restart()
    assert heard_singing(town, canary)


async def test_a_file_beside_the_database_is_searched(town: Town, tmp_path: Path) -> None:
    canary = Canary()
    (town.state / "heap").mkdir()
    (town.state / "heap" / "core.1234").write_bytes(b"\x7fELF" + canary.words.encode("utf-16-le"))
    assert "core.1234: utf-16-le" in heard_singing(town, canary)
    (town.state / "heap" / "core.1234").rename(town.state / f"{canary.core}.dump")
    assert any(line.startswith("the names") for line in heard_singing(town, canary))
