"""``reload``: have the running daemon read its configuration anew."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from openparallax.cli import control
from openparallax.cli.screen import config_option, counted, escaped, json_option, print_json
from openparallax.errors import ConfigError, Refusal

_WRONG = 78
_UNCHANGED = "Nothing was changed: a running daemon goes on with what it has read before."
_ANSWER_S = 120.0
"""An engine may take its time to be made, and another reload may be under way."""


@click.command("reload")
@click.option("--dry-run", is_flag=True, help="Only say what would change; change nothing.")
@json_option
@config_option
def reload_(*, dry_run: bool, as_json: bool, config: Path | None) -> None:
    r"""Have the running daemon read its configuration anew.

    The daemon reads the file that it was started with, and the files that it names. All that may
    change while it runs is in force at once, and no message is lost by it; what needs a restart is
    named. Where anything in the file is wrong nothing is changed at all.

    Exit codes: 0 it is in force, save what needs a restart; 69 the daemon is not running; 75 it
    starts or stops just now; 78 the file is wrong, and each problem is said.

    \b
        openparallax reload --dry-run
        openparallax reload
    """
    try:
        found = _ask(config, {"dry_run": dry_run})
    except ConfigError as error:
        if not as_json:
            raise
        print_json({"applied": [], "needs_restart": [], "problems": error.problems})
        sys.exit(_WRONG)
    if as_json:
        print_json(found)
    else:
        for problem in found["problems"]:
            click.echo(escaped(problem), err=True)
        for line in _lines(found, config):
            click.echo(line, err=bool(found["problems"]))
    if found["problems"]:
        sys.exit(_WRONG)


def _ask(config: Path | None, asked: dict[str, Any]) -> dict[str, Any]:
    try:
        database = control.database_of(config)
    except ConfigError as error:
        return _ask_of_wrong(config, asked, error)
    try:
        daemon = control.running_daemon(database)
    except Refusal as refusal:
        raise Refusal(
            f"{refusal} If storage.url was changed since the daemon was started: that needs a"
            " restart.",
            exit_code=refusal.exit_code,
        ) from None
    return control.ask(daemon, "reload", asked, answer_s=_ANSWER_S)


def _ask_of_wrong(config: Path | None, asked: dict[str, Any], error: ConfigError) -> dict[str, Any]:
    """A file with such mistakes does not say where the database is: the daemon finds all of them.

    Raises:
        ConfigError: Those that are seen from here, where no daemon has this file.
    """
    from openparallax.config import search  # noqa: PLC0415 - --help need not wait for it

    database = control.likely_database_of(config)
    file = config or search(os.environ)
    if database is not None and file is not None:
        with suppress(Refusal):
            daemon = control.running_daemon(database)
            asked |= {"file": str(file.absolute())}
            return control.ask(daemon, "reload", asked, answer_s=_ANSWER_S)
    raise ConfigError([*error.problems, _UNCHANGED])


def _lines(found: Mapping[str, Any], config: Path | None) -> Iterator[str]:
    if config is not None and not _is_same(config, found["file"]):
        yield f"The daemon was started with {escaped(found['file'])}, and reads that one."
    if found["problems"]:
        yield _UNCHANGED
        return
    applied, needs_restart = found["applied"], found["needs_restart"]
    if applied:
        is_now = "is" if len(applied) == 1 else "are"
        would = "would be" if found["dry_run"] else is_now
        yield f"{counted(len(applied), 'setting')} {would} in force:"
        yield from _each(applied)
    else:
        yield "Nothing has changed that can be taken over while the daemon runs."
    if needs_restart:
        yield f"{counted(len(needs_restart), 'setting')} only after a restart:"
        yield from _each(needs_restart)
    if fixed := found["secrets_until_restart"]:
        yield "Secrets of the environment or a credential; a new value of theirs needs a restart:"
        yield from _each(fixed)
    for warning in found["warnings"]:
        yield f"warning: {escaped(warning)}"


def _each(keys: Sequence[str]) -> Iterator[str]:
    for key in keys:
        yield f"  {escaped(key)}"


def _is_same(one: Path, other: str) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return one.absolute() == Path(other)
