"""Who writes, and what a message of a programme looks like to Meta."""

import zlib
from typing import Any

from tests.fakes import meta
from tests.fakes.meta import Item
from tests.torture.canary import Canary
from tests.torture.daemon import NUMBERS
from tests.torture.programme import ECHO, MISTYPED, REVOKE, TAKES_WORDS, WORDS, Message

_FIRST = 4915110000000


def number_of(who: int) -> str:
    """The number of a person."""
    return str(_FIRST + who)


def id_of(who: int) -> str:
    """The business-scoped id of a stranger."""
    return f"DE.{_FIRST + who}"


def who_has(address: str) -> int:
    """Which person a number or an id belongs to."""
    return int(address.removeprefix("DE.")) - _FIRST


def wamid_of(canary: Canary, number: int) -> str:
    """Meta's id of a message: the same whenever the programme is played."""
    return f"wamid.HBg{zlib.crc32(canary.core.encode()):08X}{number:04}=="


def item_of(message: Message, canary: Canary, begins_at: int) -> Item:
    """The message as Meta brings it."""
    sender = None if message.known_by == "id" else number_of(message.who)
    words = canary.asked(message.number) + (f" ~{message.mood}" if message.mood else "")
    details: dict[str, Any] = {
        "at": begins_at + message.at,
        "wamid": wamid_of(canary, message.number),
        "phone_number_id": NUMBERS[message.account],
        "name": f"Zoë {message.who}",
        **({"user_id": id_of(message.who)} if message.known_by else {}),
    }
    what = message.what
    if what == ECHO:
        del details["name"]
        return meta.echo(sender, words, **details)
    if what == WORDS:
        return meta.text(sender, words, **details)
    if what in TAKES_WORDS or what in MISTYPED:
        return meta.text(sender, f"{what.removesuffix(' words')} {words}", **details)
    if what.startswith("/"):
        return meta.text(sender, what, **details)
    if what == REVOKE:
        return meta.revoke(sender, wamid_of(canary, message.of), **details)
    if what in _CAPTIONS:
        return meta.media(sender, caption=_CAPTIONS[what] or words, **details)
    kind, content, more = _OTHERS[what]
    return meta.message(sender, kind, content, **details, **more)


_CAPTIONS = {"caption": "", "captioned /otr": "/otr"}
_OTHERS: dict[str, tuple[str, object, dict[str, Any]]] = {
    "picture": ("image", {"id": "1", "mime_type": "image/jpeg", "sha256": "x"}, {}),
    "place": ("location", {"latitude": 1.5, "longitude": 2}, {}),
    "reaction": ("reaction", {"message_id": "wamid.x", "emoji": "\N{THUMBS UP SIGN}"}, {}),
    "resend": ("unsupported", None, {"errors": [{"code": 131060, "title": "made up"}]}),
    "unsupported": ("unsupported", None, {"errors": [{"code": 131051, "title": "made up"}]}),
}
