"""One item of ``statuses``: what became of a message of ours."""

from openparallax.model.messages import DeliveryStatus, StatusUpdate
from openparallax.webhook.values import as_list, as_object, parse_code, parse_id, parse_label

_STATUSES = {status.name.lower(): status for status in DeliveryStatus}


def parse_status(item: object, phone_number_id: str) -> StatusUpdate | str:
    """Read one delivery status, or say in a short name why it cannot be taken.

    Source:
        Cloud API, webhooks, field ``messages``, ``statuses``.
    """
    if not isinstance(item, dict):
        return "bad_status"
    wamid = parse_id(item.get("id"))
    if wamid is None:
        return "status_without_id"
    word = item.get("status")
    status = _STATUSES.get(word) if isinstance(word, str) else None
    if status is None:
        return "status_" + parse_label(word)
    callback = item.get("biz_opaque_callback_data")
    code = None
    if status is DeliveryStatus.FAILED:
        errors = as_list(item.get("errors"))
        code = parse_code(as_object(errors[0]).get("code")) if errors else None
    return StatusUpdate(phone_number_id, wamid, status, parse_id(callback), code)
