"""Where Meta sends webhooks: the app's subscription, and what overrides it.

Source:
    facts page, sections 3.3 and 14, check 9.
"""

from collections.abc import Mapping
from typing import Any, Final

from yarl import URL

from openparallax.doctor.finding import Group, Level, Notes
from openparallax.doctor.subject import Ward, text_of

OBJECT: Final = "whatsapp_business_account"
_DASHBOARD: Final = "In the app dashboard, WhatsApp, Configuration"
_SILENT: Final = "No message of a person reaches the daemon."
_OVERRIDES: Final = {
    "phone_number": ("the number", "POST /{phone_number_id} with an empty webhook_configuration"),
    "whatsapp_business_account": ("the WhatsApp account", "POST /{waba_id}/subscribed_apps"),
}
"""What wins against the app's own address, the strongest first, and what ends it."""


async def see_hooks(ward: Ward) -> None:
    """Look at the subscription; after the number, which knows of overrides."""
    notes = ward.notes(Group.WEBHOOK)
    is_overridden = _see_overrides(ward, notes)
    if ward.app is None:
        _see_without_app(ward, notes, is_overridden=is_overridden)
        ward.keep(notes)
        return
    rows, answer = await ward.app.rows(f"{ward.app_id}/subscriptions")
    ours = [row for row in rows if text_of(row, "object") == OBJECT]
    if not answer.is_ok:
        ward.refused(notes, answer, "webhook.exists", "The app's webhook")
    elif not ours or not text_of(ours[0], "callback_url"):
        ward.has_subscription = False
        callback = ward.subject.callback_url
        notes.failure(
            "webhook.exists",
            "The app has no webhook for WhatsApp.",
            why=_SILENT,
            to_do=f"{_DASHBOARD}, type in {callback or 'the public address of the daemon'} and the"
            " verify token, then subscribe to messages."
            + (" Or have the doctor do it." if callback else ""),
            command="openparallax doctor --fix" if callback else "",
            fixable=bool(callback),
        )
    else:
        ward.has_subscription = True
        _see_row(ward, notes, ours[0], is_overridden=is_overridden)
    ward.keep(notes)


def _see_row(ward: Ward, notes: Notes, row: Mapping[str, Any], *, is_overridden: bool) -> None:
    if row.get("active") is False:
        notes.failure(
            "webhook.active",
            "The app's webhook is switched off.",
            why=_SILENT,
            to_do=f"{_DASHBOARD}, verify and save the callback again.",
        )
    url = text_of(row, "callback_url")
    if not is_overridden:
        _see_address(ward, notes, url)
    fields = {name for name in map(_name_of, _fields(row)) if name}
    if "messages" not in fields:
        notes.failure(
            "webhook.fields",
            "The app's webhook is not subscribed to messages.",
            why=_SILENT,
            to_do=f"{_DASHBOARD}, Webhook fields, subscribe to messages.",
        )
    else:
        notes.ok("webhook.fields", "It is subscribed to messages.")


def _fields(row: Mapping[str, Any]) -> list[Any]:
    fields = row.get("fields")
    return fields if isinstance(fields, list) else []


def _name_of(one: Any) -> str:
    return text_of(one, "name") if isinstance(one, Mapping) else one if isinstance(one, str) else ""


def _see_address(ward: Ward, notes: Notes, url: str) -> None:
    callback = ward.subject.callback_url
    if not callback:
        notes.note(
            "webhook.callback",
            f"Meta calls {shown(url)}; whether that is this daemon is not known.",
            to_do=f"Write public_url into {ward.subject.place}, and it is examined from outside.",
        )
    elif is_same(url, callback):
        notes.ok("webhook.callback", f"Meta calls {shown(url)}.")
    else:
        notes.failure(
            "webhook.callback",
            f"Meta calls {shown(url)}, and public_url makes it {callback}.",
            why="Messages go to whatever is there.",
            to_do=f"{_DASHBOARD}, set the callback URL to {callback}; or mend public_url.",
        )


def _see_without_app(ward: Ward, notes: Notes, *, is_overridden: bool) -> None:
    """Without the app's secret only the number tells where webhooks go."""
    url = text_of(ward.places, "application")
    if url and not is_overridden:
        _see_address(ward, notes, url)
    if not ward.subject.app_secrets:
        notes.note(
            "webhook.fields",
            "Whether the app's webhook is subscribed to messages could not be examined: there is no"
            " app secret to ask with.",
            to_do="Set WHATSAPP_APP_SECRET (app dashboard, App settings, Basic).",
        )


def _see_overrides(ward: Ward, notes: Notes) -> bool:
    """Whether the app's own address is out of force for messages."""
    for name, (whose, way_out) in _OVERRIDES.items():
        url = text_of(ward.places, name)
        if not url:
            continue
        callback = ward.subject.callback_url
        is_ours = bool(callback) and is_same(url, callback)
        level = Level.OK if is_ours else Level.FAILURE if callback else Level.NOTE
        notes.add(
            level,
            "webhook.override",
            f"For {whose} webhooks go to {shown(url)}, whatever the app's own address is.",
            why="" if is_ours else "Messages go to whatever is there, and not to public_url.",
            to_do="" if is_ours else f"If that is not wanted, end it: {way_out}.",
        )
        return True
    return False


def is_same(one: str, other: str) -> bool:
    """Whether two addresses are one, but for capitals, a default port and a slash at the end."""
    try:
        return _plain(one) == _plain(other)
    except ValueError:
        return one == other


def _plain(url: str) -> tuple[str, str | None, int | None, str, str]:
    parts = URL(url)
    return (
        parts.scheme,
        parts.host.lower() if parts.host else None,
        parts.port,
        parts.path.rstrip("/"),
        parts.query_string,
    )


def shown(url: str) -> str:
    """An address without user, password and query, which may be somebody's secrets."""
    try:
        parts = URL(url)
        bare = str(parts.with_user(None).with_query(None)) if parts.host else "an odd address"
    except ValueError:
        return "an odd address"
    return "".join(c for c in bare if c.isprintable())[:200]
