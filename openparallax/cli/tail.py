"""``tail``: the way of each message, as it goes."""

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from openparallax.cli import control
from openparallax.cli.screen import account_option, config_option
from openparallax.cli.steps import clock, facts, painted
from openparallax.cli.ways import Ways
from openparallax.errors import Refusal

AGAIN_S = 1.0
SILENCE_S = 30.0
"""The daemon gives a sign of life every five seconds."""


@click.command()
@click.option(
    "-n",
    "--lines",
    "latest",
    type=click.IntRange(0, 20_000),
    default=10,
    show_default=True,
    metavar="N",
    help="Begin with the latest N steps.",
)
@click.option(
    "--follow/--no-follow", default=True, help="Go on with those to come (that is the default)."
)
@click.option("--messages", is_flag=True, help="A line for each message, once it is over.")
@click.option("--retry", is_flag=True, help="Where the daemon goes away, wait for the next one.")
@click.option("--who", metavar="WHO", help="Only of a number, in any spelling, or a user id.")
@click.option("--chat", type=click.IntRange(1), metavar="N", help="Only of one chat.")
@account_option
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each step.")
@config_option
def tail(
    *,
    latest: int,
    follow: bool,
    messages: bool,
    retry: bool,
    who: str | None,
    chat: int | None,
    account: str | None,
    as_json: bool,
    config: Path | None,
) -> None:
    r"""Follow the way of each message, a line a step.

    What came and what was decided at the door, when the engine was asked and answered, what was
    sent and what Meta said of it. Never what anybody wrote; contacts are shortened as in the log.
    The steps are kept in memory, about the last 20,000, and go with the daemon.

    Ends with Ctrl-C. For what became of one person's messages, and why, see openparallax why.

    Exit codes: 0 with --no-follow; 1 there is no such chat; 69 the daemon does not run, or went
    away; 130 interrupted.

    \b
        openparallax tail
        openparallax tail --messages --who "+49 151 12345678"
        openparallax tail -n 1000 --no-follow --json | grep failed
    """
    if who is not None and chat is not None:
        raise click.UsageError("name either --who or --chat.")
    if messages and as_json:
        raise click.UsageError("--messages and --json do not go together.")
    asked = {"latest": latest, "follow": follow, "account": account, "who": who, "chat": chat}
    tell = _Json() if as_json else Ways() if messages else _Steps()
    while True:
        try:
            if not _told(control.running_daemon(control.database_of(config)), asked, tell):
                return
            gone = Refusal("the daemon is stopping.", exit_code=control.UNAVAILABLE)
        except Refusal as refusal:
            if refusal.exit_code != control.UNAVAILABLE:
                raise
            gone = refusal
        finally:
            for line in tell.rest():
                click.echo(line)
        if not retry:
            raise gone
        if asked["latest"]:
            click.echo(f"openparallax: {gone} Waiting for it.", err=True)
        asked["latest"] = 0
        time.sleep(AGAIN_S)


def _told(daemon: Path, asked: Mapping[str, Any], tell: "_Steps | _Json | Ways") -> bool:
    """Print what comes; whether it ended because the daemon stops."""
    for raw in control.lines(daemon, "tail", asked, silence_s=SILENCE_S):
        if not raw.strip():
            continue
        try:
            found = json.loads(raw)
        except ValueError:
            continue
        if "end" in found:
            return True
        for line in tell.lines(found):
            click.echo(line)
    return False


class _Json:
    """As it came."""

    def lines(self, found: Mapping[str, Any]) -> Iterator[str]:
        yield json.dumps(found)

    def rest(self) -> Iterator[str]:
        yield from ()


class _Steps:
    """A line for each step; a day where it changes."""

    def __init__(self) -> None:
        self._day = time.strftime("%Y-%m-%d")

    def lines(self, found: Mapping[str, Any]) -> Iterator[str]:
        if "left_out" in found:
            yield f"... {found['left_out']} steps left out: this terminal is slower than they are"
            return
        day, _, at = clock(found["at"], day=True).partition(" ")
        if day != self._day:
            self._day = day
            yield f"--- {day}"
        about = " ".join(
            f"{key}={found[key]}" for key in ("chat", "turn", "parcel") if found.get(key)
        )
        who = found.get("contact") or found.get("account", "")
        told = f"{at} {who:<6} {painted(found['step'], 14)} {facts(found)}".rstrip()
        yield f"{told}  {about}" if about else told

    def rest(self) -> Iterator[str]:
        yield from ()
