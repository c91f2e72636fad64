"""Commands in chat: nothing hides one, nothing else is one."""

import unicodedata

from openparallax.session.commands import COMMANDS as KNOWN
from openparallax.session.commands import Command, parse_command
from tests.fuzz.draws import Draws, as_text
from tests.fuzz.target import Target

_UNSEEN = ("", *"\u200b\u200d\u200f\ufeff\u00ad\ufe0f\u2060\u034f\x00\u3164")
_BLANKS = ("", " ", "\n", "\t", "\u00a0", "\u3000", "\u2028", "\r\n")
_SLASHES = ("/", "\uff0f")
_WORDS = ("otr", "new", "help", "status", "ort", "neu", "offtherecord", "etc")
_BEHIND = ("", ".", "!", "?", ",", "…")


def try_commands(data: bytes) -> None:
    """Any text: what is an attempt keeps nothing; blanks round it change nothing."""
    draws = Draws(data)
    if draws.is_so():
        _try_typed(draws)
        return
    words = as_text(draws.rest())
    found = parse_command(words)
    for blank in ("\u200b", " \n", "\ufeff\t"):
        assert parse_command(blank + words + blank) == found, "blanks round it change it"
    if found is None:
        _assert_just_words(words)
        return
    assert found.name == "" or found.name in KNOWN
    assert not found.rest or found.name in ("/new", "/otr"), "an attempt keeps words"
    assert (found.nearest in KNOWN) is (found.name == "")
    assert found.rest == found.rest.strip()
    assert found.rest in words
    assert repr(found) == repr(Command(found.name, "other", found.nearest)), "words in a repr"
    assert parse_command(words.replace("/", "\uff0f", 1)) is not None or "/" not in words


def _assert_just_words(words: str) -> None:
    """A slash and letters in front, and then nothing or a blank, cannot be just words."""
    seen = "".join(
        c
        for c in words
        if unicodedata.category(c) not in ("Cf", "Cc", "Mn", "Cn") or c in "\n\t\r "
    )
    seen = seen.strip()
    first = seen.split()[0] if seen.split() else ""
    plain = first.isascii() and first[:1] == "/" and first[1:].isalpha()
    assert not plain or not _is_plain(words), f"not taken for a command: {first!r}"


def _is_plain(words: str) -> bool:
    return words.isascii() and words.isprintable()


def _try_typed(draws: Draws) -> None:
    """A known word typed in some way: which command it is follows from the contract."""
    word = draws.one_of(_WORDS)
    typed = "".join((c.upper() if draws.is_so() else c) + draws.one_of(_UNSEEN) for c in word)
    if draws.is_so():
        typed = "".join(chr(ord(c) + 0xFEE0) if "a" <= c <= "z" else c for c in typed)
    blank = draws.one_of(_BLANKS) + draws.one_of(_UNSEEN)
    rest = as_text(draws.take(40))
    is_alone = not "".join(c for c in rest if not _is_blank(c))
    gap = draws.one_of(_BLANKS[1:])
    text = blank + draws.one_of(_SLASHES) + typed + draws.one_of(_BEHIND) + gap + rest
    found = parse_command(text)
    assert found is not None, "a command was taken for words"
    if word in ("otr", "new"):
        is_off = word == "otr" and found.name == "/otr off"
        assert found.name == f"/{word}" or is_off, "another command"
        assert not (is_alone and found.rest), "words out of nothing"
    elif word in ("help", "status"):
        assert found.name == (f"/{word}" if is_alone else ""), "more than the whole message"
    else:
        assert found.name == "", "no such command"
    assert parse_command(f"x {text}") is None, "a command in the middle"


def _is_blank(character: str) -> bool:
    hidden = unicodedata.category(character) in ("Cf", "Cc", "Mn", "Cn")
    return character.isspace() or hidden or character in "\u3164\u115f\u1160\uffa0\u2800"


def _seeds() -> list[bytes]:
    texts = [
        "/otr",
        "/otr off",
        "/new hello",
        "/help me",
        "\uff0fotr",
        "/etc/hosts",
        "@bot /otr",
        "/o\u200btr",
    ]
    typed = [bytes([1, word, *range(20), 1, 65]) for word in range(len(_WORDS))]
    return [*(b"\0" + text.encode() for text in texts), *typed]


COMMANDS = Target(
    "commands", try_commands, _seeds, ["/otr", "/new", "/otr off", "\u200b", "\uff0f", "\u3164"]
)
