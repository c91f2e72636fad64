"""The configuration: one YAML file, read once, strict.

In comes a path and the environment; out goes `Settings`, frozen, or a `ConfigError` with every
problem at once, each with line and key, none with a value. The way of a file::

    document   text to a tree with the line of each key; YAML's traps are caught here
    resolve    the tree beside the models: secrets fetched, variables put in, strangers refused
    validate   pydantic's strict check, its findings put into sentences of our own
    choices    the engine and the stages, by their plugins' own models
    rules      what no single key can be blamed for; certificates: whether the pair is one

Beside that way: where the file lies (places) and the database (database), what a caller puts in
place of the file's own (instead), and what editors are told of the file (schema).

The names of engines, stages and notices are handed in, since the rooms that know them lie above.
The daemon never rewrites the file. Everybody may enter.
"""

from openparallax.config.database import find_database, guess_database
from openparallax.config.instead import Instead
from openparallax.config.load import load
from openparallax.config.numbers import normalise_number
from openparallax.config.places import places, search
from openparallax.config.schema import schema
from openparallax.config.settings import (
    Catalog,
    EngineChoice,
    OffTheRecord,
    Settings,
    StageChoice,
    Storage,
)
from openparallax.config.whatsapp import Tls, WhatsApp

__all__ = [
    "Catalog",
    "EngineChoice",
    "Instead",
    "OffTheRecord",
    "Settings",
    "StageChoice",
    "Storage",
    "Tls",
    "WhatsApp",
    "find_database",
    "guess_database",
    "load",
    "normalise_number",
    "places",
    "schema",
    "search",
]
