"""Text to a tree, with the line of each key; YAML's traps are caught here.

PyYAML only composes: the tree is built here, because its own constructor takes the last of two
equal keys, resolves dates, and forgets lines. Nothing of PyYAML's messages is shown, since they
quote the file.
"""

import re
import unicodedata
from pathlib import Path
from typing import Any

import yaml

from openparallax.config.problems import Problems, Where, is_printable_key
from openparallax.errors import ConfigError

Tree = dict[str, "Tree"] | list["Tree"] | str | int | float | bool | None

_TAG = "tag:yaml.org,2002:"
_MAX_NODES = 20_000
_MAX_DEPTH = 40
_MAX_BYTES = 1024 * 1024
_COLLECTIONS = {f"{_TAG}map", f"{_TAG}seq"}
_KEYS = {"str", "null", "bool", "int", "float", "timestamp", "value", "merge"}
"""What YAML may take a bare word for, where it is a key."""
_QUOTES = "\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u00ab\u00bb"
_CURLED = re.compile(rf"[{_QUOTES}][^{_QUOTES}]*[{_QUOTES}]\Z", re.DOTALL)
"""Wholly within the quotes of a word processor, which are none to YAML."""
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]*)\Z")


class Plain(str):
    """Text that stood in the file without quotes."""

    __slots__ = ()


class OddInt(int):
    """An integer not spelt in plain decimals: ``0123`` is octal to YAML, ``0x1F`` hexadecimal."""


def read(path: Path, problems: Problems, held: bytes | None = None) -> dict[str, Tree]:
    """Build the tree of a file of settings.

    Args:
        path: The file.
        problems: Receives what is wrong.
        held: What the file holds, where that is known already.

    Raises:
        ConfigError: It cannot be read, or holds no settings at all.
    """
    tree = parse(load_text(str(path), bytes_of(path) if held is None else held), problems)
    if tree is None:
        raise ConfigError([f"{path}:1: is empty; config.example.yaml shows what belongs there"])
    if not isinstance(tree, dict):
        raise ConfigError([f"{path}:1: must be settings, each a `key: value`"])
    return tree


def folder_of(path: Path) -> Path:
    """What relative paths in the file are relative to; of a pipe, where one stands."""
    return path.absolute().parent if path.is_file() else Path.cwd()


def parse(text: str, problems: Problems) -> Tree:
    """Build the tree of one YAML document.

    Doubled keys, tags and the like are noted in ``problems`` and left out of the tree; the line of
    each key goes into ``problems.lines``.

    Raises:
        ConfigError: The text is no YAML at all.
    """
    try:
        node = yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        sentence, mark = _syntax(error)
        problems.add((), sentence, line=mark.line + 1 if mark else None)
        raise problems.error() from None
    except yaml.YAMLError as error:
        position = getattr(error, "position", 0)
        problems.add(
            (),
            "is not YAML: a character is not allowed here",
            line=text.count("\n", 0, position) + 1,
        )
        raise problems.error() from None
    except RecursionError:
        problems.add((), "is nested too deeply")
        raise problems.error() from None
    return None if node is None else _Builder(problems, text.splitlines()).build(node, (), 0)


def retype(text: str) -> Tree:
    """What YAML makes of ``text`` where it stands without quotes: number, truth value or text."""
    resolver: Any = yaml.resolver.Resolver()
    return _scalar(yaml.ScalarNode(resolver.resolve(yaml.ScalarNode, text, (True, False)), text))


def _syntax(error: yaml.MarkedYAMLError) -> tuple[str, yaml.Mark | None]:
    """Say in words what PyYAML's parser stumbled over, and where it began.

    Its own text may quote the file. What is not closed is blamed on where it opened, since the
    parser notices lines later.
    """
    problem, context = error.problem or "", error.context or ""
    if "quoted scalar" in context:
        return "is not YAML here: the quote that opens here is not closed", error.context_mark
    if "flow sequence" in context or "flow mapping" in context:
        return (
            "is not YAML here: the bracket that opens here is not closed, or quotes are missing",
            error.context_mark,
        )
    begun = error.context_mark if "could not find expected ':'" in problem else None
    return _stumbled(problem), begun or error.problem_mark or error.context_mark


def _stumbled(problem: str) -> str:
    if "could not find expected ':'" in problem or "mapping values" in problem:
        return "is not YAML here: a colon too many or too few, a missing quote, or a wrong indent"
    if r"'\t'" in problem:
        return "is not YAML here: use spaces to indent, not tabs"
    if "undefined alias" in problem or "cannot start any token" in problem:
        return "is not YAML here: put quotes round a value that begins with a special character"
    if "another document" in problem:
        return "holds more than one document: a line of --- may stand only at the top"
    return "is not YAML here: look for a missing quote, bracket, colon or indent in or above it"


def _scalar(node: yaml.ScalarNode) -> Tree:
    """The value of a scalar; raises LookupError for a tag that is not understood."""
    text: str = node.value
    kind = node.tag.removeprefix(_TAG)
    make = yaml.constructor.SafeConstructor()
    try:
        match kind:
            case "null":
                return None
            case "bool":
                return bool(make.construct_yaml_bool(node))
            case "int" if ":" not in text:
                number = int(make.construct_yaml_int(node))
                return number if _DECIMAL.match(text) else OddInt(number)
            case "float" if ":" not in text:
                return float(make.construct_yaml_float(node))
    except (ValueError, KeyError):  # a number of thousands of digits, or ``!!int abc``
        return Plain(text)
    # Times of day (sexagesimal numbers to YAML 1.1) and dates stay the text that they are.
    if kind in {"str", "int", "float", "timestamp", "value", "merge"}:
        return Plain(text) if node.style is None else text
    raise LookupError


class _Builder:
    def __init__(self, problems: Problems, text: list[str]) -> None:
        self._problems = problems
        self._text = text
        self._nodes = 0

    def build(self, node: yaml.Node, where: Where, depth: int) -> Tree:
        self._nodes += 1
        if self._nodes > _MAX_NODES or depth > _MAX_DEPTH:
            self._problems.add((), "holds too much: nested too deeply, or repeated by aliases")
            raise self._problems.error()
        self._problems.lines.setdefault(where, node.start_mark.line + 1)
        if not isinstance(node, yaml.ScalarNode) and node.tag not in _COLLECTIONS:
            self._problems.add(where, "has a tag (!…), and none is understood: take it away")
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, where, depth)
        if isinstance(node, yaml.SequenceNode):
            return [
                self.build(item, (*where, index), depth + 1)
                for index, item in enumerate(node.value)
            ]
        return self._leaf(node, where)

    def _leaf(self, node: yaml.Node, where: Where) -> Tree:
        try:
            value = _scalar(node) if isinstance(node, yaml.ScalarNode) else None
        except LookupError:
            self._problems.add(
                where, "has a tag: put quotes round a value that begins with an exclamation mark"
            )
            return ""
        mark = node.start_mark  # behind the last line, where the file ends with a bare `?`
        if value is None and any(
            "#" in line[mark.column :] for line in self._text[mark.line :][:1]
        ):
            self._problems.commented.add(where)
        if isinstance(value, str) and not _is_text(value):
            self._problems.add(where, "holds a character that is no text (half of a pair)")
            return ""
        if isinstance(value, Plain) and _CURLED.match(value):
            self._problems.add(where, 'stands in typographic quotes: use straight ones (")')
            return ""
        return value

    def _mapping(self, node: yaml.MappingNode, where: Where, depth: int) -> Tree:
        tree: dict[str, Tree] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = key_node.value
            if not isinstance(key_node, yaml.ScalarNode) or not isinstance(key, str):
                self._problems.add(where, "holds a key that is not text", line=line)
                continue
            if key_node.tag.removeprefix(_TAG) not in _KEYS:
                self._problems.add(where, "holds a key with a tag: take it away", line=line)
                continue
            if key_node.tag == f"{_TAG}merge":
                self._problems.add(
                    where, "holds a merge key (<<): write the settings out", line=line
                )
                continue
            if any(unicodedata.category(c) in {"Cf", "Zs", "Cc"} for c in key.replace(" ", "")):
                self._problems.add(
                    where,
                    "holds a key with an unusual space or an invisible character: retype the line",
                    line=line,
                )
                continue
            here = (*where, key)
            if key in tree:
                shown = here if is_printable_key(key) else where
                first = self._problems.lines[here]
                self._problems.add(shown, f"is set twice; first in line {first}", line=line)
                continue
            self._problems.lines[here] = line
            tree[key] = self.build(value_node, here, depth + 1)
        return tree


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def load_text(file: str, raw: bytes) -> str:
    """Decode the file's bytes.

    Raises:
        ConfigError: They are not UTF-8.
    """
    zero = raw.find(b"\0")  # which UTF-16 and programs have, and no text
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        zero = error.start
    if zero < 0:
        return text
    line = raw.count(b"\n", 0, zero) + 1
    raise ConfigError([f"{file}:{line}: is not UTF-8 text; save it as UTF-8"])


def bytes_of(path: Path) -> bytes:
    """What the file holds.

    Raises:
        ConfigError: It cannot be read, or is over 1 MiB.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError([f"{path}: there is no such file"]) from None
    except IsADirectoryError:
        raise ConfigError([f"{path}: is a folder; name the file in it"]) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no path"
        raise ConfigError([f"{path}: cannot be read ({reason})"]) from None
    if len(raw) > _MAX_BYTES:
        raise ConfigError([f"{path}: is over 1 MiB, too big for a configuration"])
    return raw
