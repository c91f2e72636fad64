"""What WhatsApp makes of a text, as far as that is known: an own reading, to test ours against."""

import re
from dataclasses import dataclass

SEPARATOR = "\u200b"
_FENCE = re.compile(r"```\n?(.+?)```", re.DOTALL)
_KEPT = re.compile(rf"`(?!{SEPARATOR})([^`\n]+)`|https?://[^\s)]+")
_MARK = re.compile(rf"(?<![^\W_])([*_~])(?![\s{SEPARATOR}])(.+?)(?<![\s{SEPARATOR}])\1(?![^\W_])")
_HEAD = re.compile(r"(> |- |\d+\. )")


@dataclass(frozen=True, slots=True)
class Seen:
    """A character and how it looks: any of ``*_~`` and "`" for code, ">" "-" "1" for its line."""

    character: str
    looks: frozenset[str]


def read(text: str) -> list[Seen]:
    seen: list[Seen] = []
    position = 0
    for fence in _FENCE.finditer(text):
        seen += _lines(text[position : fence.start()])
        seen += _plain(fence[1], frozenset("`"))
        position = fence.end()
    seen += _lines(text[position:])
    return [it for it in seen if it.character != SEPARATOR]


def words(text: str) -> str:
    """What is seen of a text but its white space."""
    return "".join(it.character for it in read(text) if not it.character.isspace())


def marked(text: str) -> list[tuple[str, str]]:
    """The stretches that look alike in some way, with how they look."""
    found: list[tuple[str, str]] = []
    last: frozenset[str] = frozenset()
    for it in read(text):
        if it.looks and it.looks == last and found:
            found[-1] = (found[-1][0], found[-1][1] + it.character)
        elif it.looks:
            found.append(("".join(sorted(it.looks)), it.character))
        last = it.looks
    return found


def _plain(text: str, looks: frozenset[str]) -> list[Seen]:
    return [Seen(character, looks) for character in text]


def _lines(text: str) -> list[Seen]:
    seen: list[Seen] = []
    for number, line in enumerate(text.split("\n")):
        if number:
            seen += _plain("\n", frozenset())
        head = _HEAD.match(line)
        looks: frozenset[str] = frozenset(head[0][0] if head and head[0][0] in ">-" else "")
        if head and not looks:
            looks = frozenset("1")
        kept: list[str] = []

        def keep(match: re.Match[str], kept: list[str] = kept) -> str:
            kept.append(match[0])
            return chr(0xF0000 + len(kept) - 1)

        hidden = _KEPT.sub(keep, line[len(head[0]) if head else 0 :])
        seen += _inline(hidden, looks, kept)
    return seen


def _inline(text: str, looks: frozenset[str], kept: list[str]) -> list[Seen]:
    found = _MARK.search(text)
    if found and set(found[2]) == {found[1]}:  # stars round a star are stars
        run = found.end() - 1
        return [*_plain(text[:run], looks), *_inline(text[run:], looks, kept)]
    if found:
        return [
            *_inline(text[: found.start()], looks, kept),
            *_inline(found[2], looks | {found[1]}, kept),
            *_inline(text[found.end() :], looks, kept),
        ]
    seen: list[Seen] = []
    for character in text:
        if "\U000f0000" <= character < "\U000f1000":
            whole = kept[ord(character) - 0xF0000]
            is_code = whole.startswith("`")
            seen += _plain(whole.strip("`"), looks | {"`"} if is_code else looks)
        else:
            seen += _plain(character, looks)
    return seen
