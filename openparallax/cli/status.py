"""``status``: how the running daemon is."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from openparallax.cli import control
from openparallax.cli.screen import (
    bold,
    colour,
    config_option,
    escaped,
    json_option,
    lasting,
    print_json,
    size,
    when,
)
from openparallax.errors import Refusal

_NEWS = 5


@click.command()
@json_option
@config_option
def status(*, as_json: bool, config: Path | None) -> None:
    r"""Say how the running daemon is.

    Whether it is ready to work, what waits to be answered and sent, and how each number is.

    Exit codes: 0 it runs, also where it is not ready (it says why; for a monitor there is /readyz
    of the admin listener); 69 it does not run, and then what is known of its database is said.

    \b
        openparallax status
        openparallax status --json | jq .messages_waiting
    """
    database = control.database_of(config)
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
        yield f"  {colour('!', 'red')} {escaped(reason)}"
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
        *(("number", _account(one)) for one in found["accounts"]),
        *(("tokens today", _tokens(one)) for one in found["tokens_today"] or ()),
        *(("news", _news(one)) for one in (found["news"] or ())[:_NEWS]),
        *(("warning", escaped(one)) for one in found["warnings"]),
    ]
    label = ""
    for name, fact in facts:
        yield f"  {'' if name == label else name:<14}{fact}"
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
    told = f"{waiting} to be answered, {found['turns_running']} turns running"
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


def _account(one: Mapping[str, Any]) -> str:
    is_paused = one["state"] != "active"
    told = f"{one['phone_number_id']} " + (colour("paused", "red") if is_paused else "active")
    if is_paused:
        told += f" by code {one['code']}: {escaped(one['hint'])}"
    allowed = f"{one['allowed']} allowed" if one["allowed"] else "everybody may write"
    signed = "signatures checked" if one["signed"] else "signatures NOT checked"
    return f"{told}, {allowed}, {signed}"


def _tokens(one: Mapping[str, Any]) -> str:
    return f"{one['tokens']} {escaped(one['kind'])}, {escaped(one['model'])}"


def _news(one: Mapping[str, Any]) -> str:
    facts = ", ".join(f"{key} {value}" for key, value in sorted(one["facts"].items()))
    about = " ".join(part for part in (one["field"], one["event"], one["subject"], facts) if part)
    return f"{when(one['at'])} {escaped(about)}"
