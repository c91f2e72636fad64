"""Buttons, lists and their like; Source: facts, section 2.7, with Meta's OpenAPI file beside it."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from openparallax.emulator.graph.bodies_parts import (
    a_label,
    a_list,
    an_object,
    invalid,
    lacking,
    wrong,
)

MOST_BODY: Final = 1024
MOST_LIST_BODY: Final = 4096
MOST_LINE: Final = 60
_NO_BODY: Final = frozenset({"product"})
_FILES: Final = frozenset({"image", "video", "document"})


def check_interactive(content: dict[str, Any]) -> dict[str, Any] | None:
    """Check all but files; a header that shows a file, or None.

    Raises:
        GraphError: 100, 131008, 131009.
    """
    kind = content.get("type")
    if kind is None:
        raise wrong("The parameter interactive['type'] is required.")
    check = _ACTIONS.get(kind) if isinstance(kind, str) else None
    if check is None:
        raise wrong(f"Param interactive['type'] must be one of {{{', '.join(_ACTIONS)}}}.")
    for name in content:
        if name not in ("type", "header", "body", "footer", "action"):
            raise wrong(f'Unexpected key "{name[:64]}" on param "interactive".')
    if kind not in _NO_BODY or content.get("body") is not None:
        most = MOST_LIST_BODY if kind == "list" else MOST_BODY
        a_label(content.get("body"), "text", "Body text", most)
    if content.get("footer") is not None:
        a_label(content["footer"], "text", "Footer text", MOST_LINE)
    check(an_object(content, "action"))
    return _header(content, kind)


def _header(content: dict[str, Any], kind: str) -> dict[str, Any] | None:
    header = content.get("header")
    if header is None:
        return None
    sort = header.get("type") if isinstance(header, dict) else None
    if sort == "text":
        a_label(header, "text", "Header text", MOST_LINE)
        return None
    if not isinstance(sort, str) or sort not in _FILES or kind == "list":
        raise invalid("Header type is not supported for this message.")
    return dict(header)


def _buttons(action: dict[str, Any]) -> None:
    buttons = a_list(action, "buttons", "Buttons", 3)
    ids, titles = set(), set()
    for button in buttons:
        if not isinstance(button, dict) or button.get("type") != "reply":
            raise invalid("Button type must be reply.")
        ids.add(a_label(button.get("reply"), "id", "Button id", 256))
        titles.add(a_label(button.get("reply"), "title", "Button title", 20))
    if len(ids) < len(buttons):
        raise invalid("Button ids must be unique.")
    if len(titles) < len(buttons):
        raise invalid("Button titles must be unique.")


def _list(action: dict[str, Any]) -> None:
    a_label(action, "button", "Button text", 20)
    sections = a_list(action, "sections", "Sections", 10)
    ids: list[str] = []
    for section in sections:
        if not isinstance(section, dict):
            raise invalid("A section is not a JSON object.")
        if len(sections) > 1 or section.get("title") is not None:
            a_label(section, "title", "Section title", 24)
        for row in a_list(section, "rows", "Rows", 10):
            ids.append(a_label(row, "id", "Row id", 200))
            a_label(row, "title", "Row title", 24)
            if row.get("description") not in (None, ""):
                a_label(row, "description", "Row description", 72)
    if len(ids) > 10:
        raise invalid("Total row count exceed max allowed count: 10")
    if len(set(ids)) < len(ids):
        raise invalid("Row ids must be unique.")


def _cta_url(action: dict[str, Any]) -> None:
    _named(action, "cta_url")
    parameters = action.get("parameters")
    a_label(parameters, "display_text", "Button text", 20)
    url = a_label(parameters, "url", "Button url", 2000)
    if not url.startswith(("https://", "http://")):
        raise invalid("Button url is not a valid URI.")


def _location_request(action: dict[str, Any]) -> None:
    _named(action, "send_location")


def _contact_request(action: dict[str, Any]) -> None:
    """Renamed in 2026; that the old name goes on is unsure."""
    _named(action, "request_contact_info", "contact_request")


def _flow(action: dict[str, Any]) -> None:
    _named(action, "flow")
    parameters = action.get("parameters")
    a_label(parameters, "flow_message_version", "Flow message version", 8)
    a_label(parameters, "flow_cta", "Flow button text", 30)
    found = [key for key in ("flow_id", "flow_name") if _has(parameters, key)]
    if len(found) != 1:
        raise lacking("One of flow_id and flow_name is required.")


def _has(holder: Any, key: str) -> bool:
    return isinstance(holder, dict) and holder.get(key) is not None


def _any(action: dict[str, Any]) -> None:
    """Kinds whose limits are not known here."""


def _named(action: dict[str, Any], *names: str) -> None:
    name = action.get("name")
    if name is None:
        raise lacking("Action name is required.")
    if name not in names:
        raise invalid(f"Action name must be {names[0]}.")


_ACTIONS: Final[Mapping[str, Callable[[dict[str, Any]], None]]] = {
    "button": _buttons,
    "list": _list,
    "cta_url": _cta_url,
    "location_request_message": _location_request,
    "request_contact_info": _contact_request,
    "contact_request": _contact_request,
    "flow": _flow,
    "address_message": _any,
    "call_permission_request": _any,
    "carousel": _any,
    "catalog_message": _any,
    "product": _any,
    "product_list": _any,
    "voice_call": _any,
}
