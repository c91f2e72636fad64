"""``service``: the daemon as a service of systemd."""

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from openparallax.cli import service_settings
from openparallax.cli.screen import InOrder, config_option, json_option, print_json
from openparallax.errors import ConfigError, Refusal

if TYPE_CHECKING:
    from openparallax.service.layout import Layout
    from openparallax.service.system import System

_NOT_THIS_USER = 77
_user_option = click.option(
    "--user", "is_user", is_flag=True, help="A service of yours, and not of the machine."
)
_root_option = click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="FOLDER",
    help="Another machine's files, such as an image's: nothing is started.",
)


@click.group(cls=InOrder)
def service() -> None:
    r"""Run the daemon as a service of systemd.

    Of the machine, as a user of its own and shut in, for which one must be root; or with --user as
    your own. systemd holds the port, so that a restart refuses nobody.

    \b
        sudo openparallax service install        install, or bring up to date
        openparallax service status              how is it?
        openparallax service logs -f             what does it say?
    """


@service.command()
@config_option
@_user_option
@click.option("--print", "is_shown", is_flag=True, help="Show every file, and write nothing.")
@_root_option
def install(*, config: Path | None, is_user: bool, is_shown: bool, root: Path | None) -> None:
    """Put the service in place, start it and wait until it is ready; or bring it up to date.

    The units are made for this very program and from the configuration, checked by systemd, and
    taken back if the service does not start. Run it again after an upgrade or a change of the
    configuration: it says what it changed, restarts the daemon if something did (whoever calls
    meanwhile waits, and is not refused), and leaves your own drop-ins alone.

    Exit codes: 0 it runs; 1 it does not, or there is no systemd here; 77 not for this user; 78 the
    configuration does not suit a service.
    """
    from openparallax.service import condition, units  # noqa: PLC0415 - --help need not wait
    from openparallax.service.installing import Installation  # noqa: PLC0415 - the same

    layout = _layout(root, is_user=is_user)
    file = service_settings.file_of(config, layout)
    if is_shown:
        plan, _ = service_settings.plan_of(file, layout, is_shown=True)
        for place, text in units.files(plan, layout).items():
            click.echo(f"### {place}\n{text}")
        return
    _must_be_root(layout)
    system = _system(layout)
    if file is None and root is None:
        how = "openparallax init" if is_user else "sudo openparallax init --system"
        raise ConfigError(
            [f"there is no configuration at {layout.config}: {how} writes one, or name it: -c FILE"]
        )
    plan, settings = service_settings.plan_of(file, layout, is_shown=False)
    found = Installation(
        plan=plan,
        layout=layout,
        system=system,
        needed=service_settings.needed_by(plan, settings),
        watched=[
            *([settings.file] if settings else []),
            layout.variables,
            *(path for name, _ in plan.credentials if (path := layout.credential(name))),
        ],
        differs=lambda: service_settings.difference(settings.storage.path) if settings else "",
        starts=root is None,
        says=click.echo,
    ).install()
    if found is None:
        return
    for line in condition.lines(found, _more(is_user=is_user)):
        click.echo(f"  {line}")
    if is_user:
        _tell_of_lingering(system)


@service.command()
@config_option
@_user_option
@click.option("--purge", is_flag=True, help="Remove configuration, credentials and database too.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_root_option
def uninstall(
    *, config: Path | None, is_user: bool, purge: bool, yes: bool, root: Path | None
) -> None:
    """Stop the service and remove what install wrote.

    The configuration, the credentials, the database, your drop-ins and the user openparallax stay.
    --purge removes them as well, asking first: what people wrote is gone then, save in backups.

    Exit codes: 0 done; 1 it could not be, or you said no; 2 it may not ask; 77 not for this user.
    """
    from openparallax.service import removing  # noqa: PLC0415 - --help need not wait for it

    layout = _layout(root, is_user=is_user)
    _must_be_root(layout)
    system = _system(layout)
    paths: list[Path] = []
    if purge:
        paths = list(removing.kept(layout, service_settings.database_of(config, layout)))
        _confirm(paths, is_agreed=yes)
    removing.remove(layout, system, click.echo, is_live=root is None)
    if purge:
        removing.purge(paths, layout, system, click.echo)
    else:
        click.echo(f"kept: {layout.folder}, the credentials and the database (--purge)")


@service.command()
@_user_option
@json_option
def status(*, is_user: bool, as_json: bool) -> None:
    """Say how the service is, in words. How the daemon is: openparallax status.

    Exit codes: 0 it runs; 1 it does not, or there is no systemd here.
    """
    from openparallax.service import condition  # noqa: PLC0415 - --help need not wait for it

    found = condition.look(_system(_layout(None, is_user=is_user)))
    if as_json:
        print_json(found.as_json())
    else:
        for line in condition.lines(found, _more(is_user=is_user)):
            click.echo(line)
    sys.exit(0 if found.is_running else 1)


@service.command()
@_user_option
@click.option("-n", "--lines", default=100, show_default=True, help="How many, from the end.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes.")
@click.option("--since", metavar="TIME", help='Such as "1 hour ago", today or 2026-11-22 08:00.')
def logs(*, is_user: bool, lines: int, follow: bool, since: str | None) -> None:
    """Show what the service logged: no line holds what people write.

    Exit codes: those of journalctl; 1 there is none here.
    """
    system = _system(_layout(None, is_user=is_user), needs_boot=False)
    program = system.find("journalctl")
    if program is None:
        raise Refusal(
            "there is no journalctl here, so no journal of systemd's: the log of openparallax serve"
            " goes to its standard error, wherever that leads."
        )
    words = [program, *(["--user"] if is_user else []), "--no-hostname"]
    words += ["-u", "openparallax.service", "-u", "openparallax.socket", "-n", str(lines)]
    words += ["-f"] if follow else []
    words += [f"--since={since}"] if since else []
    sys.stdout.flush()
    sys.exit(subprocess.call(words))  # noqa: S603 - no shell; the words are ours but for a time


# -- what the commands share ---------------------------------------------------------------------


def _layout(root: Path | None, *, is_user: bool) -> "Layout":
    from openparallax.service import layout  # noqa: PLC0415 - --help need not wait for it

    if is_user:
        if root is not None:
            raise click.UsageError("--root is for services of a machine, not for --user.")
        return layout.of_user(os.environ)
    return layout.of_machine((root or Path("/")).absolute())


def _system(layout: "Layout", *, needs_boot: bool = True) -> "System":
    from openparallax.service.system import System  # noqa: PLC0415 - --help need not wait for it

    root = None if layout.root == Path("/") else layout.root
    return System(os.environ, is_user=layout.is_user, root=root, needs_boot=needs_boot)


def _more(*, is_user: bool) -> str:
    return "--user " if is_user else ""


def _must_be_root(layout: "Layout") -> None:
    if not layout.is_user and layout.root == Path("/") and os.geteuid() != 0:
        raise Refusal(
            "a service of the machine needs root: sudo, or --user for a service of your own.",
            exit_code=_NOT_THIS_USER,
        )


def _confirm(paths: list[Path], *, is_agreed: bool) -> None:
    if is_agreed or not paths:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise click.UsageError("--purge asks first: say --yes where nobody is asked.")
    for path in paths:
        click.echo(f"  {path}", err=True)
    if not click.confirm("Remove all of this for good, with every word in it?", err=True):
        raise Refusal("nothing was removed.")


def _tell_of_lingering(system: "System") -> None:
    user = os.environ.get("USER") or str(os.geteuid())
    done = system.run("loginctl", "show-user", user, "--property=Linger", "--value")
    said = done.out.strip()
    if said == "no" or (done.code and not Path("/var/lib/systemd/linger", user).exists()):
        click.echo(
            f"  It ends when you log out: sudo loginctl enable-linger {user} lets it run on, and"
            " start with the machine."
        )
