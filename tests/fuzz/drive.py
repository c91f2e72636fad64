"""One target in a process of its own: under atheris, or without it under Hypothesis."""

import argparse
import importlib
import json
import random
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.fuzz.finds import Finds
    from tests.fuzz.target import Target

SUMMARY = "fuzz-summary "
_TIMEOUT_S = 120
_MEMORY_MB = 2048


def find_atheris() -> Any:
    """The coverage-guided fuzzer, or None: it is not to be had for every Python."""
    try:
        return importlib.import_module("atheris")
    except ImportError:
        return None


def main() -> None:
    asked = _arguments()
    atheris = None if asked.plain else find_atheris()
    watched = atheris.instrument_imports(include=["openparallax"]) if atheris else nullcontext()
    with watched:
        from tests.fuzz import targets  # noqa: PLC0415 - what is imported before is not watched
        from tests.fuzz.finds import Finds  # noqa: PLC0415

        target = targets.load(asked.target)
    finds = Finds(target, asked.folder / "finds")
    if atheris is not None:
        _guided(atheris, target, finds, asked)
    else:
        _unguided(target, finds, asked)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("target")
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--plain", action="store_true")
    return parser.parse_args()


def _guided(atheris: Any, target: "Target", finds: "Finds", asked: argparse.Namespace) -> None:
    corpus = asked.folder / "corpus" / target.name
    corpus.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        for number, seed in enumerate(target.seeds()):
            Path(made, f"{number:04}").write_bytes(seed)
        words = Path(made).with_suffix(".dict")
        words.write_text("".join(f"{_quoted(word)}\n" for word in target.words))
        options = [
            sys.argv[0],
            f"-max_total_time={asked.seconds}",
            f"-seed={asked.seed}",
            f"-max_len={target.longest}",
            f"-timeout={_TIMEOUT_S}",
            f"-rss_limit_mb={_MEMORY_MB}",
            f"-artifact_prefix={finds.prefix}",
            *([f"-dict={words}"] if target.words else []),
            "-print_final_stats=1",
            "-report_slow_units=100000",
            "-verbosity=1",
            str(corpus),
            made,
        ]
        more = {"custom_mutator": _mutator(atheris, target)} if target.mutate else {}
        atheris.Setup(options, finds.attempt, **more)
        try:
            atheris.Fuzz()  # ends the process
        finally:
            words.unlink()


def _mutator(atheris: Any, target: "Target") -> Any:
    """One change in three is blind, since the shape itself may be what breaks."""

    def mutate(data: bytes, longest: int, seed: int) -> bytes:
        if seed % 3 == 0 or target.mutate is None:
            changed: bytes = atheris.Mutate(data, longest)
            return changed
        return target.mutate(data, seed)[:longest]

    return mutate


def _quoted(word: str) -> str:
    return '"' + "".join(f"\\x{byte:02x}" for byte in word.encode("utf-8", "replace")) + '"'


def _unguided(target: "Target", finds: "Finds", asked: argparse.Namespace) -> None:
    from hypothesis import HealthCheck, Phase, given, seed, settings  # noqa: PLC0415

    from tests.fuzz.examples import inputs  # noqa: PLC0415

    until = time.monotonic() + asked.seconds
    dice = random.Random(asked.seed)  # noqa: S311 - repeatable
    runs = 0

    def attempt(data: bytes) -> None:
        nonlocal runs
        if time.monotonic() < until:
            runs += 1
            finds.attempt(data)

    for data in target.seeds():
        attempt(data)
    while time.monotonic() < until:
        seed(dice.randrange(2**32))(
            settings(
                max_examples=200,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )(given(inputs(target))(attempt))
        )()
    print(SUMMARY + json.dumps({"runs": runs}), flush=True)


if __name__ == "__main__":
    main()
