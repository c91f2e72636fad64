"""What differs between two configurations, by key; and which of it a restart has to bring."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final

from pydantic import BaseModel

from openparallax.config import EngineChoice, Settings

NEED_A_RESTART: Final = frozenset(
    {
        "channels.whatsapp.webhook_host",
        "channels.whatsapp.webhook_port",
        "channels.whatsapp.webhook_path",
        "channels.whatsapp.tls",  # on or off; other files of the pair are taken at once
        "admin.enabled",
        "admin.host",
        "admin.port",
        "storage.url",
        "log.format",
        "tracing.enabled",
    }
)
"""Keys that are read at a start only. Every other one is in force as soon as it is reloaded."""

_WHATSAPP: Final = "channels.whatsapp"
_NO_SETTINGS: Final = frozenset({"file", "warnings"})
_NAMES: Final = {"whatsapp": _WHATSAPP, "storage.path": "storage.url"}


def differences(before: Settings, after: Settings) -> tuple[str, ...]:
    """The keys that are not the same, in order; a further number's with its phone number id.

    Where a block stands in one of them only, its own key is named and none of those in it.
    """
    old, new = _flat(before), _flat(after)
    found = {key for key in old.keys() | new.keys() if old.get(key, _GONE) != new.get(key, _GONE)}
    others = {key for key in found if key.endswith(".type")}
    for key in list(found):
        if any(key.startswith(other.removesuffix("type")) for other in others - {key}):
            found.discard(key)  # of another engine every setting is another
            continue
        blocks = [one for one in _above(key) if _is_block(old, one) != _is_block(new, one)]
        if blocks:
            found.discard(key)
            found.add(blocks[0])
    return tuple(sorted(found))


def in_force(running: Settings, wanted: Settings) -> Settings:
    """What is in force when ``wanted`` is taken as far as it can be without a restart."""
    for key in NEED_A_RESTART & set(differences(running, wanted)):
        wanted = _put(wanted, key, running)
    return wanted


def unsafe(settings: Settings, *, is_public: bool) -> str:
    """Why these may not be in force together, as a sentence; or "".

    Each file was checked by itself: this is about one whose listener is another file's, or the
    service manager's.

    Args:
        settings: What is to be in force.
        is_public: Others than this machine can reach the listener that runs, wherever the
            configuration says that it is.
    """
    whatsapp = settings.whatsapp
    is_checked = any(number.app_secret for number in whatsapp.numbers)
    if is_checked or whatsapp.allow_unsigned_webhooks or not is_public:
        return ""
    return (
        f"{settings.file}: {_WHATSAPP}.app_secret: cannot be taken away while the daemon listens"
        " where others can reach it, and where it listens changes with a restart only"
    )


_GONE: Final = object()


def _flat(settings: Settings) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in fields(settings):
        if field.compare and field.name not in _NO_SETTINGS:
            name = _NAMES.get(field.name, field.name)
            _lay_out(name, getattr(settings, field.name), found)
    return {_NAMES.get(key, key): value for key, value in found.items()}


def _lay_out(name: str, value: Any, found: dict[str, Any]) -> None:
    if name == f"{_WHATSAPP}.accounts":
        for number in value:
            # What it does not say is as the first one's, whose key is named then.
            here = f"{name}.{number.phone_number_id}"
            found[here] = _BLOCK
            for key in number.model_fields_set:
                _lay_out(f"{here}.{key}", getattr(number, key), found)
        return
    inner = _inner(value)
    if inner is None:
        found[name] = value
        return
    found[name] = _BLOCK
    for key, one in inner.items():
        _lay_out(f"{name}.{key}", one, found)


def _inner(value: Any) -> Mapping[str, Any] | None:
    """What stands in a block; None if it is none."""
    if isinstance(value, EngineChoice):
        return {"type": value.type, **dict(value.settings)}
    if isinstance(value, BaseModel):
        return dict(value)
    if is_dataclass(value):
        return {one.name: getattr(value, one.name) for one in fields(value) if one.compare}
    return value if isinstance(value, Mapping) else None


_BLOCK: Final = object()
"""Stands for a block, of which the keys in it are compared."""


def _is_block(flat: Mapping[str, Any], key: str) -> bool:
    return flat.get(key) is _BLOCK


def _above(key: str) -> list[str]:
    """The blocks in which a key stands, the outermost first."""
    steps = key.split(".")
    return [".".join(steps[:length]) for length in range(1, len(steps))]


def _put(settings: Settings, key: str, running: Settings) -> Settings:
    """``settings`` with the value of one key as it is in ``running``."""
    block, _, name = key.rpartition(".")
    section = "whatsapp" if block == _WHATSAPP else block
    if key == "storage.url":
        name = "path"
    ours, theirs = getattr(settings, section), getattr(running, section)
    if isinstance(ours, BaseModel):
        changed: Any = ours.model_copy(update={name: getattr(theirs, name)})
    else:
        changed = replace(ours, **{name: getattr(theirs, name)})
    return replace(settings, **{section: changed})
