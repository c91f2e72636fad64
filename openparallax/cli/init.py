"""``init``."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openparallax.cli.screen import json_option

if TYPE_CHECKING:
    from openparallax.app.setup.answers import Answers

_FILE = click.Path(path_type=Path)
_MOST_BYTES = 64 * 1024


@click.command()
@click.option(
    "-c",
    "--config",
    type=_FILE,
    metavar="FILE",
    help="What to write; without it the one that is found, else the usual place.",
)
@click.option("--app-id", metavar="ID", help="App settings, Basic.")
@click.option("--app-secret-file", type=_FILE, metavar="FILE", help="Beside the App ID.")
@click.option("--phone-number-id", metavar="ID", help="API Setup; not the number itself.")
@click.option("--waba-id", metavar="ID", help="Of the WhatsApp business account, beside it.")
@click.option("--token-file", type=_FILE, metavar="FILE", help="A system user's access token.")
@click.option(
    "--verify-token-file",
    type=_FILE,
    metavar="FILE",
    help="A text of your own; without it one is made.",
)
@click.option("--public-url", metavar="URL", help="The https address that Meta is to call.")
@click.option("--allow", metavar="NUMBER", multiple=True, help="Who may write; may be repeated.")
@click.option("--allow-everybody", is_flag=True, help="Let everybody write; you pay for it.")
@click.option("--engine", metavar="NAME", help="Who answers.  [default: anthropic]")
@click.option("--api-key-file", type=_FILE, metavar="FILE", help="The engine's key.")
@click.option(
    "--webhook-port",
    type=click.IntRange(1, 65535),
    metavar="PORT",
    help="Where the daemon listens.  [default: 9443]",
)
@click.option("--graph-api-url", metavar="URL", hidden=True, help="Instead of Meta's own.")
@click.option(
    "--system",
    "is_system",
    is_flag=True,
    help="For the system's service: /etc/openparallax, secrets as credentials.",
)
@click.option("--offline", "is_offline", is_flag=True, help="Check nothing with Meta.")
@click.option("--yes", "asks_nobody", is_flag=True, help="Ask nothing; change what is there.")
@json_option
def init(**asked: Any) -> None:
    r"""Write a configuration by asking for what it needs.

    Asks in the order of Meta's pages, says where each value stands, and checks it with Meta as soon
    as it is pasted. Secrets go into files of their own that only you may read. What is there
    already is offered, is changed only where you answer anew, and is kept in a copy.

    \b
        openparallax init                          ask for everything
        openparallax init -c shop.yaml             write another file
        openparallax init --yes --engine echo \
            --app-id 1234567890 --app-secret-file secret --token-file token \
            --phone-number-id 1234567890123456 --waba-id 102290129340398 \
            --public-url https://bot.example.org --allow "+1 555 000 1111"

    Nobody need be asked where options, or the variables WHATSAPP_ACCESS_TOKEN, WHATSAPP_APP_SECRET,
    WHATSAPP_VERIFY_TOKEN and ANTHROPIC_API_KEY, give everything. A secret is never an argument:
    every user of the machine could read it.

    Exit codes: 0 written; 1 Meta says that a value is wrong, or the file is there and --yes is not;
    2 something is missing or cannot be that; 75 the disk has no room; 78 it cannot be written; 130
    interrupted. Unless it is 0, nothing was changed.
    """
    given = _given(asked)
    from openparallax.app.setup import run  # noqa: PLC0415 - --help need not wait for it

    wanted = run.Wanted(
        config=asked["config"],
        given=given,
        is_system=asked["is_system"],
        is_offline=asked["is_offline"],
        asks_nobody=asked["asks_nobody"],
        as_json=asked["as_json"],
    )
    sys.exit(run.run(wanted, os.environ))


def _given(asked: dict[str, Any]) -> "Answers":
    """What options say."""
    from openparallax.app.setup.answers import Answers  # noqa: PLC0415 - --help need not wait

    if asked["allow"] and asked["allow_everybody"]:
        raise click.UsageError("--allow and --allow-everybody: choose one.")
    answers = Answers(
        app_id=asked["app_id"] or "",
        app_secret=_secret(asked["app_secret_file"], "--app-secret-file"),
        phone_number_id=asked["phone_number_id"] or "",
        waba_id=asked["waba_id"] or "",
        access_token=_secret(asked["token_file"], "--token-file"),
        verify_token=_secret(asked["verify_token_file"], "--verify-token-file"),
        public_url=asked["public_url"] or "",
        allowed=asked["allow"] or (() if asked["allow_everybody"] else None),
        engine=asked["engine"] or "",
        webhook_port=asked["webhook_port"],
        graph_api_url=asked["graph_api_url"],
    )
    if key := _secret(asked["api_key_file"], "--api-key-file"):
        answers = replace(answers, engine_secrets={"api_key": key})
    return answers


def _secret(path: Path | None, option: str) -> str:
    """What a file holds; "" where none is named."""
    if path is None:
        return ""
    if str(path) == "-":
        raise click.UsageError(f"{option}: standard input is for answers; name a file.")
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES).decode("utf-8-sig").strip()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise click.UsageError(f"{option}: the file cannot be read ({why}).") from None
    if not text:
        raise click.UsageError(f"{option}: the file is empty.")
    return text
