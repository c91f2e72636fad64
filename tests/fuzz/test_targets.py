"""Every target with a few of its inputs; ``scripts/fuzz`` tries many."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, given, settings

from tests.fuzz import targets
from tests.fuzz.examples import inputs
from tests.fuzz.finds import Finds
from tests.fuzz.json_mutation import mutate_json, mutate_lines
from tests.fuzz.target import Target

_FEW = {
    "growth": 1,
    "payload": 15,
    "bodies": 15,
    "arguments": 12,
    "door": 12,
    "neighbours": 12,
    "configuration": 6,
    "controls": 12,
    "socket": 8,
}
_FEW |= {"graph_client": 8, "scenarios": 6, "markdown": 12, "split": 12, "gate": 12}
_SOME = 30


@pytest.fixture(autouse=True)
def _log_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize("name", targets.NAMES)
def test_a_few_of(name: str) -> None:
    target = targets.load(name)
    examples = settings(
        max_examples=_FEW.get(name, _SOME),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    try:
        examples(given(inputs(target))(target.run))()
    finally:
        target.close()


@pytest.mark.parametrize("name", targets.NAMES)
def test_there_is_something_to_begin_with(name: str) -> None:
    target = targets.load(name)
    seeds = target.seeds()
    assert len(set(seeds)) > 5
    assert sum(len(seed) <= target.longest for seed in seeds) > 5
    if target.mutate is not None:
        changed = [target.mutate(seed, number) for number, seed in enumerate(seeds[:40])]
        assert changed != list(seeds[:40])
        assert changed == [target.mutate(seed, number) for number, seed in enumerate(seeds[:40])]


def _breaks(data: bytes) -> None:
    if b"b" in data:
        raise ValueError(data)
    assert b"a" not in data


def test_a_find_is_kept_once_and_as_small_as_it_gets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    finds = Finds(Target("breaks", _breaks), tmp_path / "finds")
    for data in (b"fine", b"some a here", b"another a there", b"a and b", b"more of b"):
        finds.attempt(data)
    assert [file.read_bytes() for file in finds.files] == [b"a", b"b"]
    told = capsys.readouterr().out
    assert told.count("FIND breaks") == 2
    for file in finds.files:
        assert f"scripts/fuzz --only breaks --replay {file}" in told


def test_what_is_no_json_is_left_to_blind_changes() -> None:
    assert mutate_json(b"\xff{", 1) == b"\xff{"
    assert mutate_json(b"7", 1) == b"7"
    assert mutate_json(b"[" * 90_000, 1) == b"[" * 90_000
    lines = {mutate_lines(b'{"a":1}\n[2]', seed).count(b"\n") for seed in range(40)}
    assert lines == {0, 1, 2}
