"""``migrate``: what bringing the database up to date would do, and doing it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openparallax.cli import control, offline
from openparallax.cli.screen import config_option, json_option, lasting, print_json, size
from openparallax.errors import Refusal

if TYPE_CHECKING:
    from openparallax.storage.rehearsing import Rehearsal


@click.command()
@click.option("--dry-run", is_flag=True, help="Only find out, on a copy; the file is not changed.")
@json_option
@config_option
def migrate(*, dry_run: bool, as_json: bool, config: Path | None) -> None:
    r"""Bring the database of an older OpenParallax up to date.

    The first start of a newer program does it by itself: it copies the file, keeps the copy beside
    it for a week, and changes the file step by step. With this command it is done at a time of
    your choosing, while no daemon runs. With --dry-run every step is taken on a copy that is thrown
    away, also while the older daemon runs: how long does it take, is there room, does it succeed?

    \b
        openparallax migrate --dry-run
        systemctl stop openparallax.socket
        openparallax migrate
        systemctl start openparallax

    Exit codes: 0 it is (or would be) up to date; 1 the file is damaged or none of ours; 75 it is
    in use, or there is no room; 78 it is a newer program's: the message says how to go back.
    """
    database = control.database_of(config)
    offline.must_be_there(database)
    found = _rehearsed(database) if dry_run else _done(database)
    if as_json:
        print_json(found)
        return
    for line in _lines(found):
        click.echo(line)


def _rehearsed(database: Path) -> dict[str, Any]:
    from openparallax.storage import rehearsing  # noqa: PLC0415 - --help need not wait for it

    daemon = control.daemon_of(database)
    pieces = control.stream(daemon, "backup", {}) if daemon is not None else None
    return _as_data(database, rehearsing.rehearse(database, pieces, on_progress=_dot), done=False)


def _done(database: Path) -> dict[str, Any]:
    from openparallax.storage import rehearsing  # noqa: PLC0415 - --help need not wait for it
    from openparallax.storage.file import DatabaseFile  # noqa: PLC0415 - the same

    if control.daemon_of(database) is not None:
        raise Refusal(
            f"{database} is in use: stop the daemon first. Its next start by this program brings "
            "the file up to date anyway; --dry-run says what that would do.",
            exit_code=control.TRY_AGAIN,
        )
    schema = rehearsing.schema_of(database)
    before = {"bytes": database.stat().st_size}
    file = DatabaseFile(database, _dot)
    file.close(file.open())
    upgraded = file.upgraded
    if upgraded is None:
        return {"database": str(database), "schema": schema, "newest": schema, "done": True}
    return {
        "database": str(database),
        "schema": upgraded.before,
        "newest": upgraded.now,
        "done": True,
        "copy": str(upgraded.copy),
        "seconds": round(upgraded.seconds, 1),
        **before,
    }


def _as_data(database: Path, found: "Rehearsal", *, done: bool) -> dict[str, Any]:
    told = {
        "database": str(database),
        "schema": found.before,
        "newest": found.now,
        "done": done,
        "bytes": found.size,
    }
    if found.before == found.now:
        return told
    return told | {
        "copy": str(found.copy),
        "seconds": round(found.seconds, 1),
        "room_bytes": found.room,
        "free_bytes": found.free,
    }


def _lines(found: dict[str, Any]) -> list[str]:
    if found["schema"] == found["newest"]:
        return [f"{found['database']} has schema {found['schema']}: it is up to date."]
    steps = f"{found['database']}, {size(found['bytes'])}: schema {found['schema']}"
    if found["done"]:
        return [
            f"{steps} became {found['newest']} in {lasting(found['seconds'])}.",
            f"As it was before it is kept for a week: {found['copy']}",
        ]
    wanted, free = size(found["room_bytes"]), size(found["free_bytes"])
    is_short = found["free_bytes"] < found["room_bytes"]
    advice = ", which is too little: make room first" if is_short else ""
    return [
        f"{steps} would become {found['newest']}. All steps succeeded on a copy.",
        f"A start would take about {lasting(found['seconds'])} longer, once.",
        f"It wants {wanted} free beside the file; there are {free}{advice}.",
        f"The file as it is would be kept for a week: {found['copy']}",
        "Nothing was changed.",
    ]


def _dot() -> None:
    """A sign of life on a terminal."""
    if sys.stderr.isatty():
        click.echo(".", nl=False, err=True)
