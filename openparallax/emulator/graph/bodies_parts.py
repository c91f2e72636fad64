"""The smallest checks of a body, refused in the words that Meta uses for them."""

from collections.abc import Collection
from typing import Any

from openparallax.emulator.graph.errors import GraphError


def wrong(message: str) -> GraphError:
    """100 with Meta's own sentence: what Graph itself checks of its parameters."""
    return GraphError(100, message=f"(#100) {message}")


def invalid(details: str) -> GraphError:
    """131009: what WhatsApp checks behind Graph."""
    return GraphError(131009, details)


def lacking(details: str) -> GraphError:
    """131008: the same, of what is not there."""
    return GraphError(131008, details)


def an_object(holder: dict[str, Any], name: str) -> dict[str, Any]:
    """What stands under ``name``, which must be an object.

    Raises:
        GraphError: 100: it is missing or something else.
    """
    value = holder.get(name)
    if value is None:
        raise wrong(f"The parameter {name} is required.")
    if not isinstance(value, dict):
        raise wrong(f"Param {name} must be a JSON object.")
    return value


def only(holder: dict[str, Any], path: str, known: Collection[str]) -> None:
    """Refuse keys that nobody knows; Source: Graph's own sentence, quoted in issues."""
    for key in holder:
        if key not in known:
            raise wrong(f'Unexpected key "{key[:64]}" on param "{path}".')


def a_text(holder: dict[str, Any], path: str, name: str, most: int, *, least: int = 1) -> str:
    """A text of ``least`` to ``most`` characters; code points are counted, which is unsure.

    Raises:
        GraphError: 100.
    """
    value = holder.get(name)
    if value is None:
        raise wrong(f"The parameter {path}['{name}'] is required.")
    if not isinstance(value, str):
        raise wrong(f"Param {path}['{name}'] must be a string.")
    if len(value) < least:
        raise wrong(f"The parameter {path}['{name}'] is required.")
    if len(value) > most:
        raise wrong(f"Param {path}['{name}'] must be at most {most} characters long.")
    return value


def maybe_text(holder: dict[str, Any], path: str, name: str, most: int) -> str:
    """The same, where it may be missing or empty: then it is ""."""
    return "" if holder.get(name) is None else a_text(holder, path, name, most, least=0)


def a_label(holder: Any, name: str, what: str, most: int) -> str:
    """A text that a person sees on a button or row: 1 to ``most`` characters.

    Raises:
        GraphError: 131008: missing; 131009: no text, or of another length.
    """
    value = holder.get(name) if isinstance(holder, dict) else None
    if value is None:
        raise lacking(f"{what} is required.")
    if not isinstance(value, str) or not 1 <= len(value) <= most or not value.strip():
        raise invalid(f"{what} length invalid. Min length: 1, Max length: {most}")
    return value


def a_list(holder: Any, name: str, what: str, most: int) -> list[Any]:
    """A list of 1 to ``most`` entries; raises as `a_label`, in words quoted in public tests."""
    value = holder.get(name) if isinstance(holder, dict) else None
    if value is None:
        raise lacking(f"{what} are required.")
    if not isinstance(value, list) or not 1 <= len(value) <= most:
        several = what.lower()
        raise invalid(
            f"Invalid {several} count. Min allowed {several}: 1, Max allowed {several}: {most}"
        )
    return value
