"""The configuration, held against the engines and stages that are installed."""

from collections.abc import Mapping
from pathlib import Path

from openparallax import config
from openparallax.app.plugins import engine_catalog, stage_catalog
from openparallax.config import Settings
from openparallax.session.notices import SENTENCES


def load(
    path: Path,
    *,
    environment: Mapping[str, str],
    instead: config.Instead | None = None,
    text: bytes | None = None,
) -> Settings:
    """As `config.load`, with all that a configuration may name.

    Raises:
        ConfigError: It cannot be used.
    """
    return config.load(
        path,
        environment=environment,
        engines=engine_catalog(),
        stages=stage_catalog(),
        sentences=SENTENCES,
        instead=instead,
        text=text,
    )
