"""``alerts``: whether a person would be told of trouble."""

import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from openparallax.cli import control
from openparallax.cli.daemon import load_settings
from openparallax.cli.screen import (
    InOrder,
    colour,
    config_option,
    escaped,
    json_option,
    print_json,
    when,
    wrapped,
)
from openparallax.errors import Refusal

_RUN_S = 630.0
"""The longest that a command may take, and some seconds to end it."""
_SHUT_IN = (
    "It is shut in with the daemon: what is set-user-id or set-group-id (sendmail, sudo) gets no"
    " further rights, and a service of the machine writes to /var/lib/openparallax and its own /tmp"
    " only. README, Being told."
)


@click.group(cls=InOrder)
def alerts() -> None:
    r"""Tell a person when something is wrong: what is told, and whether it arrives.

    The program that tells them is alerts.alert_command in the configuration;
    "openparallax example alert.sh" prints one.
    """


@alerts.command("test")
@json_option
@config_option
def try_out(*, as_json: bool, config: Path | None) -> None:
    r"""Run the alert command now, with an alert that says that it is a test.

    The running daemon does it, as it would in earnest: as its user, in its environment. Where none
    runs, it is done here.

    Exit codes: 0 the command ended with 0; 1 it did not, or there is none.

    \b
        openparallax alerts test -c config.yaml
    """
    daemon = control.daemon_of(control.database_of(config))
    if daemon is None:
        ended = _here(config)
        where = "No daemon runs: run here, in this environment."
    else:
        ended = control.ask(daemon, "alerts_test", {}, answer_s=_RUN_S, may_repeat=False)
        where = "Run by the daemon."
    if as_json:
        print_json(dict(ended))
    else:
        for line in _told(ended, where):
            click.echo(line)
    sys.exit(0 if ended["ok"] else 1)


@alerts.command("list")
@json_option
@config_option
def show(*, as_json: bool, config: Path | None) -> None:
    """Say what would be told, what is wrong just now, and when it was told.

    Asks the running daemon, and sends nothing.

    Exit codes: 0 done, also where something is wrong; 69 no daemon runs.
    """
    daemon = control.running_daemon(control.database_of(config))
    found = control.ask(daemon, "alerts", {})
    if as_json:
        print_json(found)
        return
    if not found["is_configured"]:
        click.echo("alerts.alert_command is not set: nobody is told.")
    for one in found["kinds"]:
        for line in _lines(one):
            click.echo(line)


def _here(config: Path | None) -> Mapping[str, Any]:
    import asyncio  # noqa: PLC0415 - --help need not wait for it

    from openparallax.app.alerting import shown  # noqa: PLC0415 - the same
    from openparallax.watching import alert  # noqa: PLC0415 - the same
    from openparallax.watching.command import run  # noqa: PLC0415 - the same

    settings = load_settings(config).alerts
    if not settings.command:
        raise Refusal("alerts.alert_command is not set in the configuration")
    made = alert.test(time.time())
    ended = run(settings.command, made, timeout_s=settings.timeout_seconds, environment=os.environ)
    return shown(asyncio.run(ended))


def _told(ended: Mapping[str, Any], where: str) -> Iterator[str]:
    took = f"{ended['seconds']:.1f} s"
    if ended["ok"]:
        yield f"{colour('The alert command ended well', 'green')} after {took}. {where}"
        yield "See whether the test has arrived."
    else:
        yield f"{colour('The alert command failed', 'red')}: {escaped(ended['reason'])}, {took}."
        yield where
    if ended["output"].strip():
        yield f"It wrote {ended['bytes']} bytes; the last of them:"
        for line in ended["output"].strip().splitlines():
            yield f"  {escaped(line)}"
    if not ended["ok"] and ended.get("shut_in"):
        yield from wrapped(_SHUT_IN)


def _lines(one: Mapping[str, Any]) -> Iterator[str]:
    shade = {"wrong": "red", "well": "green"}.get(one["state"], "yellow")
    told = f", told {when(one['told_at'])}" if one["told_at"] else ""
    since = f" since {when(one['since'])}" if one["since"] else ""
    yield f"{one['kind']:<15} {colour(one['state'], shade)}{since}{told}"
    for line in one["says"].splitlines():
        yield f"  {escaped(line)}"
