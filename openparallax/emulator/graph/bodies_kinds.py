"""Each kind of message that can be sent, and what may stand in it.

Source: facts, sections 2.2 to 2.7.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from openparallax.emulator.account import Number
from openparallax.emulator.graph.bodies_interactive import check_interactive
from openparallax.emulator.graph.bodies_parts import (
    a_text,
    an_object,
    invalid,
    maybe_text,
    only,
    wrong,
)
from openparallax.emulator.world import World

MOST_TEXT: Final = 4096
MOST_CAPTION: Final = 1024
MOST_LINK: Final = 2048
MOST_CONTACTS: Final = 257


def _text(kind: str, content: dict[str, Any], world: World, number: Number) -> None:
    del world, number
    only(content, kind, ("body", "preview_url"))
    a_text(content, kind, "body", MOST_TEXT)
    if content.get("preview_url") not in (None, True, False, "true", "false"):
        raise wrong("Param text['preview_url'] must be a boolean.")


_OF_MEDIA: Final[Mapping[str, tuple[str, ...]]] = {
    "image": ("caption",),
    "video": ("caption",),
    "audio": ("voice",),
    "document": ("caption", "filename"),
    "sticker": (),
}
"""Kind -> keys beside ``id`` and ``link``. Source: facts, section 2.3."""


def _media(kind: str, content: dict[str, Any], world: World, number: Number) -> None:
    check_file(kind, content, world, number)
    only(content, kind, ("id", "link", "provider", *_OF_MEDIA[kind]))
    if content.get("voice") not in (None, True, False, "true", "false"):
        raise wrong(f"Param {kind}['voice'] must be a boolean.")
    maybe_text(content, kind, "caption", MOST_CAPTION)
    maybe_text(content, kind, "filename", 240)


def check_file(path: str, content: dict[str, Any], world: World, number: Number) -> None:
    """A file by its id or its address; the address is not fetched, which Meta would do.

    Raises:
        GraphError: 100.
    """
    media_id, link = content.get("id"), content.get("link")
    if (media_id is None) == (link is None):
        raise wrong(f"Param {path} must have one of id and link.")
    if link is not None:
        if not isinstance(link, str) or len(link) > MOST_LINK or not _is_link(link):
            raise wrong(f"Param {path}['link'] is not a valid URI.")
        return
    medium = world.media.get(str(media_id)) if isinstance(media_id, str | int) else None
    if medium is None or medium.number_id != number.id or medium.expires_at <= world.clock.now():
        raise wrong(
            f"Param {path}['id'] is not a valid whatsapp business account media attachment ID"
        )


def _is_link(link: str) -> bool:
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def _location(kind: str, content: dict[str, Any], world: World, number: Number) -> None:
    del world, number
    only(content, kind, ("latitude", "longitude", "name", "address"))
    for name, most in (("latitude", 90.0), ("longitude", 180.0)):
        value = content.get(name)
        if value is None:
            raise wrong(f"The parameter location['{name}'] is required.")
        try:
            is_good = not isinstance(value, bool) and abs(float(value)) <= most
        except (TypeError, ValueError, OverflowError):
            is_good = False
        if not is_good:
            raise invalid(f"location['{name}'] is not between -{most:g} and {most:g}.")
    maybe_text(content, kind, "name", 1024)
    maybe_text(content, kind, "address", 1024)


def check_contacts(cards: Any) -> list[Any]:
    """The cards, if they may be sent; how many there may be is unsure.

    Raises:
        GraphError: 100.
    """
    if cards is None:
        raise wrong("The parameter contacts is required.")
    if not isinstance(cards, list) or not 1 <= len(cards) <= MOST_CONTACTS:
        raise wrong(f"Param contacts must be a list of 1 to {MOST_CONTACTS} contacts.")
    for place, card in enumerate(cards):
        path = f"contacts[{place}]"
        if not isinstance(card, dict):
            raise wrong(f"Param {path} must be a JSON object.")
        name = card.get("name")
        if not isinstance(name, dict):
            raise wrong(f"The parameter {path}['name'] is required.")
        a_text(name, f"{path}['name']", "formatted_name", 1024)
        for several in ("phones", "emails", "addresses", "urls"):
            entries = card.get(several, [])
            if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
                raise wrong(f"Param {path}['{several}'] must be a list of JSON objects.")
    return cards


def _reaction(kind: str, content: dict[str, Any], world: World, number: Number) -> None:
    """Whether the message is there, WhatsApp sees later: 131009 by status."""
    del world, number
    only(content, kind, ("message_id", "emoji"))
    a_text(content, kind, "message_id", 512)
    emoji = a_text(content, kind, "emoji", 64, least=0)
    if emoji and emoji.isascii():
        raise invalid("reaction['emoji'] is not an emoji.")


def _interactive(kind: str, content: dict[str, Any], world: World, number: Number) -> None:
    del kind
    header = check_interactive(content)
    if header is not None:
        sort = str(header["type"])
        check_file(sort, an_object(header, sort), world, number)


CHECKS: Final[Mapping[str, Callable[[str, dict[str, Any], World, Number], None]]] = {
    "text": _text,
    **dict.fromkeys(_OF_MEDIA, _media),
    "location": _location,
    "reaction": _reaction,
    "interactive": _interactive,
}
"""By kind, of those whose content is an object; each raises `GraphError`: 100, 131008, 131009."""
