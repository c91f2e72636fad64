"""``backup`` and ``restore``: a copy of the database for elsewhere, and putting it back."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from openparallax.cli import control, offline
from openparallax.cli.screen import config_option, size
from openparallax.errors import Refusal

if TYPE_CHECKING:
    from openparallax.app.operator import Operator

_MAY_PASS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO})


@click.command()
@click.argument("file")
@click.option("--force", is_flag=True, help="Write over FILE if it exists.")
@config_option
def backup(*, file: str, force: bool, config: Path | None) -> None:
    r"""Copy the database to FILE, also while the daemon runs.

    A FILE of - is standard output. The copy is whole, checked and readable by you alone. It
    holds every word on the record, of everybody, and nothing that was said off the record: keep
    it as you would keep the letters, and remember it when you forget somebody. The
    configuration and its secrets are not in it.

    Exit codes: 0 done; 1 refused, such as for a FILE that exists; 75 no room, or try again.

    \b
        openparallax backup /backup/openparallax-$(date +%F).db
        openparallax backup - | gzip > openparallax.db.gz
    """
    database = control.database_of(config)
    if file == "-":
        if sys.stdout.isatty():
            raise click.UsageError("a database is nothing for a terminal: name a FILE, or pipe it.")
        _copy(database, sys.stdout.buffer)
        return
    path = Path(file)
    if not force and path.exists():
        if path.is_dir():
            raise Refusal(f"{file} is a folder. Name a file, such as one in it.")
        raise Refusal(f"{file} exists. Name another file, or say --force to write over it.")
    count = _to_file(database, path)
    click.echo(f"{size(count)} in {file}, whole and checked.", err=True)


def _to_file(database: Path, path: Path) -> int:
    from openparallax.storage import copies  # noqa: PLC0415 - --help need not wait for it
    from openparallax.storage.restoring import verify  # noqa: PLC0415 - the same

    part = path.with_name(path.name + ".part")
    try:
        with suppress(FileNotFoundError):
            part.unlink()
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW
        with open(os.open(part, flags, 0o600), "wb") as out:  # noqa: PTH123 - by descriptor
            count = _copy(database, out)
            out.flush()
            os.fsync(out.fileno())
        verify(part)
        part.rename(path)
        copies.sync_folder(path.absolute().parent)
    except OSError as error:
        raise Refusal(
            f"{path} could not be written: {error.strerror}.",
            exit_code=control.TRY_AGAIN if error.errno in _MAY_PASS else 1,
        ) from None
    finally:
        with suppress(OSError):
            part.unlink()
    return count


def _copy(database: Path, out: BinaryIO) -> int:
    """Write the copy to ``out``; its size in bytes."""
    daemon = control.daemon_of(database)
    if daemon is not None:
        return sum(_write(out, piece) for piece in _shown(control.stream(daemon, "backup", {})))

    async def work(operator: "Operator") -> int:
        pieces = await operator.backup()
        return sum([_write(out, piece) async for piece in pieces])

    return offline.on_file(database, work)


def _write(out: BinaryIO, piece: bytes) -> int:
    out.write(piece)
    return len(piece)


def _shown(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Hand ``pieces`` on, and count them on a terminal."""
    is_shown = sys.stderr.isatty()
    if is_shown:
        click.echo("Copying …", nl=False, err=True)
    count = 0
    try:
        for piece in pieces:
            yield piece
            count += len(piece)
            if is_shown:
                click.echo(f"\r{size(count)} ", nl=False, err=True)
    finally:
        if is_shown:
            click.echo("\r\x1b[K", nl=False, err=True)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
@config_option
def restore(*, file: Path, yes: bool, config: Path | None) -> None:
    r"""Put a backup in the place of the database.

    The daemon must not run. What is there now is kept beside it for a week. FILE is checked first
    and stays as it is; a packed one must be unpacked first. The restored file knows nothing of
    what came after it was made: what waited then is answered and sent (again), and people who were
    forgotten since are back (forget them again). Whoever is off the record now stays so, if what
    is there can be read.

    It asks first where a database would be replaced; without a terminal it needs --yes. Exit
    codes: 0 done; 1 FILE cannot be used, or you said no; 2 it may not ask; 75 the database is in
    use, or there is no room.

    \b
        systemctl stop openparallax.socket
        openparallax restore /backup/openparallax-2026-11-21.db
        systemctl start openparallax
    """
    database = control.database_of(config)
    from openparallax.storage import holder_of  # noqa: PLC0415 - not for --help
    from openparallax.storage import restoring as storage  # noqa: PLC0415 - the same
    from openparallax.storage.migrations import newest  # noqa: PLC0415 - the same

    schema = storage.verify(file)
    if holder_of(database) is not None:
        raise Refusal(
            f"{database} is in use: stop the daemon (or the other command) first.",
            exit_code=control.TRY_AGAIN,
        )
    if database.exists() and not yes:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise click.UsageError(
                f"{database} would be replaced: say --yes where nobody is asked."
            )
        if not click.confirm(f"Replace {database} by {file}?", err=True):
            raise Refusal("nothing was replaced.")
    restored = storage.restore(file, database)
    click.echo(f"{database} is restored from {click.format_filename(file)}.", err=True)
    if schema < newest():
        click.echo(
            f"It is of an older OpenParallax (schema {schema} of {newest()}): the next start "
            "brings it up to date, or openparallax migrate does it now.",
            err=True,
        )
    if restored.aside is not None:
        click.echo(f"What was there is kept for a week as {restored.aside}.", err=True)
    if not restored.was_told:
        click.echo(
            "What was there could not be read: whoever went off the record since the backup may be "
            "on it again, and what Meta repeats may be answered twice.",
            err=True,
        )
