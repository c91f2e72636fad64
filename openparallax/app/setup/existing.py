"""What is there already: a configuration, variables, answers of a run that was broken off."""

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeGuard

from openparallax.app.setup.answers import HARMLESS, SECRETS, Kept, Offers
from openparallax.config.document import Tree, bytes_of, folder_of, load_text, parse
from openparallax.config.problems import Problems, Where
from openparallax.config.secrets import NotFound, Sources
from openparallax.config.whatsapp import WhatsApp
from openparallax.errors import ConfigError

_MOST_BYTES: Final = 16 * 1024
_LONGEST: Final = 300
"""Of one answer that was left behind."""
_VALUES: Final = ("app_id", "phone_number_id", "waba_id", "public_url")
_VARIABLES: Final = {
    **WhatsApp.secret_variables,
    "verify_token": "WHATSAPP_VERIFY_TOKEN",
}


@dataclass(frozen=True, slots=True)
class Existing:
    """A configuration that is there.

    Attributes:
        text: As it stands.
        tree: What is in it.
        lines: The line of each key, counted from 1.
    """

    text: str = field(repr=False)
    tree: Mapping[str, Tree] = field(repr=False)
    lines: Mapping[Where, int] = field(repr=False)


def read(path: Path) -> Existing | None:
    """The configuration at ``path``; None where nothing is there.

    Raises:
        ConfigError: Something is there that cannot be read as settings.
    """
    if not path.exists() and not path.is_symlink():
        return None
    problems = Problems(str(path))
    text = load_text(str(path), bytes_of(path))
    tree = parse(text, problems)
    problems.raise_if_any()
    if tree is not None and not isinstance(tree, dict):
        raise ConfigError([f"{path}:1: must be settings, each a `key: value`"])
    return Existing(text, tree or {}, problems.lines)


def offers(
    existing: Existing | None,
    path: Path,
    environment: Mapping[str, str],
    left: Mapping[str, str],
    *,
    credentials: Path | None,
) -> Offers:
    """What may be offered: the file's own values first, then variables, then what was left.

    Args:
        existing: The configuration that is there.
        path: Its place.
        environment: Of this process.
        left: Harmless answers of a run that was broken off.
        credentials: The folder that the service manager reads credentials from; None: the one of
            the environment.
    """
    surroundings = dict(environment)
    if credentials is not None:
        surroundings["CREDENTIALS_DIRECTORY"] = str(credentials)
    sources = Sources(surroundings, folder_of(path))
    tree: Mapping[str, Tree] = existing.tree if existing else {}
    whatsapp = _block(_block(tree.get("channels")).get("whatsapp"))
    engine = _block(tree.get("engine"))
    values = {name: text for name in _VALUES if (text := _text(whatsapp.get(name), sources))}
    if existing is not None:
        values["engine"] = _text(engine.get("type"), sources) or "anthropic"
    secrets = _secrets(whatsapp, engine, sources, environment)
    fields = WhatsApp.model_fields
    port = whatsapp.get("webhook_port")
    return Offers(
        values={**left, **values},
        secrets=secrets,
        allowed=_listed(whatsapp),
        webhook_path=_text(whatsapp.get("webhook_path"), sources) or fields["webhook_path"].default,
        webhook_port=port if isinstance(port, int) else fields["webhook_port"].default,
        graph_api_url=(
            _text(whatsapp.get("graph_api_url"), sources) or fields["graph_api_url"].default
        ),
        graph_api_version=(
            _text(whatsapp.get("graph_api_version"), sources) or fields["graph_api_version"].default
        ),
    )


def _secrets(
    whatsapp: Mapping[str, Tree],
    engine: Mapping[str, Tree],
    sources: Sources,
    environment: Mapping[str, str],
) -> dict[str, Kept]:
    found = {}
    for name in SECRETS:
        kept = _named(whatsapp, name, sources) or _unnamed(f"whatsapp_{name}", sources)
        if kept is None and (value := environment.get(_VARIABLES[name], "").strip()):
            kept = Kept(f"${_VARIABLES[name]}", value)
        if kept is not None:
            found[name] = kept
    for key in engine:
        name = key.removesuffix("_env")
        if kept := _named(engine, name, sources, only_told=True):
            found[f"engine.{name}"] = kept
    return found


def _named(
    block: Mapping[str, Tree], name: str, sources: Sources, *, only_told: bool = False
) -> Kept | None:
    """A secret that the file names; of two, during a rotation, the first one's value."""
    for key, fetch in ((f"{name}_env", sources.named_secret), (name, sources.secret)):
        given = block.get(key)
        first = given[0] if isinstance(given, list) and given else given
        if not isinstance(first, str):
            continue
        place = "where the configuration says"
        if key != name and first.isidentifier():
            place = f"${first}"
        elif first.startswith("file:"):
            place = f"the file {first.removeprefix('file:')}"
        elif first.startswith("credential:"):
            place = f"the credential {first.removeprefix('credential:')}"
        elif only_told and key == name and not first.startswith("${"):
            continue  # a setting like any other
        try:
            return Kept(place, fetch(first), is_of_file=True)
        except NotFound:
            return Kept(place, is_of_file=True)
    return None


def _unnamed(credential: str, sources: Sources) -> Kept | None:
    """One that the configuration need not name."""
    try:
        value = sources.credential(credential)
    except NotFound:
        return None
    return Kept(f"the credential {credential}", value, is_of_file=True) if value else None


def _listed(whatsapp: Mapping[str, Tree]) -> tuple[str, ...] | None:
    listed = whatsapp.get("allowed_numbers")
    if not isinstance(listed, list):
        return None
    return tuple(str(one) for one in listed if isinstance(one, str | int))


def _text(value: Tree, sources: Sources) -> str:
    """A value as text; what cannot be had is not offered."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    try:
        return sources.expand(str(value))
    except NotFound:
        return ""


def _block(tree: Tree) -> Mapping[str, Tree]:
    return tree if isinstance(tree, dict) else {}


# -- answers of a run that was broken off ---------------------------------------------------------


def left_behind(place: Path | None) -> dict[str, str]:
    """Harmless answers of an earlier run; {} where there are none, or they cannot be read."""
    try:
        told: Any = json.loads(_read(place)) if place else {}
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(told, dict):
        return {}
    return {name: text for name in HARMLESS if _is_harmless(text := told.get(name))}


def _read(place: Path) -> bytes:
    """What it holds; nobody waits for what is no ordinary file."""
    opened = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(opened, "rb") as file:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            return b""
        return file.read(_MOST_BYTES)


def _is_harmless(value: object) -> TypeGuard[str]:
    """It may be shown between brackets."""
    return isinstance(value, str) and value.isprintable() and len(value) <= _LONGEST


def leave(place: Path | None, answers: Mapping[str, str]) -> bool:
    """Keep harmless answers for the next run, for this user alone; whether that was done."""
    told = {name: answers[name] for name in HARMLESS if answers.get(name)}
    if place is None or not told:
        return False
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = place.with_name(f".{place.name}.{os.getpid()}")
        with os.fdopen(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            json.dump(told, file)
        beside.replace(place)
    except OSError:
        return False
    return True
