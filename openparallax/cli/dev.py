"""``dev``: WhatsApp on this machine, with a phone in the browser."""

import sys
from pathlib import Path
from typing import Any

import click

_PORT = click.IntRange(1, 65535)


@click.command()
@click.option("--engine", metavar="NAME", help="Who answers: any engine that is installed.")
@click.option(
    "-c",
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Run this configuration of yours, but for Graph's address and the database.",
)
@click.option("--fresh", is_flag=True, help="Begin without the state that earlier runs left.")
@click.option("--no-browser", is_flag=True, help="Only print the address of the page.")
@click.option("--terminal", is_flag=True, help="Talk here, or through a pipe, and not on the page.")
@click.option(
    "--port", type=_PORT, metavar="PORT", help="Of the page and of Graph.  [default: 9445]"
)
@click.option(
    "--webhook-port",
    type=_PORT,
    metavar="PORT",
    help="Of the daemon, for webhooks.  [default: 9443]",
)
@click.option(
    "--admin-port",
    type=_PORT,
    metavar="PORT",
    help="Of the daemon, for its operator.  [default: 9444]",
)
@click.option(
    "--scenario",
    "scenarios",
    type=click.Path(path_type=Path),
    metavar="FILE",
    multiple=True,
    help="Play this script instead, and say what differed; may be given again.",
)
@click.option("--bot", metavar="URL", help="Talk to a program of yours there, without the daemon.")
@click.option("--verbose", is_flag=True, help="Show the daemon's log here.")
def dev(scenarios: tuple[Path, ...], **asked: Any) -> None:
    r"""Try it: WhatsApp on this machine, with a phone in the browser.

    Needs no account, no key and no file. The daemon runs as it would for a real number, on a
    configuration made for it, and keeps its state in a folder of its own between two runs; Meta's
    part is played by an emulator, which forgets everything when it ends. Claude answers if
    ANTHROPIC_API_KEY is set, else echo, which says everything back.

    \b
        openparallax dev                           with a page in the browser
        openparallax dev -c config.yaml            your settings, not your data
        printf 'hello\n' | openparallax dev --terminal
        openparallax dev --bot http://127.0.0.1:8000/webhook
        openparallax dev --scenario script.yaml

    `openparallax example scenario.yaml` shows all that a script may say.

    Exit codes: 0 stopped; 1 a piped line was not answered, an expectation of a scenario failed, or
    the daemon did not start; 75 a port is taken, or another one is up; 78 a configuration is not in
    order; 130 interrupted before it was up.
    """
    _check(scenarios, asked)
    import asyncio  # noqa: PLC0415 - --help need not wait for it

    from openparallax.app.dev import run  # noqa: PLC0415 - the same
    from openparallax.app.memory import keep_out_of_core_dumps  # noqa: PLC0415 - the same

    browser = not asked.pop("no_browser")
    options = run.Options(browser=browser, **{k: v for k, v in asked.items() if v is not None})
    if scenarios:
        from openparallax.app.dev.scenarios import play_all  # noqa: PLC0415 - the same

        sys.exit(asyncio.run(play_all(scenarios, options, click.echo)))
    keep_out_of_core_dumps()
    sys.exit(asyncio.run(run.run(options, click.echo)))


def _check(scenarios: tuple[Path, ...], asked: dict[str, Any]) -> None:
    """Refuse what cannot be meant together."""
    if asked["config"] and asked["bot"]:
        raise click.UsageError("-c runs the daemon, and --bot does without it: choose one.")
    other = "-c: the file says it" if asked["config"] else "--bot: there is no daemon"
    of_daemon = ("engine", "webhook_port", "admin_port")
    for name in (*of_daemon, "fresh") if asked["bot"] else of_daemon:
        if (asked["config"] or asked["bot"]) and asked[name]:
            raise click.UsageError(f"--{name.replace('_', '-')} does not go with {other}.")
    if scenarios and asked["terminal"]:
        raise click.UsageError("--terminal does not go with --scenario.")
