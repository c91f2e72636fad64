"""A template as it is sent, held against the one that was approved; Source: facts, section 2.8."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from openparallax.emulator.graph.bodies_parts import a_text, only, wrong
from openparallax.emulator.graph.errors import GraphError

MOST_BODY: Final = 1024
_HOLE = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")
_SORTS: Final = ("header", "body", "button", "carousel", "limited_time_offer")
_FILES: Final = frozenset({"image", "video", "document"})
_REFUSED: Final = {"PAUSED": 132015, "DISABLED": 132016}


def check_template(content: dict[str, Any], templates: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The template that is meant, once its parameters fit.

    Raises:
        GraphError: 100, 132000, 132001, 132005, 132012, 132015, 132016.
    """
    only(content, "template", ("name", "language", "components", "namespace"))
    name = a_text(content, "template", "name", 512)
    language = content.get("language")
    if isinstance(language, dict):
        code = a_text(language, "template['language']", "code", 32)
    else:
        raise wrong("The parameter template['language'] is required.")
    template = _find(name, code, templates)
    given = _given(content)
    defined = [one for one in template.get("components") or [] if isinstance(one, dict)]
    is_named = str(template.get("parameter_format", "POSITIONAL")).upper() == "NAMED"
    for sort in ("header", "body"):
        _see(sort, _of(defined, sort), given.get(sort, []), is_named=is_named)
    _see_buttons(_of(defined, "buttons"), given)
    return template


def _find(name: str, code: str, templates: Sequence[dict[str, Any]]) -> dict[str, Any]:
    for template in templates:
        if template.get("name") == name and template.get("language") == code:
            status = str(template.get("status", "APPROVED")).upper()
            if status == "APPROVED":
                return template
            if (refusal := _REFUSED.get(status)) is not None:
                raise GraphError(refusal)
            break
    raise GraphError(132001, f"template name ({name}) does not exist in {code}")


def _given(content: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Parameters by component; of buttons under ``button`` and their index."""
    components = content.get("components")
    if components is None:
        return {}
    if not isinstance(components, list):
        raise wrong("Param template['components'] must be an array.")
    given: dict[str, list[dict[str, Any]]] = {}
    for place, component in enumerate(components):
        path = f"template['components'][{place}]"
        if not isinstance(component, dict):
            raise wrong(f"Param {path} must be a JSON object.")
        sort = str(component.get("type", "")).lower()
        if sort not in _SORTS:
            raise wrong(f"Param {path}['type'] must be one of {{{', '.join(_SORTS).upper()}}}.")
        parameters = component.get("parameters") or []
        if not isinstance(parameters, list) or not all(isinstance(p, dict) for p in parameters):
            raise wrong(f"Param {path}['parameters'] must be an array of JSON objects.")
        if sort == "button":
            index = str(component.get("index", ""))
            if not (index.isascii() and index.isdecimal() and len(index) < 3):
                raise wrong(f"Param {path}['index'] must be a number.")
            sort = f"button {int(index)}"
        if sort in given:
            raise wrong(f"Param {path} stands there twice.")
        given[sort] = parameters
    return given


def _of(defined: Iterable[dict[str, Any]], sort: str) -> dict[str, Any]:
    return next((one for one in defined if str(one.get("type", "")).lower() == sort), {})


def _see(
    sort: str, component: dict[str, Any], given: list[dict[str, Any]], *, is_named: bool
) -> None:
    shape = str(component.get("format", "TEXT")).lower()
    if sort == "header" and shape != "text":
        if len(given) != 1:
            raise _count(sort, len(given), 1)
        if shape in (*_FILES, "location") and given[0].get("type") != shape:
            raise GraphError(132012, f"header: Format mismatch, expected {shape.upper()}")
        return
    holes = list(dict.fromkeys(_HOLE.findall(str(component.get("text", "")))))
    if len(given) != len(holes):
        raise _count(sort, len(given), len(holes))
    for parameter in given:
        if parameter.get("type", "text") not in ("text", "currency", "date_time"):
            raise GraphError(132012, f"{sort}: a parameter of text is expected")
    _see_names(sort, given, holes if is_named else None)
    _see_length(sort, str(component.get("text", "")), given)


def _see_names(sort: str, given: list[dict[str, Any]], holes: list[str] | None) -> None:
    """``holes``: names that the template has; None: its parameters go by their order."""
    names = {str(one.get("parameter_name")) for one in given if "parameter_name" in one}
    if holes is None and names:
        raise GraphError(132012, f"{sort}: the parameters of this template have no names")
    if holes is not None and names != set(holes):
        raise GraphError(132012, f"{sort}: parameter_name must be each of {', '.join(holes)}")


def _see_length(sort: str, text: str, given: list[dict[str, Any]]) -> None:
    length = len(_HOLE.sub("", text))
    for parameter in given:
        if parameter.get("type", "text") == "text":
            length += len(a_text(parameter, sort, "text", 32_768))
    if given and sort == "body" and length > MOST_BODY:
        raise GraphError(132005, f"body: text is longer than {MOST_BODY} characters")


def _see_buttons(component: dict[str, Any], given: dict[str, list[dict[str, Any]]]) -> None:
    buttons = component.get("buttons")
    buttons = buttons if isinstance(buttons, list) else []
    for place, button in enumerate(buttons):
        parameters = given.get(f"button {place}", [])
        has_hole = isinstance(button, dict) and bool(_HOLE.search(str(button.get("url", ""))))
        if has_hole and len(parameters) != 1:
            raise GraphError(
                132000 if parameters else 131008,
                f"buttons: Button at index {place} of type Url requires a parameter",
            )
    for sort in given:
        if sort.startswith("button ") and int(sort.removeprefix("button ")) >= len(buttons):
            raise GraphError(132012, f"There is no {sort}")


def _count(sort: str, given: int, expected: int) -> GraphError:
    """Source: Meta's own sentence, quoted in issues."""
    return GraphError(
        132000,
        f"{sort}: number of localizable_params ({given}) does not match the expected number of"
        f" params ({expected})",
    )
