"""``python -m tests.flow.kill``: run the loop and say what came of it."""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

import click

from tests.flow.kill.daemon import LoopError
from tests.flow.kill.killer import Plan
from tests.flow.kill.loop import Outcome, run

MOST_PROBLEMS = 50


@click.command()
@click.option("--kills", default=100, show_default=True, help="How often the daemon is killed.")
@click.option("--seed", type=int, help="Of all dice; otherwise taken from the clock and printed.")
@click.option("--people", default=30, show_default=True, help="How many people write.")
@click.option("--pause", default=0.5, show_default=True, help="Seconds between a poster's posts.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep database, log and configuration in this new folder.",
)
def main(kills: int, seed: int | None, people: int, pause: float, keep: Path | None) -> None:
    """Kill the daemon under load, again and again, and judge what became of each message.

    Exits with 1 if anything was lost, out of order, doubled against the rules or written down.
    """
    plan = Plan(
        seed=time.time_ns() % 1_000_000 if seed is None else seed,
        kills=kills,
        people=people,
        pause_s=pause,
    )
    click.echo(f"seed {plan.seed}, {kills} kills")
    with tempfile.TemporaryDirectory(prefix="openparallax-kills-") as temporary:
        folder = keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=keep is None)
        try:
            outcome = asyncio.run(run(plan, folder, click.echo))
        except LoopError as error:
            click.echo(error, err=True)
            sys.exit(1)
    _tell(outcome)
    sys.exit(1 if outcome.problems else 0)


def _tell(outcome: Outcome) -> None:
    for name, figure in outcome.figures.items():
        click.echo(f"{name:<62}{figure:>8}")
    for problem in outcome.problems[:MOST_PROBLEMS]:
        click.echo(f"WRONG  {problem}")
    if len(outcome.problems) > MOST_PROBLEMS:
        click.echo(f"... and {len(outcome.problems) - MOST_PROBLEMS} more")
    click.echo("nothing wrong" if not outcome.problems else f"{len(outcome.problems)} wrong")


if __name__ == "__main__":
    main(prog_name="scripts/kill-loop")
