"""``scripts/fuzz``: every target, or some, for a time each; then what was tried and found."""

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz import targets
from tests.fuzz.drive import SUMMARY, find_atheris

_LEEWAY_S = 900
"""For starting, the inputs to begin with, and making finds smaller, on a machine that is busy."""
_EDGES = re.compile(r"^#\d+\s.*\bcov: (\d+)", re.MULTILINE)
_RUNS = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
_CHATTER = re.compile(r"^(#\d+\s|INFO: |stat::|WARNING: no interesting|Done \d+ runs)")


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of one target: ``edges`` is None without a coverage-guided fuzzer."""

    name: str
    runs: int
    edges: int | None
    finds: list[str]
    is_broken: bool


def main() -> int:
    asked = _arguments()
    names = asked.only or list(targets.NAMES)
    if asked.replay:
        return _replay(names, asked.replay)
    is_guided = not asked.plain and find_atheris() is not None
    if not is_guided:
        print("without atheris: inputs come from Hypothesis, and no coverage guides them")
    print(f"seed {asked.seed}, {asked.seconds} s for each of {len(names)} targets", flush=True)
    tried = [_try(name, asked) for name in names]
    print(f"\n{'target':<14}{'runs':>10}{'edges':>8}{'finds':>7}")
    for one in tried:
        edges = "-" if one.edges is None else one.edges
        broken = "  (the run itself broke)" if one.is_broken else ""
        print(f"{one.name:<14}{one.runs:>10}{edges:>8}{len(one.finds):>7}{broken}")
    for one in tried:
        for file in one.finds:
            print(f"replay: scripts/fuzz --only {one.name} --replay {file}")
    return 1 if any(one.finds or one.is_broken for one in tried) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument("--only", action="append", choices=targets.NAMES, metavar="TARGET")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1, 2**31))
    parser.add_argument("--replay", type=Path, metavar="FILE", help="run it once, as it was found")
    parser.add_argument("--plain", action="store_true", help="under Hypothesis, also with atheris")
    parser.add_argument("--folder", type=Path, default=Path("build/fuzz"), help="what is kept")
    return parser.parse_args()


def _replay(names: list[str], file: Path) -> int:
    if len(names) != 1:
        print("scripts/fuzz: --replay wants --only TARGET", file=sys.stderr)
        return 2
    targets.load(names[0]).run(file.read_bytes())
    print("nothing was found: it passes now")
    return 0


def _try(name: str, asked: argparse.Namespace) -> Tried:
    command = [sys.executable, "-m", "tests.fuzz.drive", name]
    command += [f"--seconds={asked.seconds}", f"--seed={asked.seed}", f"--folder={asked.folder}"]
    command += ["--plain"] if asked.plain else []
    begun = time.time()
    # The fuzzer ends its process where nothing is tidied: so it leaves things in a folder of ours.
    with tempfile.TemporaryDirectory(prefix="openparallax-fuzz-") as scratch:
        try:
            done = subprocess.run(
                command,
                check=False,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=asked.seconds + _LEEWAY_S,
                env={**os.environ, "TMPDIR": scratch},
            )
            told, code = done.stdout + done.stderr, done.returncode
        except subprocess.TimeoutExpired as late:
            told, code = _as_text(late.stdout) + _as_text(late.stderr), 1
    finds = _new_files(asked.folder / "finds", name, begun)
    if finds or code:
        print("\n".join(line for line in told.splitlines() if not _CHATTER.match(line))[-6000:])
    edges = _EDGES.findall(told)
    runs = _RUNS.search(told)
    counted = int(runs[1]) if runs else _plain_runs(told)
    tried = Tried(name, counted, int(edges[-1]) if edges else None, finds, code != 0)
    print(f"{name}: {counted} runs, {len(finds)} finds", flush=True)
    return tried


def _plain_runs(told: str) -> int:
    for line in told.splitlines():
        if line.startswith(SUMMARY):
            return int(json.loads(line.removeprefix(SUMMARY))["runs"])
    return 0


def _new_files(folder: Path, name: str, begun: float) -> list[str]:
    found = folder.glob(f"{name}-*") if folder.is_dir() else ()
    return sorted(str(one) for one in found if one.stat().st_mtime >= begun - 1)


def _as_text(told: bytes | str | None) -> str:
    return told.decode(errors="replace") if isinstance(told, bytes) else told or ""


if __name__ == "__main__":
    sys.exit(main())
