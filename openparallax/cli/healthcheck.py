"""``healthcheck``: for whoever restarts what does not answer, such as a container's engine."""

import os
import sys
from pathlib import Path

import click

from openparallax.cli import control
from openparallax.cli.screen import config_option, escaped
from openparallax.errors import Refusal

_PATIENCE_S = 10.0


@click.command()
@click.option("--ready", is_flag=True, help="It must be ready too: what /readyz says.")
@config_option
def healthcheck(*, ready: bool, config: Path | None) -> None:
    """Say whether the daemon answers; for probes.

    It is asked over its socket, so no port need be open. A daemon that answers is not to be
    restarted, even where it is not ready: a token that Meta refuses is not mended by that. --ready
    is for whoever only sends traffic elsewhere.

    Exit codes: 0 it answers (and is ready); 1 it does not.
    """
    try:
        daemon = control.running_daemon(control.database_of(config))
        found = control.ask(daemon, "status", {}, answer_s=_PATIENCE_S)
    except Refusal as refusal:
        raise Refusal(str(refusal)) from None  # a probe knows 0 and 1
    if found["ready"]:
        click.echo("alive and ready")
        return
    click.echo("alive, not ready: " + escaped("; ".join(found["reasons"])))
    sys.exit(1 if ready else os.EX_OK)
