"""``why``: what became of somebody's messages, and where no answer came why not."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from openparallax.cli import control, offline
from openparallax.cli.screen import (
    account_option,
    bold,
    colour,
    config_option,
    escaped,
    json_option,
    lasting,
    print_json,
    when,
    wrapped,
)
from openparallax.cli.steps import clock, facts, painted

_COPIED = re.compile(r"\"?(chat|turn|parcel)\"?[=: ]+(\d{1,18}),?")
_SHORTEST_NUMBER = 7
_GOOD = frozenset({"answered", "told"})
_QUIET = frozenset({"silent", "own_number", "duplicate", "revoked", "silent_on_purpose"})


@click.command()
@click.argument("who")
@click.option(
    "-n",
    "--messages",
    "most",
    type=click.IntRange(1, 200),
    default=10,
    show_default=True,
    metavar="N",
    help="The latest N messages.",
)
@account_option
@json_option
@config_option
def why(*, who: str, most: int, account: str | None, as_json: bool, config: Path | None) -> None:
    r"""Say what became of somebody's messages, and why one was not answered.

    WHO is a number in any spelling, a business-scoped id, or what the log and openparallax tail
    print: turn=12, chat=3, parcel=40. A bare number of up to six digits is a turn.

    For each message: when it came, each step of its way as far as it is remembered, what became
    of it, and where no answer reached them the reason and what to do. Never what anybody wrote.
    Asks the running daemon, or else the database itself, which knows less.

    Exit codes: 0 it is said; 1 nothing is known of them (then it says what may be the reason); 2
    WHO is neither a number nor an id.

    \b
        openparallax why "+49 151 12345678"
        openparallax why turn=1234
    """
    asked = {**_meant(who), "account": account, "most": most}
    database = control.database_of(config)
    daemon = control.daemon_of(database)
    if daemon is None:
        found = offline.why(config, database, asked)
    else:
        found = control.ask(daemon, "why", asked)
    if as_json:
        print_json(found)
    else:
        for line in _lines(found):
            click.echo(line)
    if not found["is_known"]:
        click.get_current_context().exit(1)


def _meant(who: str) -> dict[str, Any]:
    copied = _COPIED.fullmatch(who.strip())
    if copied is not None:
        return {copied[1]: int(copied[2])}
    bare = who.strip()
    if bare.isascii() and bare.isdigit() and len(bare) < _SHORTEST_NUMBER:
        return {"turn": int(bare)}
    return {"who": who}


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    now = found["now"]
    for chat in found["chats"]:
        yield from wrapped(_chat(chat, now, found["allowed"]), indent="  ")
    for number, message in enumerate(found["messages"]):
        if number or found["chats"]:
            yield ""
        yield from _message(message)
    if found["messages"]:
        yield ""
    for remark in found["remarks"]:
        yield from wrapped(escaped(remark), first=f"{colour('!', 'yellow')} ", indent="  ")
    daemon = found["daemon"]
    said = " ".join(message["why"] for message in found["messages"])
    for trouble in daemon["trouble"]:
        advice = trouble.partition("): ")[2]
        if advice and advice in said:
            continue  # a message's own verdict has said it
        yield from wrapped(escaped(trouble), first=f"{colour('!', 'red')} ", indent="  ")
    if daemon["is_running"]:
        last = daemon["last_webhook_at"]
        heard = (
            f"The last webhook of anybody came {lasting(now - last)} ago"
            if last
            else ("No webhook has come since the daemon started")
        )
        since = when(daemon["steps_since"])
        yield from wrapped(f"{heard}. Steps are remembered since {since}.")


def _chat(chat: Mapping[str, Any], now: float, allowed: bool | None) -> str:  # noqa: FBT001 - of JSON
    name = f" ({escaped(chat['name'])})" if chat["name"] else ""
    said = [f"{chat['mode']}"]
    if allowed is not None:
        said.append("let in" if allowed else colour("not on allowed_numbers", "red"))
    until = chat["window_until"]
    if until and until > now:
        said.append(f"window open for {lasting(until - now)}")
    elif until:
        said.append(f"window closed since {when(until)}")
    if (taken := chat["taken_over_until"]) and taken > now:
        said.append(colour(f"a person of ours answers until {when(taken)}", "yellow"))
    if chat["waiting"] or chat["sending"]:
        said.append(f"{chat['waiting']} to be answered, {chat['sending']} to be sent")
    who = bold(f"{escaped(chat['contact'] or 'no address')}{name}")
    return f"{who} chat={chat['chat']} account={chat['account']}: {', '.join(said)}"


def _message(message: Mapping[str, Any]) -> Iterator[str]:
    outcome = message["outcome"]
    name = "green" if outcome in _GOOD else "white" if outcome in _QUIET else "red"
    number = f" turn={message['turn']}" if message["turn"] else ""
    what = "sent" if message["is_ours"] else "came"
    head = f"{bold(clock(message['at'], day=True))}{number} {what}: "
    yield head + colour(outcome.replace("_", " "), name)
    for step in message["steps"]:
        parcel = f"  parcel={step['parcel']}" if step.get("parcel") else ""
        yield f"    {clock(step['at'])} {painted(step['step'], 14)} {facts(step)}{parcel}".rstrip()
    if not any(step["step"] in {"posted", "sent"} for step in message["steps"]):
        for part in message["parts"]:
            yield f"    {clock(part['at'])} {_part(part)}"
    yield from wrapped(escaped(message["why"]), indent="  ", first="  ")
    if message["to_do"]:
        yield from wrapped(escaped(message["to_do"]), indent="  ", first=f"  {bold('To do:')} ")


def _part(part: Mapping[str, Any]) -> str:
    said = [part["state"]]
    if part["status"]:
        said.append(part["status"])
    if part["notice"]:
        said.append(f"notice {escaped(part['notice'])}")
    if part["code"] is not None:
        said.append(f"code {part['code']}")
    return f"{'written':<14} {', '.join(said)}  parcel={part['parcel']}"
