"""``example``: files that go with a daemon, printed."""

from importlib.resources import files

import click

from openparallax.cli.screen import wrapped
from openparallax.errors import Refusal

_COMMENTS = "#/ "


def names() -> list[str]:
    """Of the examples that the package carries."""
    folder = files("openparallax") / "examples"
    return sorted(one.name for one in folder.iterdir() if one.is_file())


def text_of(name: str) -> str:
    """The whole of one of them."""
    return (files("openparallax") / "examples" / name).read_text("utf-8")


@click.command()
@click.argument("name", required=False)
def example(name: str | None) -> None:
    r"""Print a file that goes with the daemon; without a name, list them.

    Alert rules for Prometheus, a dashboard for Grafana, a proxy in front, an alert command. They
    are to be looked through: names and addresses in them are yours to fill in.

    \b
        openparallax example
        openparallax example Caddyfile > /etc/caddy/Caddyfile
    """
    known = names()
    if name is None:
        width = max(map(len, known))
        for one in known:
            for line in wrapped(_about(one), first=f"{one:<{width}}  ", indent=" " * (width + 2)):
                click.echo(line)
        return
    if name not in known:
        raise Refusal(f"there is no such example: there are {', '.join(known)}", exit_code=2)
    click.echo(text_of(name), nl=False)


def _about(name: str) -> str:
    """What its first comment says, or its title."""
    if name.endswith(".json"):
        import json  # noqa: PLC0415 - only for the list

        return str(json.loads(text_of(name))["description"])
    lines = (line for line in text_of(name).splitlines() if not line.startswith("#!"))
    return next(lines).strip(_COMMENTS)
