"""``doctor``: is all there that the bot needs?"""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from openparallax.cli.daemon import load_settings
from openparallax.cli.screen import (
    account_option,
    bold,
    colour,
    config_option,
    json_option,
    print_json,
)
from openparallax.errors import ConfigError

if TYPE_CHECKING:
    from openparallax.doctor.finding import Report

_WRONG = 78
_WIDEST = 100


@click.command()
@config_option
@json_option
@account_option
@click.option("--fix", is_flag=True, help="Mend what is safe to mend, and look again.")
@click.option("--offline", is_flag=True, help="Ask nobody beyond this machine.")
def doctor(
    *, config: Path | None, as_json: bool, account: str | None, fix: bool, offline: bool
) -> None:
    r"""Examine everything that the bot needs.

    The access token and the app secret, the number, its WhatsApp account and webhook at Meta; the
    public address from outside in; this machine; the engine. Each finding says what is wrong, why
    it matters and what to do. It changes nothing, unless --fix is given: that subscribes the app to
    the account, puts the chat commands into the number's menu, and sets the app's webhook where it
    has none, says so, and looks again.

    No token, no secret and no telephone number is shown whole, so that the output may be shown to
    others.

    Exit codes: 0 nothing failed, perhaps with warnings; 1 something did; 78 the configuration is
    wrong.

    \b
        openparallax doctor
        openparallax doctor --fix
        openparallax doctor --json | jq '.findings[] | select(.level=="failure")'
    """
    from openparallax.app.doctor import examine  # noqa: PLC0415 - not for --help
    from openparallax.config import search  # noqa: PLC0415 - the same
    from openparallax.doctor.configuration import wrong  # noqa: PLC0415 - the same
    from openparallax.service.variables import as_the_service  # noqa: PLC0415 - the same

    environment: Mapping[str, str] = os.environ
    try:
        environment = as_the_service(config or search(os.environ), os.environ)
        settings = load_settings(config, environment=environment)
    except ConfigError as error:
        _tell(wrong(error.problems), config, as_json=as_json)
        sys.exit(_WRONG)
    report = examine(
        settings, environment, account=account or "", is_offline=offline, mends=fix and not offline
    )
    _tell(report, config, as_json=as_json)
    sys.exit(1 if report.has_failed else 0)


def _tell(report: "Report", config: Path | None, *, as_json: bool) -> None:
    if config is not None:
        report = report.naming(str(config))
    if as_json:
        print_json(report.as_data())
        return
    from openparallax.doctor.telling import lines  # noqa: PLC0415 - not for --help

    width = min(shutil.get_terminal_size().columns, _WIDEST)
    for line in lines(report, _paint, width=width):
        click.echo(line)


def _paint(text: str, name: str) -> str:
    return bold(text) if name == "bold" else colour(text, name)
