"""The command ``openparallax``, and how every command of it ends."""

import errno
import traceback
from pathlib import Path
from typing import Any

import click

from openparallax import __version__
from openparallax.cli.daemon import check, serve
from openparallax.errors import ConfigError, StartError

_EX_SOFTWARE = 70
_EX_CONFIG = 78
_INTERRUPTED = 130


class _Commands(click.Group):
    """Turns whatever ends a command into a sentence and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            for problem in error.problems:
                click.echo(problem, err=True)
            ctx.exit(_EX_CONFIG)
        except StartError as error:
            click.echo(f"openparallax: {error}", err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            ctx.exit(_INTERRUPTED)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise  # the reader of our output went away; click knows what to do
            click.echo(f"openparallax: internal error: {_trace(error)}", err=True)
            ctx.exit(_EX_SOFTWARE)


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


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s", prog_name="openparallax")
def main() -> None:
    """Connect a WhatsApp business number to the engine that answers."""


main.add_command(serve)
main.add_command(check)
