"""A configuration that is there, changed line by line: comments and all other settings stay.

What cannot be changed so (a block within braces, aliases) is written anew from its tree: then the
settings stay, and the comments are in the copy.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import yaml

from openparallax.app.setup.existing import Existing
from openparallax.app.setup.wording import SCHEMA_LINE, lines_of
from openparallax.config.document import Tree, parse
from openparallax.config.problems import Problems, Where
from openparallax.errors import ConfigError

_WHATSAPP: Final[Where] = ("channels", "whatsapp")
_ABSENT: Final = object()


def change(
    existing: Existing, whatsapp: Mapping[str, Tree], engine: Mapping[str, Tree] | None
) -> tuple[str, bool]:
    """The text with what is new.

    Args:
        existing: What is there.
        whatsapp: Settings of that block, by key; None takes a line away.
        engine: The whole block; None leaves it as it is.

    Returns:
        The text; whether its comments were kept.
    """
    wanted = _laid_over(existing.tree, whatsapp, engine)
    if wanted == existing.tree:
        return _with_schema(existing.text), True
    try:
        text = _edited(existing, whatsapp, engine)
        if _parsed(text) == wanted:
            return _with_schema(text), True
    except LookupError:
        pass
    dumped = yaml.safe_dump(_plain(wanted), sort_keys=False, allow_unicode=True)
    return _with_schema(dumped), False


def _laid_over(
    tree: Mapping[str, Tree], whatsapp: Mapping[str, Tree], engine: Mapping[str, Tree] | None
) -> dict[str, Tree]:
    wanted: dict[str, Any] = dict(tree)
    channels = dict(_block(wanted.get("channels")))
    block = dict(_block(channels.get("whatsapp")))
    for key, value in whatsapp.items():
        if value is None:
            block.pop(key, None)
        else:
            block[key] = _escaped(value)
    wanted["channels"] = {**channels, "whatsapp": block}
    if engine is not None:
        wanted["engine"] = {key: _escaped(value) for key, value in engine.items()}
    return wanted


def _edited(
    existing: Existing, whatsapp: Mapping[str, Tree], engine: Mapping[str, Tree] | None
) -> str:
    """Raises LookupError where a line is not what it would have to be."""
    lines = existing.text.splitlines()
    block = _block(_block(existing.tree.get("channels")).get("whatsapp"))
    # From the bottom up, so that the numbers of the lines above stay right.
    cuts: list[tuple[int, int, list[str]]] = []
    anchor = next((key for key in ("phone_number_id", *block) if key in block), "")
    _, end, indent = _extent(lines, existing.lines[*_WHATSAPP, anchor], anchor)
    fresh: list[str] = []
    for key, value in whatsapp.items():
        old = block.get(key, _ABSENT)
        if old == _escaped(value) or (old is _ABSENT and value is None):
            continue
        new = [] if value is None else lines_of(key, value, indent)
        if old is _ABSENT:
            fresh += new
        else:
            begin, until, _ = _extent(lines, existing.lines[*_WHATSAPP, key], key)
            cuts.append((begin, until, new))
    if fresh:
        cuts.append((end, end, fresh))
    if engine is not None:
        new = lines_of("engine", dict(engine), "")
        if "engine" in existing.tree:
            begin, until, _ = _extent(lines, existing.lines["engine",], "engine")
            cuts.append((begin, until, new))
        else:
            cuts.append((len(lines), len(lines), ["", *new]))
    cuts.reverse()  # of two at the file's end the engine comes second, so it is put there first
    for begin, until, new in sorted(cuts, key=lambda cut: cut[:2], reverse=True):
        lines[begin:until] = new
    return "\n".join(lines) + "\n"


def _extent(lines: list[str], line: int, key: str) -> tuple[int, int, str]:
    """First line, the one behind the last, and the indent of a setting that begins in ``line``."""
    found = re.match(rf"( *){re.escape(key)}\s*:", lines[line - 1])
    if found is None:
        raise LookupError
    indent = found[1]
    end = line
    for number in range(line, len(lines)):
        bare = lines[number].lstrip(" ")
        depth = len(lines[number]) - len(bare)
        if not bare or (bare.startswith("#") and depth <= len(indent)):
            continue  # it belongs to what follows, unless more of this one does
        is_row = depth == len(indent) and bare.startswith("- ")
        if depth <= len(indent) and not is_row:
            break
        end = number + 1
    return line - 1, end, indent


def _parsed(text: str) -> Tree:
    problems = Problems("")
    try:
        tree = parse(text, problems)
        problems.raise_if_any()
    except ConfigError:
        raise LookupError from None
    return tree


def _with_schema(text: str) -> str:
    return text if "yaml-language-server:" in text else f"{SCHEMA_LINE}\n{text}"


def _escaped(value: Tree) -> Tree:
    """As it stands in the file: there ``${`` would begin a variable."""
    return value.replace("${", "$${") if isinstance(value, str) else value


def _plain(value: Any) -> Any:
    """Without the marks that the reader of YAML leaves on texts and numbers."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, bool) or value is None:
        return value
    return next((kind(value) for kind in (str, int, float) if isinstance(value, kind)), value)


def _block(tree: Any) -> Mapping[str, Tree]:
    return tree if isinstance(tree, Mapping) else {}
