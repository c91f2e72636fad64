"""``python -m tests.torture``: torture the daemon, and say what came of it."""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

import click

from tests.torture.nursery import Nursery
from tests.torture.programme import Programme
from tests.torture.running import Report, make_smaller, play, run


@click.command()
@click.option("--minutes", default=1.0, show_default=True, help="For how long.")
@click.option("--seed", type=int, help="Of all programmes; otherwise taken from the clock.")
@click.option(
    "--programme",
    "file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Play this one instead, which a run has written down.",
)
@click.option("--smaller", is_flag=True, help="With --programme: make it smaller if it fails.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="Leave here the folders of what failed, and the smaller programme.",
)
def main(
    minutes: float, seed: int | None, file: Path | None, keep: Path | None, *, smaller: bool
) -> None:
    """Play random programmes of everything that can go wrong, and judge what became of them.

    Exits with 1 if a promise was broken, with the seed and a smaller programme that breaks it.
    """
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
    if file is not None:
        try:
            programme = Programme.from_json(file.read_text("utf-8"))
        except ValueError as error:
            raise click.UsageError(str(error)) from error
        sys.exit(asyncio.run(_replay(programme, keep, smaller=smaller)))
    seed = time.time_ns() % 1_000_000 if seed is None else seed
    click.echo(f"seed {seed}, {minutes:g} minutes")
    began = time.monotonic()
    report = asyncio.run(_run(seed, minutes * 60, keep))
    click.echo(f"{'seconds':<62}{time.monotonic() - began:>8.0f}")
    _tell(report)
    if report.failed is None:
        click.echo("nothing wrong")
        return
    place = (keep or Path(tempfile.gettempdir())) / f"torture-{report.failed.seed}.json"
    place.write_text(report.failed.to_json(), "utf-8")
    click.echo(f"seed {seed}; what is left of the programme fails too, most times:")
    click.echo(report.failed.to_json())
    click.echo(f"scripts/torture --programme {place}")
    sys.exit(1)


async def _run(seed: int, seconds: float, keep: Path | None) -> Report:
    async with Nursery() as nursery:
        return await run(seed, seconds, click.echo, nursery, keep=keep)


def _tell(report: Report) -> None:
    for name, figure in report.figures.items():
        click.echo(f"{name:<62}{figure:>8}")
    click.echo(f"{'points of its life':<50}{'passed':>12}{'died':>8}")
    for name, (passed, died) in report.points.items():
        click.echo(f"  {name:<48}{passed:>12}{died:>8}")
    if report.unhit:
        click.echo(f"never died at {len(report.unhit)}: {', '.join(report.unhit)}")


async def _replay(programme: Programme, keep: Path | None, *, smaller: bool) -> int:
    async with Nursery() as nursery:
        _, verdict = await play(programme, nursery, keep)
        for finding in verdict.findings:
            click.echo(finding)
        if not verdict.findings:
            click.echo("nothing wrong")
            return 0
        if smaller:
            small = await make_smaller(programme, verdict, nursery, click.echo)
            click.echo(small.to_json())
    return 1


if __name__ == "__main__":
    main(prog_name="scripts/torture")
