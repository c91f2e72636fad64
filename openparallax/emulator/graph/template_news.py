"""What a bot is told of its templates."""

from collections.abc import Mapping
from typing import Any, Final

from openparallax.emulator.webhooks import payloads
from openparallax.emulator.webhooks.update import Update

STATUSES: Final = frozenset(
    (
        "APPROVED",
        "ARCHIVED",
        "DELETED",
        "DISABLED",
        "IN_APPEAL",
        "LIMIT_EXCEEDED",
        "PAUSED",
        "PENDING",
        "PENDING_DELETION",
        "REJECTED",
    )
)
EVENTS: Final[Mapping[str, str]] = {
    "FLAGGED": "APPROVED",
    "LOCKED": "APPROVED",
    "REINSTATED": "APPROVED",
    "UNARCHIVED": "APPROVED",
}
"""Events that are no statuses, and the status that a template has after them; unsure."""
_TITLES: Final = {"PAUSED": "FIRST_PAUSE", "DISABLED": "DISABLED"}


def status_update(
    template: Mapping[str, Any], event: str, reason: str, *, recommendation: str = "", at: float
) -> Update:
    """``message_template_status_update``.

    Args:
        template: As `Account.templates` has it.
        event: What happened.
        reason: A word of Meta's, such as ``INVALID_FORMAT``; not told of one that is deleted.
        recommendation: What the reviewer advises, with a rejection.
        at: Unix seconds.

    Source:
        Meta's samples. That ``other_info`` comes with pauses and ends, and ``disable_date`` with
        the latter, follows dgadelha/whaloc: unsure.
    """
    value: dict[str, Any] = {
        "event": event,
        **_whose(template),
        "message_template_category": template.get("category"),
        "reason": None if event == "DELETED" else reason,
    }
    if event == "REJECTED" and recommendation:
        value["rejection_info"] = {"reason": reason, "recommendation": recommendation}
    if (title := _TITLES.get(event)) is not None:
        value["other_info"] = {"title": title, "description": "Its quality is too low."}
    if event == "DISABLED":
        value["disable_info"] = {"disable_date": str(int(at))}
    return payloads.news("message_template_status_update", value, at=at)


def quality_update(template: Mapping[str, Any], before: str, now: str, *, at: float) -> Update:
    """``message_template_quality_update``; Source: Meta's sample."""
    value = {"previous_quality_score": before, "new_quality_score": now, **_whose(template)}
    return payloads.news("message_template_quality_update", value, at=at)


def _whose(template: Mapping[str, Any]) -> dict[str, Any]:
    """Here the id is a number."""
    template_id = str(template.get("id", ""))
    return {
        "message_template_id": int(template_id) if template_id.isdecimal() else template_id,
        "message_template_name": template.get("name"),
        "message_template_language": template.get("language"),
    }
