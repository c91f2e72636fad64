"""Webhooks to begin with: the samples that the suite keeps, and what the emulator's pieces make.

Nothing is stored twice: a sample of Meta's that is worth keeping belongs into
``tests/webhook/corpus``, where its reading is written down as well.
"""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from openparallax.emulator.webhooks import pieces
from openparallax.graph.errors import CODES
from openparallax.webhook.content import _READERS
from openparallax.webhook.details import REFERRAL
from openparallax.webhook.news import _FACTS, _INSIDE, FIELDS
from tests.webhook import samples

ACCOUNT = "1234567890123456"
DISPLAY = "15550001111"
ANN, BOB, CAROL = "4915112345678", "5511987654321", "US.13491208655302741918"
AT = 1_790_000_000

KEYS = sorted({*_READERS, *REFERRAL, *FIELDS, *_FACTS, *_INSIDE})
WORDS = [
    *KEYS,
    *("entry", "changes", "value", "field", "object", "metadata", "contacts", "messages"),
    "statuses",
    *("phone_number_id", "display_phone_number", "wa_id", "user_id", "parent_user_id", "profile"),
    *("from", "from_user_id", "from_parent_user_id", "id", "timestamp", "type", "text", "body"),
    *("context", "referral", "forwarded", "frequently_forwarded", "referred_product", "group_id"),
    *("message_echoes", "to", "to_user_id", "recipient_user_id", "user_preferences"),
    "user_id_update",
    *("biz_opaque_callback_data", "errors", "code", "original_message_id", "previous", "current"),
    *("previous_user_id", "new_wa_id", "user_changed_number", "user_changed_user_id", "stop"),
    *("delivered", "failed", "played", "whatsapp_business_account", ACCOUNT, "\\ud83d", "/otr"),
    "/new",
]  # fmt: skip


def body(field: str, *values: dict[str, Any]) -> dict[str, Any]:
    """A webhook with one change for each value."""
    changes = [{"field": field, "value": value} for value in values]
    entry = {"id": "102290129340398", "time": AT, "changes": changes}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def value(**parts: Any) -> dict[str, Any]:
    return pieces.value(pieces.metadata(ACCOUNT, DISPLAY), **parts)


def said(kind: str, content: Any, number: int = 0, **more: Any) -> dict[str, Any]:
    """A message of a made-up person, and of nobody else's number."""
    more = {"wa_id": ANN, **more}
    return pieces.message(kind, content, wamid=f"wamid.{kind}.{number}", at=AT + number, **more)


@cache
def webhooks() -> tuple[bytes, ...]:
    """One of every kind, on one line each."""
    kept = [samples.load(name) for name in samples.NAMES]
    return tuple(compact(one) for one in (*kept, *_made()))


@cache
def requests() -> tuple[bytes, ...]:
    """Requests one after the other, one a line, for the account of the fuzzed door."""
    numbers = {ACCOUNT, *(one for kept in samples.NAMES for one in _ids_in(samples.load(kept)))}
    one_account = [_with_account(raw, numbers) for raw in webhooks()]
    stories = [
        b"\n".join(compact(body("messages", value(messages=[one]))) for one in story)
        for story in _stories()
    ]
    beside = [b"\n".join((one, story)) for one in one_account[::5] for story in stories[:1]]
    return (*one_account, *stories, *beside)


def compact(one: Any) -> bytes:
    return json.dumps(one, separators=(",", ":")).encode()


def _made() -> Iterator[dict[str, Any]]:
    card = pieces.contact("Ann", wa_id=ANN, user_id=CAROL, username="ann.writes")
    for kind in _READERS:
        yield body("messages", value(contacts=[card], messages=[said(kind, {})]))
    for code in CODES:
        failed = pieces.status("wamid.1", "failed", at=AT, wa_id=ANN, errors=[{"code": code}])
        yield body("messages", value(statuses=[failed]))
    for name in ("sent", "delivered", "read", "played", "deleted", "warning"):
        told = pieces.status("wamid.1", name, at=AT, user_id=CAROL, callback="1.0123456789abcdef")
        yield body("messages", value(statuses=[told]))
    for field in FIELDS:
        yield body(field, {"event": "X", **{name: {"reason": "Y"} for name in _INSIDE}})
        yield body(field, dict.fromkeys(_FACTS, "WORD"))
    update = pieces.user_id_update(CAROL, "US.2", at=AT, wa_id=ANN)
    yield body("user_id_update", value(user_id_update=[update]))
    yield body("messages", value(messages=[said("text", {"body": "x"}, n) for n in range(30)]))


def _stories() -> Iterator[list[dict[str, Any]]]:
    def text(words: str, number: int, **more: Any) -> dict[str, Any]:
        return said("text", {"body": words}, number, **more)

    yield [text("hello", 0), text("/otr", 1), text("quiet", 2), text("/otr off", 3), text("so", 4)]
    yield [text("/otr hush", 5), text("earlier", 2), text("hush", 6), text("/new loud", 7)]
    gone = said("revoke", {"original_message_id": "wamid.text.0"}, 2)
    yield [text("oops", 0), text("more", 1), gone, text("/otr", 3)]
    moved = said("system", {"type": "user_changed_number", "wa_id": BOB, "user_id": CAROL}, 2)
    yield [text("a", 0), text("b", 1, wa_id=BOB), moved, text("c", 3, wa_id=BOB, user_id=CAROL)]
    yield [text("a", 0, wa_id=None, user_id=CAROL), text("b", 1, user_id=CAROL), text("/ort", 2)]


def _ids_in(held: Any) -> Iterator[str]:
    inner = held.values() if isinstance(held, dict) else held if isinstance(held, list) else ()
    for one in inner:
        yield from _ids_in(one)
    if isinstance(held, dict) and isinstance(held.get("phone_number_id"), str):
        yield held["phone_number_id"]


def _with_account(raw: bytes, numbers: set[str]) -> bytes:
    for number in sorted(numbers):
        raw = raw.replace(b'"%b"' % number.encode(), b'"%b"' % ACCOUNT.encode())
    return raw
