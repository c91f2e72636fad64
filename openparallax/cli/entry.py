"""The command ``openparallax``, and how every command of it ends."""

import errno
import io
import os
import sys
import traceback
from pathlib import Path
from typing import Any

import click

from openparallax import __version__
from openparallax.build import commit
from openparallax.cli.alerts import alerts
from openparallax.cli.backup import backup, restore
from openparallax.cli.completion import completion
from openparallax.cli.daemon import check, serve
from openparallax.cli.dev import dev
from openparallax.cli.doctor import doctor
from openparallax.cli.example import example
from openparallax.cli.healthcheck import healthcheck
from openparallax.cli.init import init
from openparallax.cli.man import man
from openparallax.cli.migrate import migrate
from openparallax.cli.reload import reload_
from openparallax.cli.schema import schema
from openparallax.cli.screen import InOrder, escaped, wrapped
from openparallax.cli.send import send
from openparallax.cli.service import service
from openparallax.cli.sessions import sessions
from openparallax.cli.status import status
from openparallax.cli.tail import tail
from openparallax.cli.why import why
from openparallax.errors import ConfigError, NotStored, Refusal, StartError

_EX_SOFTWARE = 70
_EX_TEMPFAIL = 75
_EX_CONFIG = 78
_INTERRUPTED = 130
_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO})


class _Commands(InOrder):
    """Turns whatever ends a command into a sentence and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        _print_what_can_be_printed()
        # Whatever a command makes, also what SQLite makes for it, is for its user alone.
        before = os.umask(0o077)
        try:
            return self._invoke(ctx)
        except ConfigError as error:
            for problem in error.problems:
                _say(problem)
            ctx.exit(_EX_CONFIG)
        except (StartError, Refusal) as error:
            _say(f"openparallax: {error}")
            ctx.exit(error.exit_code)
        except NotStored as error:
            _say(f"openparallax: {error}; try again")
            ctx.exit(_EX_TEMPFAIL)
        except KeyboardInterrupt:
            ctx.exit(_INTERRUPTED)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise  # the reader of our output went away; click knows what to do
            if isinstance(error, OSError) and error.errno in _DISK:
                click.echo(f"openparallax: cannot write: {error.strerror}", err=True)
                ctx.exit(_EX_TEMPFAIL)
            click.echo(f"openparallax: internal error: {_trace(error)}", err=True)
            ctx.exit(_EX_SOFTWARE)
        finally:
            os.umask(before)

    def _invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.Abort:  # as click calls an interrupt while a question is asked
            click.echo(err=True)
            raise KeyboardInterrupt from None
        except click.UsageError as error:
            if "unexpected extra argument" not in error.message:
                raise
            raise click.UsageError(
                f"{error.message}. A configuration is named with -c FILE, and what has spaces in"
                " it wants quotes round it.",
                error.ctx,
            ) from None


def _print_what_can_be_printed() -> None:
    """A name that the terminal's encoding lacks is no internal error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _say(sentence: str) -> None:
    """On standard error: a key of a file, say, may hold what would command the terminal."""
    for line in escaped(sentence, keeps="\n\t").split("\n"):
        is_sentence = sys.stderr.isatty() and not line.startswith(" ")
        for piece in wrapped(line) if is_sentence else [line]:
            click.echo(piece, err=True)


def _trace(error: BaseException) -> str:
    """Types and frames, innermost last; no message, since it may quote words or secrets."""
    frames = " ".join(
        f"{Path(frame.filename).name}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)[-8:]
    )
    text = f"{type(error).__name__} ({frames})"
    if isinstance(error, BaseExceptionGroup):
        text += " of " + ", ".join(_trace(inner) for inner in error.exceptions[:4])
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return f"{text} after {_trace(cause)}" if cause is not None else text


def _print_version(ctx: click.Context, _option: click.Parameter, is_asked: bool) -> None:  # noqa: FBT001 - click's call
    if is_asked and not ctx.resilient_parsing:
        found = commit()
        click.echo(
            f"openparallax {__version__} ({f'commit {found[:12]}' if found else 'unknown commit'})"
        )
        ctx.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Show version and commit.",
)
def main() -> None:
    r"""Connect a WhatsApp business number to the engine that answers.

    To try it without a Meta account, run openparallax dev. For a number of yours:

    \b
        openparallax init                     write a configuration, by asking
        openparallax check -c config.yaml     what is wrong with the file?
        openparallax serve -c config.yaml     run the daemon
        openparallax status -c config.yaml    how is it?

    Exit codes: 0 done, 1 refused or a problem found, 2 usage, 69 daemon not running, 70 internal
    error, 75 try again, 77 not for this user, 78 configuration, 130 interrupted.
    """


def _lay_out(command: click.Command) -> None:
    r"""Docstrings are raw, and click looks for the character that ``\b`` stands for elsewhere."""
    command.help = (command.help or "").replace("\\b\n", "\b\n")
    if isinstance(command, click.Group):
        for one in command.commands.values():
            _lay_out(one)


for _command in (
    dev,
    init,
    serve,
    check,
    doctor,
    service,
    reload_,
    status,
    tail,
    why,
    healthcheck,
    alerts,
    sessions,
    send,
    backup,
    restore,
    migrate,
    schema,
    example,
    completion,
    man,
):
    main.add_command(_command)
_lay_out(main)
