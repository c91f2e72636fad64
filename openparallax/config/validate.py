"""Pydantic's strict check, its findings put into sentences of our own.

The check runs in JSON mode: as strict about types, but a list may become a tuple or a set and text
a path, which is what a file can give.
"""

import json
import re
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from openparallax.config.document import Plain, Tree
from openparallax.config.forms import OURS
from openparallax.config.problems import Problems, Where, suggest
from openparallax.config.shapes import blocks

M = TypeVar("M", bound=BaseModel)

_TRUTH = "; YAML reads on, off, yes and no without quotes as true or false: put quotes round it"
_LIMITS = {
    "greater_than": ("gt", "must be more than {:g}"),
    "greater_than_equal": ("ge", "must be at least {:g}"),
    "less_than": ("lt", "must be less than {:g}"),
    "less_than_equal": ("le", "must be at most {:g}"),
    "multiple_of": ("multiple_of", "must be a multiple of {:g}"),
    "string_too_short": ("min_length", "must have at least {:g} characters"),
    "string_too_long": ("max_length", "must have at most {:g} characters"),
    "too_short": ("min_length", "must have at least {:g} entries"),
    "too_long": ("max_length", "must have at most {:g} entries"),
}
_SIMPLE = {
    "bool_type": "must be true or false",
    "finite_number": "must be a finite number",
    "list_type": 'must be a list: a line beginning with "- " for each entry',
    "dict_type": "must be a block of settings, indented under it",
    "model_type": "must be a block of settings, indented under it",
    "extra_forbidden": "is not a setting",
}
_SIMPLE |= dict.fromkeys(("tuple_type", "set_type", "frozen_set_type"), _SIMPLE["list_type"])
_SIMPLE |= dict.fromkeys(("mapping_type", "model_attributes_type"), _SIMPLE["dict_type"])
_NO_VALUE: Mapping[Where, str] = {
    ("channels", "whatsapp", "allowed_numbers"): (
        "has no value: list the numbers that may write, or write [] for everybody"
    ),
}


def validate(
    model: type[M],
    tree: Mapping[str, Tree],
    where: Where,
    problems: Problems,
    *,
    missing: Mapping[Where, str],
) -> M | None:
    """Check ``tree`` against ``model``; None if it does not fit, and then ``problems`` says why.

    Args:
        model: Ours or a plugin's.
        tree: A resolved block of settings.
        where: Where the block stands in the file.
        problems: Receives what is wrong. A setting that is blamed already is passed over.
        missing: What to say of settings that are missing.
    """
    try:
        return model.model_validate_json(json.dumps(tree))
    except ValidationError as found:
        for error in found.errors(include_url=False, include_input=False):
            way, value = _follow(tree, error["loc"])
            if not any(problems.blames((*where, *way[:end])) for end in range(1, len(way) + 1)):
                at = (*where, *way)
                sentence = _sentence(error, value, at, model, missing)
                if at in problems.commented:
                    sentence += " (# begins a comment: put quotes round a value that has one)"
                problems.add(_as_written(at, problems), sentence)
    except Exception as error:  # noqa: BLE001 - a plugin's validator may raise anything
        frame = traceback.extract_tb(error.__traceback__)[-1]
        problems.add(
            where,
            f"could not be checked: the plugin failed ({type(error).__name__} at"
            f" {Path(frame.filename).name}:{frame.lineno})",
        )
    return None


def _as_written(where: Where, problems: Problems) -> Where:
    """Where the file says it: of a secret perhaps under KEY_env."""
    named = (*where[:-1], f"{where[-1]}_env") if where else ()
    return named if where not in problems.lines and named in problems.lines else where


def _follow(tree: Tree | Mapping[str, Tree], loc: Iterable[str | int]) -> tuple[Where, Any]:
    """The part of pydantic's location that is a way in the file, and what stands there.

    Pydantic puts names of a union's alternatives and of validators in between.
    """
    way: Where = ()
    steps = list(loc)
    for index, step in enumerate(steps):
        if isinstance(tree, Mapping) and step in tree:
            tree = tree[str(step)]
        elif isinstance(tree, list) and isinstance(step, int) and step < len(tree):
            tree = tree[step]
        elif isinstance(tree, Mapping) and index == len(steps) - 1:
            return (*way, step), _ABSENT
        else:
            continue
        way = (*way, step)
    return way, tree


_ABSENT = object()


def _sentence(
    error: ErrorDetails, value: Any, at: Where, model: type[BaseModel], missing: Mapping[Where, str]
) -> str:
    if error["type"] == "missing":
        hint = missing.get(at) or _description(model, error["loc"])
        return f"is missing: {hint}" if hint else "is missing"
    if value is None:
        choices = (
            error.get("ctx", {}).get("expected", "") if error["type"] == "literal_error" else ""
        )
        one = f"one of {choices.replace(chr(39), '')}" if choices else "one"
        return _NO_VALUE.get(at, f"has no value: give {one}, or remove the line")
    if error["type"] == OURS:
        return str(error["msg"])
    for say in (_simple, _limit, _choice, _number, _text):
        if sentence := say(error, value, at):
            return sentence
    return _foreign(error, value)


def _simple(error: ErrorDetails, value: Any, _at: Where) -> str:
    if error["type"] == "string_pattern_mismatch":
        return f"does not have the form that it must have ({error['ctx']['pattern']})"
    sentence = _SIMPLE.get(error["type"], "")
    if sentence == _SIMPLE["model_type"] and isinstance(value, list):
        return f"{sentence}, without a dash"
    if error["type"] == "bool_type" and isinstance(value, str) and value in {"true", "false"}:
        return f"{sentence}: take the quotes away"
    return sentence


def _limit(error: ErrorDetails, value: Any, _at: Where) -> str:
    if error["type"] not in _LIMITS:
        return ""
    name, form = _LIMITS[error["type"]]
    return "is empty" if value == "" else form.format(error["ctx"][name])


def _choice(error: ErrorDetails, value: Any, _at: Where) -> str:
    if error["type"] not in {"literal_error", "enum"}:
        return ""
    expected = error["ctx"]["expected"]
    hint = _TRUTH if isinstance(value, bool) else ""
    if isinstance(value, str):
        hint = suggest(value, re.findall(r"'([^']*)'", expected))
    return f"must be {expected.replace(chr(39), '')}{hint}"


def _number(error: ErrorDetails, value: Any, _at: Where) -> str:
    kind = error["type"]
    if kind not in {"int_type", "int_parsing", "int_from_float", "float_type", "float_parsing"}:
        return ""
    what = "must be a whole number" if kind.startswith("int") else "must be a number"
    quoted = isinstance(value, str) and not isinstance(value, Plain)
    if quoted and _looks_numeric(value):
        return f"{what}: take the quotes away"
    begins = isinstance(value, str) and re.match(r"[-+.]?[0-9]", value)
    return f"{what} alone, in plain decimals: no unit, no exponent, no comma" if begins else what


def _looks_numeric(value: str) -> bool:
    return re.fullmatch(r"[-+]?[0-9]+(\.[0-9]+)?", value) is not None


def _text(error: ErrorDetails, value: Any, at: Where) -> str:
    if error["type"] not in {"string_type", "path_type"}:
        return ""
    if isinstance(value, bool):
        return f"must be text{_TRUTH}"
    if not isinstance(value, (int, float)):
        is_list = isinstance(value, list)
        return "must be text, not a list" if is_list else "must be text, not a block of settings"
    if at[-1:] == ("phone_number_id",):
        return "must be text: put quotes round it (YAML reads a number, and zeros at its front go)"
    if "allowed_numbers" in at:
        return "must be text: put quotes round it (YAML reads a number, and the + goes)"
    return "must be text: put quotes round it"


def _foreign(error: ErrorDetails, value: Any) -> str:
    """A plugin's own finding, unless it quotes what was given."""
    context = error.get("ctx", {})
    message = str(context["error"]) if "error" in context else str(error["msg"])
    message = re.sub(r"^(Input|Value|String) should", "must", message.strip())
    said = message.casefold()
    if not message or any(quoted in said for quoted in _scalars(value)):
        return "is not accepted"
    return message if message.startswith("must ") else f"is not accepted: {message}"


def _scalars(value: Any) -> Iterable[str]:
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _scalars(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _scalars(inner)
    elif value is not None and value is not _ABSENT and str(value):
        yield str(value).casefold()


def _description(model: type[BaseModel], loc: Iterable[str | int]) -> str:
    field = None
    for step in loc:
        if isinstance(step, int):
            continue
        field = model.model_fields.get(step)
        if field is None:
            return ""
        model = next((one for one in blocks(field.annotation)), model)
    return (field.description or "") if field else ""
