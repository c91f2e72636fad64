"""What may be said to Graph: the envelope of a message, and of a read mark.

Source: facts, section 2. Which of 100, 131008 and 131009 meets which mistake is unsure wherever no
issue quotes it; clients must treat the three alike.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final

from openparallax.emulator.account import Number
from openparallax.emulator.graph.bodies_kinds import CHECKS, check_contacts
from openparallax.emulator.graph.bodies_parts import (
    a_text,
    an_object,
    invalid,
    lacking,
    only,
    wrong,
)
from openparallax.emulator.graph.bodies_template import check_template
from openparallax.emulator.graph.errors import GraphError
from openparallax.emulator.world import World

MOST_CALLBACK: Final = 512
SCOPED_ID = re.compile(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}")
_SPELLING = str.maketrans("", "", " -()")
_ENVELOPE: Final = frozenset(
    {
        "access_token",
        "appsecret_proof",
        "biz_opaque_callback_data",
        "category",
        "context",
        "message_send_ttl_seconds",
        "messaging_account_id",
        "messaging_product",
        "paid_messaging_account_id",
        "recipient",
        "recipient_identity_key_hash",
        "recipient_type",
        "to",
        "type",
    }
)
_SENT: Final = frozenset({*CHECKS, "contacts", "template"})
_INBOUND: Final = frozenset(
    {"button", "edit", "order", "poll", "revoke", "system", "unknown", "unsupported"}
)
"""Kinds that exist and cannot be sent; that they meet 131051, and not 100, is unsure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A message that may be sent, as far as its own body tells.

    Attributes:
        given: The recipient as the client wrote it.
        address: Its digits, or the business-scoped id.
        content: What stands under the type's own name; of ``contacts`` an object round the list.
        template: The one that is meant, as ``message_templates`` lists it.
    """

    given: str = field(repr=False)
    address: str = field(repr=False)
    is_scoped: bool
    kind: str
    content: dict[str, Any] = field(repr=False)
    quoted: str | None = field(repr=False)
    callback: str | None
    template: dict[str, Any] | None = field(default=None, repr=False)


def parse_message(said: dict[str, Any], world: World, number: Number) -> Said:
    """Check a message as Meta does before it takes one.

    Raises:
        GraphError: It may not be said like this.
    """
    _see_product(said)
    kind = _kind(said)
    # That Graph refuses what it does not know at this level too is unsure.
    for key in said:
        if key not in _ENVELOPE and key != kind:
            raise wrong(f'Unexpected key "{key[:64]}".')
    given, address, is_scoped = _recipient(said)
    callback = said.get("biz_opaque_callback_data")
    if callback is not None:
        a_text(said, "biz_opaque_callback_data", "biz_opaque_callback_data", MOST_CALLBACK, least=0)
    if said.get("category") == "marketing":
        raise wrong("Param category must not be marketing.")
    quoted = _quoted(said)
    template = None
    if kind == "template":
        content = an_object(said, kind)
        template = check_template(content, world.account.templates)
    elif kind == "contacts":
        content = {"contacts": check_contacts(said.get(kind))}
    else:
        content = an_object(said, kind)
        CHECKS[kind](kind, content, world, number)
    return Said(
        given=given,
        address=address,
        is_scoped=is_scoped,
        kind=kind,
        content=content,
        quoted=quoted,
        callback=callback,
        template=template,
    )


def parse_read(said: dict[str, Any]) -> tuple[str, bool]:
    """Check a read mark; the wamid, and whether typing is to be shown.

    Raises:
        GraphError: It is none.
    """
    _see_product(said)
    if said.get("status") != "read":
        raise wrong('Param status must be one of {"read"}.')
    known = ("messaging_product", "status", "message_id", "typing_indicator")
    for key in said:
        if key not in (*known, "access_token", "appsecret_proof"):
            raise wrong(f'Unexpected key "{key[:64]}".')
    wamid = said.get("message_id")
    if wamid is None:
        raise wrong("The parameter message_id is required.")
    if not isinstance(wamid, str) or not wamid.startswith("wamid."):
        raise invalid("message_id is not the id of a message.")
    typing = said.get("typing_indicator")
    if typing is not None and typing != {"type": "text"}:
        raise wrong("Param typing_indicator['type'] must be one of {text}.")
    return wamid, typing is not None


def digits_of(given: str) -> str:
    """A number without ``+`` and the marks that people write in it; "" where it is none.

    Source:
        facts, section 2.1.
    """
    bare = given.strip().removeprefix("+").translate(_SPELLING)
    return bare if bare.isascii() and bare.isdecimal() and len(bare) <= 20 else ""


def _see_product(said: dict[str, Any]) -> None:
    product = said.get("messaging_product")
    if product is None:
        raise wrong("The parameter messaging_product is required.")
    if product != "whatsapp":
        raise wrong('Param messaging_product must be one of {"whatsapp"}.')


def _kind(said: dict[str, Any]) -> str:
    kind = said.get("type")
    if kind is None:
        return "text"
    if not isinstance(kind, str):
        raise wrong("Param type must be a string.")
    kind = kind.lower()
    if kind in _INBOUND:
        raise GraphError(131051, "This type of message cannot be sent.")
    if kind not in _SENT:
        known = ", ".join(sorted(_SENT)).upper()
        raise wrong(f"Param type must be one of {{{known}}}.")
    return kind


def _recipient(said: dict[str, Any]) -> tuple[str, str, bool]:
    """As given, as an address, and whether it is business-scoped; ``to`` wins."""
    if said.get("recipient_type") not in (None, "individual"):
        raise wrong("Param recipient_type must be one of {INDIVIDUAL}: there are no groups here.")
    to, recipient = said.get("to"), said.get("recipient")
    if to is not None:
        # A number in JSON is taken too: Graph's parameters have no types of JSON's. Unsure.
        given = str(to) if isinstance(to, str | int) and not isinstance(to, bool) else ""
        if not (digits := digits_of(given)):
            raise invalid("to is not a phone number.")
        return given, digits, False
    if recipient is None:
        raise lacking("One of to and recipient is required.")
    if not isinstance(recipient, str) or not SCOPED_ID.fullmatch(recipient):
        raise invalid("recipient is not a business-scoped user id.")
    return recipient, recipient, True


def _quoted(said: dict[str, Any]) -> str | None:
    if said.get("context") is None:
        return None
    context = an_object(said, "context")
    only(context, "context", ("message_id",))
    return a_text(context, "context", "message_id", 512)
