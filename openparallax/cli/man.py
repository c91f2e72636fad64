"""``man``: the manual page, made of what the commands say of themselves.

Source:
    man(7) and groff_char(7): what is escaped, and how; Debian's man page guidelines.
"""

import re
from collections.abc import Iterator

import click

from openparallax import __version__

_DESCRIPTION = """\
OpenParallax is a daemon between a WhatsApp business number (Meta's Cloud API) and an engine that
answers, by default Claude. It is one process with one configuration file and one SQLite database.

Webhooks of Meta are acknowledged when what they brought is on disk. Each message then has exactly
one outcome, in order, through crashes, restarts and Meta's bad days. What a person says after /otr
is off the record: kept in memory only, and written down nowhere.

Run openparallax dev to try it on this machine, without an account or a key; openparallax init to
set up a number of yours; openparallax doctor to have everything checked."""
_ENVIRONMENT = {
    "OPENPARALLAX_CONFIG": "The configuration, where none is named with -c.",
    "WHATSAPP_ACCESS_TOKEN, WHATSAPP_APP_SECRET, WHATSAPP_VERIFY_TOKEN, ANTHROPIC_API_KEY": (
        "Secrets that the configuration does not say."
    ),
    "CONFIGURATION_DIRECTORY, STATE_DIRECTORY, RUNTIME_DIRECTORY, CREDENTIALS_DIRECTORY": (
        "Of a systemd service: where its configuration, its database, its socket and its secrets"
        " are."
    ),
    "XDG_CONFIG_HOME, XDG_STATE_HOME": "The same of a user; ~/.config and ~/.local/state if unset.",
    "NO_COLOR": "Print without colours.",
    "OPENPARALLAX_PLUGINS": (
        "Of the one-file program alone: folders, with colons between them, in which plugins were"
        " put by pip install --target. Where Python is installed, plugins are installed beside the"
        " package."
    ),
    "TMPDIR": "Of the one-file program alone: where it unpacks itself at each start; else /tmp.",
}
_FILES = {
    "/etc/openparallax/config.yaml, ~/.config/openparallax/config.yaml": "The configuration.",
    "/var/lib/openparallax/openparallax.db, ~/.local/state/openparallax/openparallax.db": (
        "The database, if the configuration names no other. Beside it: its log (-wal, -shm), its"
        " lock (.lock), and for a week copies made before a migration or a restore (.copy)."
    ),
}
_SIGNALS = {
    "SIGTERM, SIGINT": "End in order; a second one ends at once.",
    "SIGHUP": "Read the configuration anew.",
}
_SEE_ALSO = "systemd.service(5), journalctl(1), sqlite3(1)"
_EXIT_CODES = re.compile(r"Exit codes: (.*)", re.DOTALL)


@click.command()
@click.pass_context
def man(ctx: click.Context) -> None:
    r"""Print the manual page.

    \b
        openparallax man | man -l -
        openparallax man > /usr/local/share/man/man1/openparallax.1
    """
    # Under its own name, whatever it was called by.
    root = click.Context(ctx.find_root().command, info_name="openparallax")
    click.echo("\n".join(page(root.command, root)))


def page(command: click.Command, ctx: click.Context) -> Iterator[str]:
    """The lines of the manual page of ``command`` and all that is below it."""
    help_ = command.help or ""
    summary = help_.split("\n", 1)[0].rstrip(".")
    yield r".\" Made by openparallax man"
    yield f'.TH OPENPARALLAX 1 "" "OpenParallax {_escaped(__version__)}" "User Commands"'
    yield from (".SH NAME", rf"openparallax \- {_escaped(_uncapital(summary))}")
    yield from (".SH SYNOPSIS", ".B openparallax", ".RI [ options ]", ".I command", ".RI [ ... ]")
    yield ".SH DESCRIPTION"
    yield from _paragraphs(_DESCRIPTION)
    yield ".SH OPTIONS"
    yield from _options(command, ctx)
    yield ".SH COMMANDS"
    for one, one_ctx in _below(command, ctx):
        yield from _command(one, one_ctx)
    yield ".SH EXIT STATUS"
    codes = _EXIT_CODES.search(help_)
    yield from _paragraphs(_capital(" ".join(codes[1].split())) if codes else "")
    yield ".PP"
    yield "Commands that say more of theirs do so above."
    for name, entries in (("ENVIRONMENT", _ENVIRONMENT), ("FILES", _FILES), ("SIGNALS", _SIGNALS)):
        yield f".SH {name}"
        for term, text in entries.items():
            yield from (".TP", rf"\fB{_escaped(term)}\fR", _escaped(text))
    yield from (".SH SEE ALSO", _escaped(_SEE_ALSO))


def _below(
    command: click.Command, ctx: click.Context
) -> Iterator[tuple[click.Command, click.Context]]:
    """Each command that does something, in the order in which the help lists them."""
    if not isinstance(command, click.Group):
        return
    for name in command.list_commands(ctx):
        one = command.get_command(ctx, name)
        if one is None or one.hidden:
            continue
        inner = click.Context(one, info_name=name, parent=ctx)
        if not isinstance(one, click.Group) or one.invoke_without_command:
            yield one, inner
        yield from _below(one, inner)


def _command(command: click.Command, ctx: click.Context) -> Iterator[str]:
    usage = " ".join(command.collect_usage_pieces(ctx))
    yield f".SS {_escaped(ctx.command_path)}"
    yield rf"\fB{_escaped(ctx.command_path)}\fR \fI{_escaped(usage)}\fR"
    yield ".PP"
    yield from _paragraphs(command.help or "")
    yield from _options(command, ctx)


def _options(command: click.Command, ctx: click.Context) -> Iterator[str]:
    for parameter in command.get_params(ctx):
        record = parameter.get_help_record(ctx)
        if record is not None:
            yield from (
                ".TP",
                rf"\fB{_escaped(record[0])}\fR",
                _escaped(" ".join(record[1].split())),
            )


def _paragraphs(text: str) -> Iterator[str]:
    """Paragraphs as click has them: one that begins with a backspace is set as it stands."""
    for number, block in enumerate(re.split(r"\n\s*\n", text.strip())):
        lines = block.splitlines()
        if lines and lines[0].strip() == "\b":
            yield from (".PP", ".RS 4", ".nf")
            indent = min(len(line) - len(line.lstrip()) for line in lines[1:])
            yield from (_escaped(line[indent:]) for line in lines[1:])
            yield from (".fi", ".RE")
        elif block:
            if number:
                yield ".PP"
            yield _escaped(" ".join(block.split()))


def _escaped(text: str) -> str:
    r"""Text as roff sets it: a minus where people would copy one, no line taken for a request.

    >>> _escaped(".\\n -c '$HOME'")
    "\\&.\\en \\-c \\(aq$HOME\\(aq"
    """
    found = text.replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq")
    found = found.replace("^", r"\(ha").replace("~", r"\(ti").replace("`", r"\(ga")
    found = found.replace("…", "...").replace("→", r"\(->")
    return r"\&" + found if found.startswith(".") else found


def _uncapital(text: str) -> str:
    return text[:1].lower() + text[1:]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
