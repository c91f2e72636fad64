"""``schema``."""

import json

import click


@click.command()
def schema() -> None:
    r"""Print the JSON Schema of the configuration, for editors.

    With it an editor completes and checks the file while you type. Write it beside the file, and
    name it in the file's first line:

    \b
        openparallax schema > openparallax.schema.json
        # yaml-language-server: $schema=openparallax.schema.json

    It knows the engines and stages that are installed; make it anew when that changes.
    """
    from openparallax import config  # noqa: PLC0415 - --help need not wait for it
    from openparallax.app.plugins import engine_catalog, stage_catalog  # noqa: PLC0415 - the same
    from openparallax.session.notices import SENTENCES  # noqa: PLC0415 - the same

    described = config.schema(engine_catalog(), stage_catalog(), SENTENCES)
    click.echo(json.dumps(described, indent=2))
