"""What a PromQL expression names; enough of a look for the expressions of our examples."""

import re
from dataclasses import dataclass, field

_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_SELECTOR = re.compile(r"([A-Za-z_:][\w:]*)\s*\{([^}]*)\}")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_RANGE = re.compile(r"\[[^\]]*\]")
_NAME = re.compile(r"(?<![\w.])([A-Za-z_:][\w:]*)(?!\w)(\s*\()?")
_WORDS = frozenset({"and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring"})


@dataclass
class Named:
    """What an expression names.

    Attributes:
        metrics: The metrics, each with the labels that are asked of it and what is asked: an
            operator and a text.
        groups: The labels that are grouped or matched by.
        functions: What is called.
    """

    metrics: list[tuple[str, dict[str, tuple[str, str]]]] = field(default_factory=list)
    groups: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)


def named_in(expression: str) -> Named:
    found, texts = Named(), []

    def keep(text: re.Match[str]) -> str:
        texts.append(text[0][1:-1])
        return f"<{len(texts) - 1}>"

    def note(selector: re.Match[str]) -> str:
        asked = {}
        for one in filter(None, (part.strip() for part in selector[2].split(","))):
            [(label, operator, number)] = re.findall(r"^(\w+)\s*(=~|!~|!=|=)\s*<(\d+)>$", one)
            asked[label] = operator, texts[int(number)]
        found.metrics.append((selector[1], asked))
        return " "

    def group(labels: re.Match[str]) -> str:
        found.groups |= {label.strip() for label in labels[1].split(",") if label.strip()}
        return " "

    bare = _TEXT.sub(keep, expression)
    bare = _RANGE.sub(" ", _GROUPING.sub(group, _SELECTOR.sub(note, bare)))
    for name, call in _NAME.findall(bare):
        if call:
            found.functions.add(name)
        elif name not in _WORDS:
            found.metrics.append((name, {}))
    return found
