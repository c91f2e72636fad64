"""What the daemon runs with: a file made for it, or a person's own with two things replaced."""

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from openparallax import config
from openparallax.app.dev.folder import Folder
from openparallax.app.settings import load
from openparallax.config import Settings
from openparallax.config.document import Tree
from openparallax.emulator import Account
from openparallax.errors import ConfigError

DRAIN_S = 5
_OF_REAL_NUMBERS = ("WHATSAPP_", "OPENPARALLAX_")
_OF_A_SERVICE = frozenset(
    {"STATE_DIRECTORY", "RUNTIME_DIRECTORY", "CONFIGURATION_DIRECTORY", "CREDENTIALS_DIRECTORY"}
    | {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}
)
_HEAD = (
    "# Written by openparallax dev at each start. The secrets are in the daemon's environment.\n"
)
_HEAD_OF_OWN = """\
# Written by openparallax dev, for "openparallax status -c" and the like: what runs there is the
# configuration named below, with this database instead of its own.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """A daemon that could be started.

    Attributes:
        settings: As the daemon itself will read them, but for Graph's address.
        arguments: Behind ``openparallax serve``, but for Graph's address.
        environment: Of the daemon.
        own: The person's own configuration, where it is one.
    """

    settings: Settings
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    own: Path | None = None


def default_engine(environment: Mapping[str, str]) -> str:
    """Claude where there is a key for it."""
    return "anthropic" if environment.get("ANTHROPIC_API_KEY") else "echo"


def generate(
    folder: Folder,
    environment: Mapping[str, str],
    *,
    engine: str,
    webhook_port: int,
    admin_port: int | None,
    changes: Mapping[str, Tree] | None = None,
) -> Setup:
    """Write a configuration into ``folder``, with secrets that are made anew for each run.

    Args:
        folder: Where it goes, with the database beside it.
        environment: Of this process; what is set for a real number is not handed on.
        engine: By name.
        webhook_port: Where the daemon listens.
        admin_port: None: no port for the operator; the command line reaches the daemon anyway.
        changes: Laid over it, block by block.

    Raises:
        ConfigError: The engine is none, or wants settings or a key that are not there.
        StartError: The file cannot be written.
    """
    account = Account()
    document: dict[str, Any] = {
        "channels": {
            "whatsapp": {
                "phone_number_id": account.numbers[0].id,
                "access_token_env": "WHATSAPP_ACCESS_TOKEN",
                "app_secret_env": "WHATSAPP_APP_SECRET",
                "verify_token_env": "WHATSAPP_VERIFY_TOKEN",
                "webhook_port": webhook_port,
                "rate_limit": None,  # whoever tries it may type as fast as they like
                "app_id": account.app_id,
                "waba_id": account.waba_id,
            }
        },
        "engine": {"type": engine},
        "conversation": {"drain_seconds": DRAIN_S},
        "storage": {"url": f"sqlite:///{folder.database}"},
        "admin": {"enabled": False} if admin_port is None else {"port": admin_port},
        "log": {"format": "text"},
    }
    _lay_over(document, changes or {})
    folder.write(folder.config, _HEAD + yaml.safe_dump(document, sort_keys=False))
    kept = {
        name: value
        for name, value in environment.items()
        if name not in _OF_A_SERVICE and not name.startswith(_OF_REAL_NUMBERS)
    }
    kept |= {
        "WHATSAPP_ACCESS_TOKEN": secrets.token_hex(24),
        "WHATSAPP_APP_SECRET": secrets.token_hex(16),
        "WHATSAPP_VERIFY_TOKEN": secrets.token_hex(16),
    }
    return Setup(
        settings=_load_made(folder.config, kept),
        arguments=("-c", str(folder.config)),
        environment=kept,
    )


def read_own(path: Path, folder: Folder, environment: Mapping[str, str]) -> Setup:
    """Read a person's own configuration. Its database is left alone: ``folder`` has another one.

    Answers that wait in the real one would be sent to the emulator, and so be lost.

    Raises:
        ConfigError: It is not in order.
        StartError: ``folder`` cannot be written to.
    """
    path = path.absolute()
    storage = f"sqlite:///{folder.database}"
    told = json.dumps({"storage": {"url": storage}}, indent=2)
    folder.write(folder.config, f"{_HEAD_OF_OWN}# {json.dumps(str(path))}\n{told}\n")
    settings = load(path, environment=environment, instead=config.Instead(storage_url=storage))
    if not settings.whatsapp.webhook_port:
        raise ConfigError(
            [f"{path}: channels.whatsapp.webhook_port is 0: webhooks would not find it"]
        )
    return Setup(
        settings=settings,
        arguments=("-c", str(path), "--storage-url", storage),
        environment=dict(environment),
        own=path,
    )


def _load_made(path: Path, environment: Mapping[str, str]) -> Settings:
    """As `load`; no person has written that file, so its lines are not named."""
    try:
        return load(path, environment=environment)
    except ConfigError as error:
        place = re.compile(rf"{re.escape(str(path))}(:\d+)?: ")
        raise ConfigError([place.sub("", one, count=1) for one in error.problems]) from None


def _lay_over(document: dict[str, Any], changes: Mapping[str, Any]) -> None:
    for name, value in changes.items():
        below = document.get(name)
        if isinstance(below, dict) and isinstance(value, Mapping):
            _lay_over(below, value)
        else:
            document[name] = value
