"""``send``: one message by hand, through the running daemon."""

import sys
from pathlib import Path

import click

from openparallax.cli import control
from openparallax.cli.screen import config_option, json_option, print_json
from openparallax.errors import Refusal

MOST_BYTES = 80_000
"""What the daemon takes at most has fewer."""
WAIT_S = 20.0
_EXIT = {"accepted": 0, "failed": 1, "waiting": control.TRY_AGAIN}


@click.command()
@click.option(
    "--to", required=True, metavar="NUMBER", help="A number in any spelling, or a user id."
)
@click.option(
    "--account", metavar="ID", help="The number of ours that sends, if there are several."
)
@click.option(
    "--wait",
    type=click.FloatRange(0, 600),
    default=WAIT_S,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for Meta's answer.",
)
@click.argument("text")
@json_option
@config_option
def send(
    *,
    to: str,
    account: str | None,
    wait: float,
    text: str,
    as_json: bool,
    config: Path | None,
) -> None:
    r"""Send TEXT to somebody who wrote in the last 24 hours.

    A TEXT of - is read from standard input. It goes in the order of the chat, as it is written
    (no Markdown), and the engine sees it as part of the conversation. What you write on a
    command line others on this machine may see, and your shell may keep: standard input is
    better for what is private.

    Exit codes: 0 Meta accepted it; 1 it was refused or failed; 69 nothing was sent, since the
    daemon is not running or cannot take it now; 75 it is kept and waits, or nobody knows: do not
    send it again.

    \b
        openparallax send --to "+49 151 12345678" "We are closed today."
        openparallax send --to "+49 151 12345678" - < letter.txt
    """
    words = _from_standard_input() if text == "-" else text
    daemon = control.running_daemon(control.database_of(config))
    asked = {"to": to, "account": account, "text": words, "wait": wait}
    answer = control.ask(daemon, "send", asked, answer_s=wait + control.ANSWER_S, may_repeat=False)
    if as_json:
        print_json(answer)
    else:
        _tell(answer["state"], answer["code"], answer["hint"], len(answer["parcels"]))
    sys.exit(_EXIT.get(answer["state"], control.TRY_AGAIN))


def _tell(state: str, code: int | None, hint: str, parts: int) -> None:
    in_parts = f" in {parts} parts" if parts > 1 else ""
    why = f" (code {code})" if code is not None else ""
    more = f": {hint}" if hint else "."
    match state:
        case "accepted":
            click.echo(f"Accepted by Meta{in_parts}.")
        case "failed":
            click.echo(f"openparallax: not sent{why}{more}", err=True)
        case _:
            click.echo(
                f"openparallax: it is kept{in_parts} and waits to be sent{why}{more}", err=True
            )


def _from_standard_input() -> str:
    raw = sys.stdin.buffer.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise Refusal(f"the text is longer than {MOST_BYTES} bytes.", exit_code=2)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refusal("the text on standard input is not UTF-8.", exit_code=2) from None
    return text.replace("\r\n", "\n").removesuffix("\n")
