"""``status``: how the running daemon is."""

import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

import click

from openparallax.cli import control
from openparallax.cli.screen import (
    bold,
    colour,
    config_option,
    counted,
    escaped,
    json_option,
    lasting,
    print_json,
    size,
    when,
    wrapped,
)
from openparallax.errors import Refusal

_NEWS = 5
_LABEL = 14
WATCH_EVERY_S = 2.0


@click.command()
@click.option("--watch", is_flag=True, help="Look again every two seconds, until Ctrl-C.")
@json_option
@config_option
def status(*, watch: bool, as_json: bool, config: Path | None) -> None:
    r"""Say how the running daemon is.

    Whether it is ready to work and why not, what waits to be answered and sent, how long the
    engines took lately and what was spent today, and how each number is.

    Exit codes: 0 it runs, also where it is not ready (it says why; for a monitor there is /readyz
    of the admin listener); 69 it does not run, and then what is known of its database is said.

    \b
        openparallax status
        openparallax status --watch
        openparallax status --json | jq .messages_waiting
    """
    database = control.database_of(config)
    if watch and as_json:
        raise click.UsageError("--watch and --json do not go together.")
    if watch:
        _watch(database)
    try:
        found = control.ask(control.running_daemon(database), "status", {})
    except Refusal as refusal:
        told = _of_file(database)
        if as_json:
            print_json({"state": "not running", "ready": False, "reasons": [str(refusal)], **told})
        else:
            click.echo(f"openparallax: {refusal}", err=True)
            click.echo(_file_line(told["database"]), err=True)
        sys.exit(refusal.exit_code)
    if as_json:
        print_json(found)
        return
    for line in _lines(found):
        click.echo(line)


def _watch(database: Path) -> NoReturn:
    """Again and again, also while the daemon is away; ended by an interrupt."""
    while True:
        try:
            lines = list(_lines(control.ask(control.running_daemon(database), "status", {})))
        except Refusal as refusal:
            lines = [f"openparallax: {refusal}", _file_line(_of_file(database)["database"])]
        click.clear()  # on a terminal only
        click.echo("\n".join(lines))
        time.sleep(WATCH_EVERY_S)


def _of_file(database: Path) -> dict[str, Any]:
    """What can be seen from outside."""
    try:
        facts = database.stat()
    except OSError:
        count = changed = None
    else:
        count, changed = facts.st_size, facts.st_mtime
    return {"database": {"path": str(database), "bytes": count, "changed_at": changed}}


def _file_line(file: Mapping[str, Any]) -> str:
    if file["bytes"] is None:
        return f"There is no database at {file['path']}, or it may not be looked at."
    return f"{file['path']} has {size(file['bytes'])}, last changed {when(file['changed_at'])}."


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    state = "ready" if found["ready"] else "not ready"
    if found["state"] != "running":
        state = f"{found['state']}, {state}"
    commit = f" ({found['commit'][:12]})" if found["commit"] else ""
    yield bold("OpenParallax ") + colour(state, "green" if found["ready"] else "red")
    for reason in found["reasons"]:
        yield from wrapped(escaped(reason), first=f"  {colour('!', 'red')} ", indent="    ")
    running_s = max(0.0, found["now"] - found["started_at"])
    facts = [
        ("running", f"for {lasting(running_s)}, process {found['pid']}"),
        ("version", f"{found['version']}{commit}, Python {found['python']}"),
        ("database", _database(found["database"])),
        ("webhook", _webhook(found)),
        ("admin", _admin(found["admin"])),
        ("engine", _engines(found["engines"])),
        ("messages", _messages(found)),
        ("sending", _parts(found)),
        ("last answer", _last_answer(found)),
        *(("answers took", _took(one)) for one in found["answers"]),
        *(("engine failed", one) for one in _failures(found)),
        *(("number", _account(one)) for one in found["accounts"]),
        *(("left over", _left_over(one)) for one in found["left_over"] or ()),
        *(("tokens today", _tokens(one)) for one in found["tokens_today"] or ()),
        *(("news", _news(one)) for one in (found["news"] or ())[:_NEWS]),
        *(("warning", escaped(one)) for one in found["warnings"]),
        *(("not in force", escaped(one)) for one in _not_in_force(found.get("configuration"))),
    ]
    label = ""
    for name, fact in facts:
        start = f"  {'' if name == label else name:<{_LABEL}}"
        yield from wrapped(fact, first=start, indent=" " * (2 + _LABEL))
        label = name


def _database(file: Mapping[str, Any]) -> str:
    failed = file["storage_failures"]
    trouble = f", refused {failed} times since the start" if failed else ""
    log = f", log {size(file['wal_bytes'])}" if file["wal_bytes"] else ""
    return f"{file['path']}, {size(file['bytes'])}{log}{trouble}"


def _webhook(found: Mapping[str, Any]) -> str:
    one = found["listener"]
    last = found["last_webhook_seconds"]
    heard = "nothing came yet" if last is None else f"last one {lasting(last)} ago"
    scheme = "https" if one["tls"] else "http"
    return f"{scheme}://{_host(one['host'])}:{one['port']}{one['path']}, {heard}"


def _admin(one: Mapping[str, Any]) -> str:
    listens = f"http://{_host(one['host'])}:{one['port']}" if one["port"] else "no listener"
    return f"{listens}, socket {one['socket'] or 'none'}"


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _engines(engines: Mapping[str, str]) -> str:
    if len(set(engines.values())) == 1:
        return escaped(next(iter(engines.values())))
    return ", ".join(f"{escaped(engine)} {mode}" for mode, engine in engines.items())


def _messages(found: Mapping[str, Any]) -> str:
    waiting = found["messages_waiting"]
    if waiting is None:
        return "not known just now"
    told = f"{waiting} to be answered, {counted(found['turns_running'], 'turn')} running"
    if found["oldest_message_seconds"] is not None:
        told += f", the oldest waits for {lasting(found['oldest_message_seconds'])}"
    held = found["messages_held"]
    return told + (f", {held} held until the person writes" if held else "")


def _parts(found: Mapping[str, Any]) -> str:
    waiting = found["parts_waiting"]
    if waiting is None:
        return "not known just now"
    told = f"{waiting} to be sent, {found['sends_in_flight']} on their way"
    if found["oldest_part_seconds"] is not None:
        told += f", the oldest waits for {lasting(found['oldest_part_seconds'])}"
    if found["parts_in_doubt"]:
        told += f", {found['parts_in_doubt']} in doubt"
    held = found["parts_held"]
    return told + (f", {held} held until the person writes" if held else "")


def _last_answer(found: Mapping[str, Any]) -> str:
    last = found["last_answer_seconds"]
    return "none since the start" if last is None else f"sent {lasting(last)} ago"


def _took(one: Mapping[str, Any]) -> str:
    return (
        f"{one['p50_seconds']:.2f} s for half of them, {one['p95_seconds']:.2f} s for 95 of 100, "
        f"{escaped(one['engine'])} (the latest {one['turns']})"
    )


def _failures(found: Mapping[str, Any]) -> Iterator[str]:
    if failed := found["engine_failures"]:
        yield (
            f"{counted(failed, 'time')} lately: see engine_failed in the log, and openparallax"
            " doctor, which asks the engine"
        )


def _account(one: Mapping[str, Any]) -> str:
    is_paused = one["state"] != "active"
    told = f"{one['phone_number_id']} " + (colour("paused", "red") if is_paused else "active")
    if is_paused:
        told += f" by code {one['code']}"  # what to do about it stands above, under not ready
    allowed = f"{one['allowed']} allowed" if one["allowed"] else "everybody may write"
    signed = "signatures checked" if one["signed"] else "signatures NOT checked"
    return f"{told}, {allowed}, {signed}{_token(one['token'])}"


def _token(one: Mapping[str, Any] | None) -> str:
    if one is None:
        return ""
    if one["trouble"]:
        return f", {colour('token', 'red')}: {escaped(one['trouble'])}"
    if one["expires_at"] is None:
        return ", its token never ends" if one["never_expires"] else ""
    what = "is refreshed before" if one["is_refreshed"] else "is good until"
    return f", its token {what} {when(one['expires_at'])}"


def _left_over(one: Mapping[str, Any]) -> str:
    messages = counted(one["messages"], "message")
    return (
        f"{messages} and {counted(one['parts'], 'part')} wait on {one['phone_number_id']}, which"
        " the configuration does not name any more: put it back, or they expire from"
        f" {when(one['expires_at'])} on"
    )


def _tokens(one: Mapping[str, Any]) -> str:
    return f"{one['tokens']} {escaped(one['kind'])}, {escaped(one['model'])}"


def _news(one: Mapping[str, Any]) -> str:
    facts = ", ".join(f"{key} {value}" for key, value in sorted(one["facts"].items()))
    about = " ".join(part for part in (one["field"], one["event"], one["subject"], facts) if part)
    return f"{when(one['at'])} {escaped(about)}"


def _not_in_force(reloaded: Mapping[str, Any] | None) -> Iterator[str]:
    """What the file says and the daemon does not go by."""
    if reloaded:
        yield from reloaded["problems"]
        yield from (f"{key}, until a restart" for key in reloaded["needs_restart"])
