"""What is said to the emulator's Graph, and what it plays: refused in Meta's words, or taken."""

import atexit
import json
import random
import shutil
import tempfile
from functools import cache
from pathlib import Path

from openparallax.emulator import Emulator
from openparallax.emulator.graph.bodies import parse_message, parse_read
from openparallax.emulator.graph.errors import GraphError
from openparallax.emulator.graph.reading import parse_object
from openparallax.emulator.scenario import load
from openparallax.errors import ConfigError
from openparallax.session.notices import SENTENCES
from tests.emulator.graph.test_bad_input import BROKEN, SEEDS
from tests.fuzz.json_mutation import mutate_json
from tests.fuzz.target import Target

_SCENARIOS = Path(__file__).parents[1] / "scenarios"


def try_bodies(data: bytes) -> None:
    """A body of a send or of a read mark; anything else than Meta's refusal would be a 500."""
    emulator = _emulator()
    number = emulator.world.our_number()
    for kind in ("application/json", "application/x-www-form-urlencoded"):
        try:
            said = parse_object(data, kind)
        except GraphError as refusal:
            _assert_refusal(refusal)
            continue
        for read in (lambda one: parse_message(one, emulator.world, number), parse_read):
            try:
                read(said)
            except GraphError as refusal:
                _assert_refusal(refusal)


def _assert_refusal(refusal: GraphError) -> None:
    assert 400 <= refusal.http_status < 500
    json.dumps(refusal.as_answer())


@cache
def _emulator() -> Emulator:
    return Emulator()


def try_scenarios(data: bytes) -> None:
    """A file of a scenario: what is wrong with it is said, or it can be played."""
    file = _folder() / "s.yaml"
    file.write_bytes(data)
    try:
        load(file, sentences=SENTENCES)
    except ConfigError as error:
        assert error.problems
        assert all(one.startswith(str(file)) for one in error.problems)


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="openparallax-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _mutate_lines(data: bytes, seed: int) -> bytes:
    dice = random.Random(seed)  # noqa: S311 - repeatable
    lines = data.split(b"\n")
    for _ in range(dice.randint(1, 3)):
        at, other = dice.randrange(len(lines)), dice.randrange(len(lines))
        match dice.randrange(5):
            case 0:
                lines.insert(at, lines[other])
            case 1 if len(lines) > 1:
                del lines[at]
            case 2:
                lines[at] = lines[at].partition(b":")[0] + b":" + lines[other].partition(b":")[2]
            case 3:
                lines[at] = b" " * dice.randrange(6) + lines[at].lstrip()
            case _:
                odd = dice.choice(
                    [b"[]", b"{}", b"-1h", b"99999999d", b"null", b"1e9", b"[[x]]", b"{a: b}"]
                )
                lines[at] = lines[at].partition(b":")[0] + b": " + odd
    return b"\n".join(lines)


_KEYS = [
    *("scenario", "people", "account", "rules", "ladder", "engine", "steps", "within", "leftovers"),
    *(
        "ann",
        "sends",
        "taps",
        "hears",
        "sees",
        "clock",
        "fault",
        "token",
        "repeat",
        "times",
        "batch",
    ),
    *("at once", "daemon", "on disk", "nowhere on disk", "post webhook", "graph got", "matches"),
]
BODIES = Target(
    "bodies",
    try_bodies,
    lambda: [*(json.dumps(one).encode() for one in SEEDS), *(b for b in BROKEN if len(b) < 20_000)],
    ["messaging_product", "whatsapp", "recipient_type", "interactive", "template", "components"],
    mutate_json,
    8192,
)
SCENARIOS = Target(
    "scenarios",
    try_scenarios,
    lambda: [
        *(file.read_bytes() for file in sorted(_SCENARIOS.glob("*.yaml"))),
        b"- " * 4000,  # deeper than Python's own stack
    ],
    _KEYS,
    _mutate_lines,
    8192,
)
