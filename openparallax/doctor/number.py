"""The number: there, registered, in good standing, and what it says of its own health.

Source:
    facts page, section 14, checks 5 and 6; Meta's pages on health and messaging limits.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from openparallax.doctor.finding import Group, Level, Notes
from openparallax.doctor.subject import Ward, rows_of, text_of
from openparallax.logs import shorten
from openparallax.session.commands import COMMANDS

FIELDS: Final = (
    "id", "display_phone_number", "verified_name", "status", "quality_rating", "name_status",
    "code_verification_status", "platform_type", "throughput", "account_mode",
    "webhook_configuration", "health_status", "whatsapp_business_manager_messaging_limit",
    "is_on_biz_app", "conversational_automation",
)  # fmt: skip
MENU: Final = {name.removeprefix("/"): says for name, says in COMMANDS.items() if " " not in name}
"""Name without the slash -> what it does, as the menu behind a slash on the phone shows it."""
COEXISTING_PER_S: Final = 20

_GONE: Final = frozenset({"BANNED", "RESTRICTED"})
_WORKS: Final = frozenset({"CONNECTED", "FLAGGED", "RATE_LIMITED"})
_APPEAL: Final = "Open Business Support Home, read the restriction, and appeal or wait for its end."
_LIMITS: Final = {"TIER_50": "50", "TIER_250": "250"}
_LONG_DIGITS: Final = re.compile(r"\+?[0-9][0-9 ()-]{5,}[0-9]")
_TOKEN: Final = re.compile(r"EAA[0-9A-Za-z_-]{8,}")


async def see_number(ward: Ward) -> None:
    """Look at the number's node."""
    subject, notes = ward.subject, ward.notes(Group.NUMBER)
    answer = await ward.graph.node(subject.phone_number_id, FIELDS)
    if answer.is_gone and not ward.lacks:
        notes.failure(
            "number.exists",
            f"Graph knows no number with the id {subject.phone_number_id}, or not for this token.",
            why="Nothing can be sent, and messages to the number are not recognised as ours.",
            to_do="Compare phone_number_id with the Phone number ID in the app dashboard, WhatsApp,"
            " API Setup: it is not the telephone number. If it is right, give the token's system"
            " user the WhatsApp account as an asset.",
        )
    elif not answer.is_ok:
        ward.refused(notes, answer, "number.exists", "The number")
    else:
        ward.is_number_known, ward.latest = True, answer
        number = answer.body
        places = number.get("webhook_configuration")
        ward.places = places if isinstance(places, Mapping) else {}
        _learn(ward, number)
        digits = re.sub(r"[^0-9]", "", text_of(number, "display_phone_number"))
        notes.ok("number.exists", f"The number {shorten(digits)} is there.")
        _see_standing(ward, notes, number, digits)
        _see_kind(ward, notes, number)
        _see_health(notes, number)
        _see_menu(ward, notes, number)
    ward.keep(notes)


def _learn(ward: Ward, number: Mapping[str, Any]) -> None:
    health = number.get("health_status")
    for part in rows_of(health, "entities") if isinstance(health, Mapping) else ():
        if text_of(part, "entity_type") == "WABA":
            ward.waba_of_number = text_of(part, "id")
    ward.waba_id = ward.subject.waba_id or ward.waba_of_number


def _see_standing(ward: Ward, notes: Notes, number: Mapping[str, Any], digits: str) -> None:
    """Each field is left alone where Graph does not say it."""
    status = text_of(number, "status")
    if status in _GONE:
        notes.failure(
            "number.status",
            f"The number is {status}.",
            why="WhatsApp does not let it send.",
            to_do=_APPEAL,
        )
    elif status in _WORKS - {"CONNECTED"}:
        notes.warning(
            "number.status",
            f"The number is {status}.",
            why="People blocked or reported it, or it sent too much: less may be sent.",
            to_do="See in WhatsApp Manager, Phone numbers, what Meta says about it.",
        )
    elif status and status != "CONNECTED":
        notes.failure(
            "number.status",
            f"The number is {status[:30]}, not connected.",
            why="It neither sends nor receives until it is registered with the Cloud API.",
            to_do="Register it, with the six digits of its two-step verification PIN (any six, if"
            " it has none yet); WhatsApp Manager cannot do that.",
            command=_register(ward),
        )
    elif status:
        notes.ok("number.status", "It is connected.")
    quality = text_of(number, "quality_rating")
    if quality == "RED":
        notes.warning(
            "number.quality",
            "The number's quality is low (RED).",
            why="People block or report it; its limits may be lowered, and it may be restricted.",
            to_do="See in WhatsApp Manager, Insights, what they say, and answer fewer and better.",
        )
    elif quality:
        notes.ok("number.quality", f"Its quality is {quality[:20]}.")
    name = text_of(number, "name_status")
    if name and name not in ("APPROVED", "AVAILABLE_WITHOUT_REVIEW"):
        _see_name(notes, name, is_of_meta=digits.startswith("1555"))
    verified = text_of(number, "code_verification_status")
    if verified and verified != "VERIFIED":
        notes.warning(
            "number.verified",
            f"The number's verification is {verified[:30]}.",
            why="It works while it is registered, and cannot be registered again like that.",
            to_do="Verify it in WhatsApp Manager, Phone numbers, by text message or call.",
        )


def _see_name(notes: Notes, name: str, *, is_of_meta: bool) -> None:
    if name == "PENDING_REVIEW" and not is_of_meta:
        notes.note("number.name", "The number's display name waits for Meta's review.")
        return
    notes.add(
        Level.FAILURE if is_of_meta else Level.WARNING,
        "number.name",
        f"The number's display name is {name[:30]}.",
        why="A number of Meta's own (+1 555) may not send like that (code 131037)."
        if is_of_meta
        else "People see the number instead of the name, and Meta may limit it.",
        to_do="Set another display name in WhatsApp Manager, Phone numbers, and wait for its"
        " approval.",
    )


def _register(ward: Ward) -> str:
    subject = ward.subject
    return (
        f"curl -X POST {subject.graph_url}/{subject.version}/{subject.phone_number_id}/register"
        # In a file of bash's making: whatever stands behind -H itself every user's ps shows.
        ' -H @<(echo "Authorization: Bearer $WHATSAPP_ACCESS_TOKEN")'
        ' -H "Content-Type: application/json"'
        """ -d '{"messaging_product": "whatsapp", "pin": "SIX DIGITS"}'"""
    )


def _see_kind(ward: Ward, notes: Notes, number: Mapping[str, Any]) -> None:
    platform = text_of(number, "platform_type")
    if platform and platform != "CLOUD_API":
        notes.failure(
            "number.platform",
            f"The number is not on the Cloud API ({platform[:30]}).",
            why="The daemon speaks with the Cloud API and with nothing else.",
            to_do="Register the number with the Cloud API.",
            command=_register(ward),
        )
    if text_of(number, "account_mode") == "SANDBOX":
        notes.warning(
            "number.mode",
            "It is a test number (SANDBOX).",
            why="It reaches five people, whom its owner has named.",
            to_do="Name them in the app dashboard, API Setup, To; or add a number of your own.",
        )
    limit = _LIMITS.get(text_of(number, "whatsapp_business_manager_messaging_limit"))
    if limit:
        notes.note(
            "number.limit",
            f"It may begin conversations with {limit} people in a day.",
            why="Answers to people who wrote within 24 hours do not count.",
            to_do="Verify the business in Meta Business settings, if you want to write first.",
        )
    throughput = number.get("throughput")
    level = text_of(throughput, "level") if isinstance(throughput, Mapping) else ""
    if level == "NOT_APPLICABLE":
        notes.warning(
            "number.throughput",
            "The number has no throughput (NOT_APPLICABLE).",
            why="It is not ready to send by the Cloud API.",
            to_do="See that it is registered and its business account is not restricted.",
        )
    if number.get("is_on_biz_app") is True:
        ours = ward.subject.messages_per_second
        is_too_fast = ours is None or ours > COEXISTING_PER_S
        notes.note(
            "number.coexists",
            "The number is used in the WhatsApp Business app too.",
            why=f"Meta then lets it send {COEXISTING_PER_S} messages in a second.",
            to_do=f"Set outbox.messages_per_second to {COEXISTING_PER_S}." if is_too_fast else "",
        )


def _see_health(notes: Notes, number: Mapping[str, Any]) -> None:
    """Of each part what it says itself; payment problems stand here too."""
    health = number.get("health_status")
    parts = rows_of(health, "entities") if isinstance(health, Mapping) else []
    is_well = bool(parts)
    for part in parts:
        says = text_of(part, "can_send_message")
        if says in ("", "AVAILABLE"):
            continue
        is_well = False
        kind = text_of(part, "entity_type").lower().replace("_", " ")[:30] or "a part"
        level = Level.FAILURE if says == "BLOCKED" else Level.WARNING
        for error in rows_of(part, "errors") or [{}]:
            code = error.get("error_code")
            told = f" (code {code})" if isinstance(code, int) else ""
            notes.add(
                level,
                "number.health",
                f"Sending is {says.lower()[:20]}, says the {kind}{told}"
                f"{_quoted(': ', text_of(error, 'error_description'))}",
                why="Meta refuses messages of the number." if level is Level.FAILURE else "",
                to_do=_quoted("Meta advises: ", text_of(error, "possible_solution")).lstrip(".")
                or "See what WhatsApp Manager and Business Support Home say of it.",
            )
    if is_well:
        notes.ok("number.health", "Meta says that it may send.")


def _quoted(before: str, text: str) -> str:
    """Meta's own words, on one line, short, and without a telephone number or a token."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())[:300]
    line = _LONG_DIGITS.sub("…", _TOKEN.sub("…", line))
    return f"{before}{line.rstrip('.')}." if line else "."[: len(before)]


def _see_menu(ward: Ward, notes: Notes, number: Mapping[str, Any]) -> None:
    automation = number.get("conversational_automation")
    if not isinstance(automation, Mapping):
        return
    ward.commands = rows_of(automation, "commands")
    names = {text_of(one, "command_name").removeprefix("/") for one in ward.commands}
    missing = [name for name in MENU if name not in names]
    if missing:
        notes.note(
            "number.commands",
            f"The menu behind a slash lacks {', '.join(f'/{name}' for name in missing)}.",
            why="People see there which commands there are, and that they may go off the record.",
            to_do="Have the doctor register them.",
            command="openparallax doctor --fix",
            fixable=True,
        )
    else:
        notes.ok("number.commands", "Its menu has the commands.")
