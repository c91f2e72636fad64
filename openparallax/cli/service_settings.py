"""What ``service`` makes of the configuration: where it is, and what the units come to."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openparallax.cli import control
from openparallax.errors import ConfigError, OpenParallaxError, Refusal

if TYPE_CHECKING:
    from openparallax.config import Settings
    from openparallax.service.layout import Layout
    from openparallax.service.plan import Plan


def file_of(given: Path | None, layout: "Layout") -> Path | None:
    """The configuration: named, or where the service looks; None if there is none."""
    if given is not None:
        return given.absolute()
    if layout.is_user:
        from openparallax.config import search  # noqa: PLC0415 - --help need not wait for it

        found = search(os.environ)
        return found.absolute() if found is not None else None
    try:
        return layout.config if layout.config.exists() else None
    except OSError:
        return layout.config


def plan_of(
    file: Path | None, layout: "Layout", *, is_shown: bool
) -> tuple["Plan", "Settings | None"]:
    """What the units are made of; from the defaults where there is no configuration."""
    from dataclasses import replace  # noqa: PLC0415 - --help need not wait for all of these

    from openparallax.app import service as seen  # noqa: PLC0415
    from openparallax.service.plan import SHIPPED, Plan  # noqa: PLC0415

    program: tuple[str, ...] = SHIPPED
    try:
        program = seen.this_program(layout)
    except Refusal as refusal:
        if not is_shown:
            raise
        click.echo(f"openparallax: {refusal} Shown is {SHIPPED[0]}.", err=True)
    try:
        if file is None:
            click.echo("openparallax: there is no configuration, so the defaults hold.", err=True)
            return Plan(program=program), None
        settings = seen.settings_of_service(file, layout, os.environ)
        plan = seen.make_plan(settings, layout, program, os.environ)
    except OpenParallaxError as error:
        if not is_shown:
            raise
        click.echo(f"{error}\nopenparallax: shown is what holds by default.", err=True)
        return Plan(program=program), None
    if layout.root != Path("/"):  # it is read for what it says, and will be at the usual place
        plan = replace(plan, config=None)
    return plan, settings


def needed_by(plan: "Plan", settings: "Settings | None") -> list[Path]:
    """What the service's user must be able to read."""
    if settings is None:
        return []
    tls = settings.whatsapp.tls
    return [
        Path(plan.program[0]),
        settings.file,
        *plan.readable,
        *((tls.certificate, tls.key) if tls else ()),
    ]


def difference(database: Path) -> str:
    """Why the daemon that runs is not the one that this program would start."""
    from openparallax import __version__  # noqa: PLC0415 - --help need not wait for these
    from openparallax.build import commit  # noqa: PLC0415

    try:
        found: Any = control.ask(control.running_daemon(database), "status", {})
        version, running = str(found["version"]), str(found["commit"])
    except Refusal:
        return "the daemon does not answer"
    if version != __version__:
        return f"it was version {version}, and is now {__version__}"
    own = commit()
    if own and running and own != running and not own.startswith(running):
        return f"it was of commit {running[:12]}, and is now of {own[:12]}"
    return ""


def database_of(config: Path | None, layout: "Layout") -> Path:
    from openparallax.config import find_database  # noqa: PLC0415 - --help need not wait for it

    usual = layout.state / "openparallax.db"
    file = file_of(config, layout)
    surroundings = dict(os.environ)
    if not layout.is_user:
        surroundings["STATE_DIRECTORY"] = str(layout.state)
    try:
        if file is None and not layout.is_user:
            return usual
        return find_database(file, surroundings)
    except ConfigError as error:
        click.echo(f"{error}\nopenparallax: so the database is looked for at {usual}.", err=True)
        return usual
