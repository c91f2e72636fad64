"""``serve`` and ``check``."""

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from openparallax.cli.screen import config_option
from openparallax.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openparallax.config import Instead, Settings


@click.command()
@config_option
@click.option("--graph-api-url", metavar="URL", hidden=True, help="Instead of those of the file.")
@click.option("--storage-url", metavar="URL", hidden=True, help="Instead of that of the file.")
def serve(config: Path | None, graph_api_url: str | None, storage_url: str | None) -> None:
    """Run the daemon in the foreground.

    SIGTERM and SIGINT end it in order: what is being answered gets time to end, what waits is kept
    for the next start. A second signal ends it at once. Try the file with "openparallax check"
    first.

    Exit codes: 0 stopped in order; 75 the port is taken, another process has the database, or its
    disk refuses; 78 the configuration, or something that it names, cannot be used, such as a
    database that is damaged.
    """
    # With it Python would write the keys of each connection to Graph and to the model's provider
    # into a file, and whoever has those can read what went over it: off the record as well.
    os.environ.pop("SSLKEYLOGFILE", None)
    from openparallax.config import Instead  # noqa: PLC0415 - --help need not wait for it

    instead = Instead(graph_api_url=graph_api_url, storage_url=storage_url)
    settings = load_settings(config, instead)
    from openparallax.app import daemon  # noqa: PLC0415 - not for --help, nor for a wrong file

    sys.exit(daemon.run(settings, partial(load_settings, settings.file, instead)))


@click.command()
@config_option
def check(config: Path | None) -> None:
    """Say everything that is wrong with the configuration.

    Each problem comes with file, line and key, and never with a value, so that the output may be
    shown to others. Secrets, credentials and files that the configuration names must be there; root
    who asks about a file below /etc is shown the credentials of the service.

    Exit codes: 0 it is in order, perhaps with warnings; 78 it is not.
    """
    from openparallax.app.plugins import keepers  # noqa: PLC0415 - --help need not wait for it
    from openparallax.config import search  # noqa: PLC0415 - the same
    from openparallax.service.variables import as_the_service  # noqa: PLC0415 - the same

    environment = as_the_service(config or search(os.environ), os.environ)
    settings = load_settings(config, environment=environment)

    name = click.format_filename(settings.file)
    click.echo(f"{name} is in order")
    for warning in settings.warnings:
        click.echo(f"{name}: warning: {warning}")
    for keeper in keepers(settings):
        click.echo(
            f"{name}: warning: {keeper} keeps what is said, so /otr is refused;"
            " off_the_record.engine and off_the_record.pipeline may name others"
        )


def load_settings(
    path: Path | None,
    instead: "Instead | None" = None,
    text: bytes | None = None,
    environment: "Mapping[str, str] | None" = None,
) -> "Settings":
    """The configuration that ``-c`` names, or that is found where it is left out.

    ``text``: what it holds, where not what it holds now is wanted. ``environment``: the variables,
    where not those of this process.

    Raises:
        ConfigError: There is none, or it cannot be used.
    """
    from openparallax import config  # noqa: PLC0415 - --help need not wait for it
    from openparallax.app.settings import load  # noqa: PLC0415 - the same

    seen = os.environ if environment is None else environment
    found = path or config.search(seen)
    if found is None:
        places = ", ".join(str(place) for place in config.places(seen))
        said = f"no configuration found: name one with -c FILE, or put it at one of {places}"
        raise ConfigError([f"{said}; openparallax init writes one"])
    return load(found, environment=seen, instead=instead, text=text)
