"""Commands in chat. Pure.

A first word of a slash and letters is a command or an attempt at one; an attempt is never kept and
no engine sees it, since it may be a misspelt ``/otr``. Every doubt falls that way: invisible
characters, full-width slashes and punctuation behind the word do not hide a command.
"""

import unicodedata
from dataclasses import dataclass, field
from difflib import SequenceMatcher

COMMANDS = {
    "/new": "start a fresh conversation",
    "/otr": "go off the record: nothing of what is said is written down here",
    "/otr off": "back on the record, to the conversation before",
    "/help": "this list",
    "/status": "where we stand",
}
"""Every command, and what it does, as the person reads it."""

_TAKE_WORDS = ("/new", "/otr")
_SLASHES = ("/", "\N{FULLWIDTH SOLIDUS}")


@dataclass(frozen=True, slots=True)
class Command:
    """What a message asks of the daemon.

    Attributes:
        name: One of `COMMANDS`, or "" for an attempt at one.
        rest: The words behind it, where the command takes words.
        nearest: For an attempt, the command that it looks most like.
    """

    name: str
    rest: str = field(default="", repr=False)
    nearest: str = ""


def parse_command(words: str) -> Command | None:
    """The command in ``words``, or None where they are just words."""
    if not words or (words[0].isalnum() and not _is_invisible(words[0])):
        return None
    seen = _trim(words)
    if not seen.startswith(_SLASHES):
        return None
    first, _, rest = seen.partition(next((c for c in seen if c.isspace()), "\n"))
    rest = _trim(rest)
    name = _plain(first)
    if len(name) < 2 or not name[1:].isalpha():
        return None
    if name == "/otr" and _plain(rest) == "off":
        return Command("/otr off")
    if name in _TAKE_WORDS:
        return Command(name, rest)
    if name in COMMANDS and not rest:
        return Command(name)
    return Command("", nearest=_nearest(name))


def _plain(word: str) -> str:
    """Lower case, without invisible characters and without punctuation behind."""
    # Lower case first: a capital may become two characters, one of them invisible.
    seen = unicodedata.normalize("NFKC", word.lower())
    return "".join(c for c in seen if not _is_invisible(c)).rstrip(".,:;!?…").lower()


def _trim(words: str) -> str:
    """Without white space and invisible characters around."""
    start, end = 0, len(words)
    while start < end and _is_blank(words[start]):
        start += 1
    while end > start and _is_blank(words[end - 1]):
        end -= 1
    return words[start:end]


def _is_blank(character: str) -> bool:
    return character.isspace() or _is_invisible(character)


def _is_invisible(character: str) -> bool:
    # Cf: zero-width, direction marks; Cc: controls; Mn: variation selectors and the like; the
    # Hangul fillers and the braille blank are letters and symbols that show nothing.
    return (
        unicodedata.category(character) in ("Cf", "Cc", "Mn", "Cn")
        or character in "\u3164\u115f\u1160\uffa0\u2800"
    )


def _nearest(name: str) -> str:
    def likeness(command: str) -> float:
        return SequenceMatcher(None, name, command.replace(" ", "")).ratio()

    best = max(COMMANDS, key=likeness)
    return best if likeness(best) >= 0.4 else "/help"
