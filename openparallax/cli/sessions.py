"""``sessions list``, ``show`` and ``forget``: who has written, and what is known of them."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from openparallax.cli import offline
from openparallax.cli.screen import (
    InOrder,
    account_option,
    bold,
    config_option,
    counted,
    escaped,
    iso,
    json_option,
    print_json,
    table,
    when,
)
from openparallax.errors import Refusal

FIRST = 50
_PAGE = 500
_INDENT = "    "

_who = click.argument("who", required=False)
_chat = click.option(
    "--chat", type=click.IntRange(1), metavar="N", help="The chat by its number in the list."
)


@click.group(cls=InOrder)
def sessions() -> None:
    """List, show and forget the people who have written.

    Asks the running daemon, or the database itself where none runs.
    """


@sessions.command("list")
@account_option
@click.option("--all", "all_of_them", is_flag=True, help=f"All chats, not only {FIRST}.")
@click.option(
    "--open", "only_open", is_flag=True, help="Only chats in which something is to be done."
)
@json_option
@config_option
def list_(
    *,
    account: str | None,
    all_of_them: bool,
    only_open: bool,
    as_json: bool,
    config: Path | None,
) -> None:
    r"""List the chats and the session that is open in each.

    OPEN is what waits to be answered or sent; openparallax why chat=N says for what. Piped it
    prints all of them, a line each with tabs between: chat, contact, name, mode, session,
    messages, open, last message (in UTC), account.

    \b
        openparallax sessions list
        openparallax sessions list --open
        openparallax sessions list | cut -f2
        openparallax sessions list --json
    """
    is_short = not (all_of_them or only_open or as_json) and sys.stdout.isatty()
    found: list[dict[str, Any]] = []
    after: int | None = None
    while True:
        most = FIRST if is_short else _PAGE
        page = offline.ask(config, "sessions", {"account": account, "after": after, "most": most})
        found += [one for one in page["chats"] if not only_open or one["waiting"] + one["sending"]]
        after = page["next"]
        if after is None or is_short:
            break
    if as_json:
        print_json({"chats": found})
        return
    if not found:
        what = "Nothing is to be done in any chat." if only_open else "Nobody has written yet."
        click.echo(what, err=True)
        return
    heads = ["CHAT", "CONTACT", "NAME", "MODE", "SESSION", "MESSAGES", "OPEN", "LAST", "ACCOUNT"]
    rows = [_row(chat) for chat in found]
    if sys.stdout.isatty() and len({chat["account"] for chat in found}) == 1:
        heads, rows = heads[:-1], [row[:-1] for row in rows]  # it says nothing, and takes room
    for line in table(heads, rows, gives_way=2):
        click.echo(line)
    if after is not None:
        click.echo(f"These are the first {len(found)}; --all lists the rest.", err=True)


def _row(chat: Mapping[str, Any]) -> list[str]:
    return [
        str(chat["chat"]),
        chat["contact"] or "-",
        chat["name"] or "-",
        "off" if chat["mode"].startswith("off") else "on",
        str(chat["session"]),
        str(chat["messages"]),
        str(chat["waiting"] + chat["sending"]),
        when(chat["last_at"]) if sys.stdout.isatty() else iso(chat["last_at"]),
        chat["account"],
    ]


@sessions.command()
@_who
@_chat
@account_option
@click.option("--words", is_flag=True, help="Also what was said, on the record.")
@json_option
@config_option
def show(
    *,
    who: str | None,
    chat: int | None,
    account: str | None,
    words: bool,
    as_json: bool,
    config: Path | None,
) -> None:
    r"""Show what is known of a person.

    WHO is a number or a business-scoped id. What was said is shown only with --words, and what
    was said off the record never is: it is nowhere to be found.

    \b
        openparallax sessions show "+49 151 12345678"
        openparallax sessions show --chat 3 --words
    """
    found = offline.ask(
        config, "session", {**_meant(who, chat), "account": account, "words": words}
    )
    if as_json:
        print_json(found)
        return
    for place, one in enumerate(found["chats"]):
        if place:
            click.echo()
        _show(one)


def _show(chat: Mapping[str, Any]) -> None:
    name = f" ({escaped(chat['name'])})" if chat["name"] else ""
    click.echo(bold(f"Chat {chat['chat']}: {escaped(chat['contact'] or 'no address')}{name}"))
    facts = {
        "account": chat["account"],
        "now": f"{chat['mode']}, session {chat['session']} since {when(chat['opened_at'])}",
        "last message": when(chat["last_at"]),
        "messages": f"{chat['messages']} kept, {chat['waiting']} to be answered, "
        f"{chat['sending']} to be sent",
    }
    if chat["taken_over_until"]:
        facts["taken over"] = f"a person of ours answers until {when(chat['taken_over_until'])}"
    for alias in chat.get("aliases", ()):
        told = (
            f"until {when(alias['until'])}" if alias["until"] else f"since {when(alias['since'])}"
        )
        facts[f"known as {alias['kind']}"] = f"{escaped(alias['id'])}, {told}"
    for label, fact in facts.items():
        click.echo(f"  {label:<19}{fact}")
    for session in chat.get("sessions", ()):
        click.echo(
            f"  session {session['session']:<11}{session['mode']}, {session['state']}, "
            f"opened {when(session['opened_at'])}, {counted(session['messages'], 'message')}"
        )
    for spent in chat.get("usage", ()):
        told = f"{spent['tokens']} {escaped(spent['kind'])}, {escaped(spent['model'])}"
        click.echo(f"  tokens             {told}")
    if "transcript" in chat:
        click.echo("  What was said on the record, in the time of this machine:")
        for said in chat["transcript"]:
            text = escaped(said["text"], keeps="\n\t").replace("\n", f"\n{_INDENT}")
            click.echo(f"  {bold(when(said['at']))} {said['role']}\n{_INDENT}{text}")
        if chat.get("left_out"):
            click.echo("  There is more, which is older.", err=True)


@sessions.command()
@_who
@_chat
@account_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@config_option
def forget(
    *,
    who: str | None,
    chat: int | None,
    account: str | None,
    yes: bool,
    as_json: bool,
    config: Path | None,
) -> None:
    r"""Remove the words of a person for good.

    WHO is a number or a business-scoped id. All that was said with them leaves the database and
    the copies beside it, and what is not answered or sent yet never is. Their number stays
    known, and so does whether they are off the record. Backups that you made elsewhere are not
    touched. There is no way back.

    It asks first; without a terminal it needs --yes. Exit codes: 0 all is gone, 1 nobody is known
    by that, or you said no; 2 it may not ask; 75 not finished: run it again.

    \b
        openparallax sessions forget "+49 151 12345678"
    """
    meant = {**_meant(who, chat), "account": account}
    if not yes:
        _make_sure(config, meant)
    counts = offline.ask(config, "forget", meant)
    if as_json:
        print_json(counts)
        return
    click.echo(
        f"Forgotten: the words of {counted(counts['turns'], 'turn')} in "
        f"{counted(counts['chats'], 'chat')}; {counts['waiting']} unanswered and "
        f"{counts['parcels']} unsent dropped; "
        f"copies of the database cleared: {counts['copies']}."
    )


def _make_sure(config: Path | None, meant: Mapping[str, Any]) -> None:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise click.UsageError("this removes words for good: say --yes where nobody can be asked.")
    found = offline.ask(config, "session", {**meant, "words": False})
    for chat in found["chats"]:
        name = f" ({escaped(chat['name'])})" if chat["name"] else ""
        click.echo(
            f"Chat {chat['chat']} with {escaped(chat['contact'] or 'no address')}{name}: "
            f"{counted(chat['messages'], 'message')}, {chat['waiting']} to be answered, "
            f"{chat['sending']} to be sent.",
            err=True,
        )
    if not click.confirm("Remove all their words for good?", err=True):
        raise Refusal("nothing was removed.")


def _meant(who: str | None, chat: int | None) -> dict[str, Any]:
    if (who is None) == (chat is None):
        raise click.UsageError("name either WHO, a number or an id, or --chat N.")
    return {"who": who} if chat is None else {"chat": chat}
