"""The parts of which webhooks are made; what is None is left out, as Meta leaves it out.

Source: sections 4 to 7 of the facts: Meta's pages on messages, statuses and business-scoped ids.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Piece = dict[str, Any]


def known(**fields: Any) -> Piece:
    """Those that are not None."""
    return {name: held for name, held in fields.items() if held is not None}


def metadata(phone_number_id: str, display_phone_number: str) -> Piece:
    return {"display_phone_number": display_phone_number, "phone_number_id": phone_number_id}


def value(about: Mapping[str, str] | None, **parts: object) -> Piece:
    """A change's value; ``about`` is the number's metadata."""
    return {"messaging_product": "whatsapp", **known(metadata=about, **parts)}


def contact(
    name: str | None,
    *,
    wa_id: str | None = None,
    user_id: str | None = None,
    parent_user_id: str | None = None,
    username: str | None = None,
) -> Piece:
    """An entry of ``contacts[]``; who took a username and shares no number has no ``wa_id``."""
    profile = known(name=name, username=username)
    ids = known(wa_id=wa_id, user_id=user_id, parent_user_id=parent_user_id)
    return {**({"profile": profile} if profile else {}), **ids}


def message(
    kind: str,
    content: object,
    *,
    wamid: str,
    at: float,
    wa_id: str | None = None,
    user_id: str | None = None,
    parent_user_id: str | None = None,
    **more: Any,
) -> Piece:
    """An entry of ``messages[]``; ``content`` stands under the type's own name."""
    return {
        **known(**{"from": wa_id, "from_user_id": user_id, "from_parent_user_id": parent_user_id}),
        "id": wamid,
        "timestamp": stamp(at),
        "type": kind,
        **known(**{kind: content}),
        **more,
    }


def echo(
    kind: str, content: object, *, wamid: str, at: float, sender: str, to: str | None, **more: Any
) -> Piece:
    """An entry of ``message_echoes[]``: somebody of the business wrote on its own phone."""
    return {
        "from": sender,
        **known(to=to),
        "id": wamid,
        "timestamp": stamp(at),
        "type": kind,
        **known(**{kind: content}),
        **more,
    }


def status(
    wamid: str,
    name: str,
    *,
    at: float,
    wa_id: str | None = None,
    user_id: str | None = None,
    parent_user_id: str | None = None,
    callback: str | None = None,
    errors: Sequence[Mapping[str, Any]] | None = None,
    **more: Any,
) -> Piece:
    """An entry of ``statuses[]``."""
    return {
        "id": wamid,
        "status": name,
        "timestamp": stamp(at),
        **known(
            recipient_id=wa_id, recipient_user_id=user_id, recipient_parent_user_id=parent_user_id
        ),
        **known(biz_opaque_callback_data=callback or None, **more),
        **known(errors=None if errors is None else list(errors)),
    }


def user_id_update(
    previous: str, current: str, *, at: float, wa_id: str | None = None, **more: Any
) -> Piece:
    """An entry of ``user_id_update[]``."""
    return {
        **known(wa_id=wa_id),
        "detail": "The user's id has changed",
        "user_id": {"previous": previous, "current": current},
        "timestamp": stamp(at),
        **more,
    }


def stamp(at: float) -> str:
    """Whole unix seconds, as text."""
    return str(int(at))
