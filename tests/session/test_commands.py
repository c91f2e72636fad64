"""Commands and attempts at one, however they are typed."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openparallax.session.commands import COMMANDS, Command, parse_command

ZWSP, ZWJ, RLM, LRE, BOM, NBSP = "\u200b", "\u200d", "\u200f", "\u202a", "\ufeff", "\u00a0"
SLASH = "\N{FULLWIDTH SOLIDUS}"
HANGUL, HALF_HANGUL, BRAILLE, CGJ = "\u3164", "\uffa0", "\u2800", "\u034f"


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("/new", Command("/new")),
        ("/NEW", Command("/new")),
        ("  /new\n", Command("/new")),
        ("/new hello there", Command("/new", "hello there")),
        ("/new\nhello\nthere", Command("/new", "hello\nthere")),
        ("/new\u2028hello", Command("/new", "hello")),
        ("/new\thello", Command("/new", "hello")),
        ("/new /otr", Command("/new", "/otr")),
        ("/otr", Command("/otr")),
        ("/Otr", Command("/otr")),
        ("/oTR!", Command("/otr")),
        ("/otr.", Command("/otr")),
        ("/otr, and now this", Command("/otr", "and now this")),
        ("/otr secret", Command("/otr", "secret")),
        (f"/otr{NBSP}secret", Command("/otr", "secret")),
        ("/otr off", Command("/otr off")),
        ("/otr  off ", Command("/otr off")),
        ("/OTR OFF", Command("/otr off")),
        ("/otr Off.", Command("/otr off")),
        ("/otr\noff", Command("/otr off")),
        (f"/otr{NBSP}off", Command("/otr off")),
        (f"/otr {ZWSP}off{RLM}", Command("/otr off")),
        ("/otr offline please", Command("/otr", "offline please")),
        ("/otr off please", Command("/otr", "off please")),
        ("/otr of", Command("/otr", "of")),
        ("/help", Command("/help")),
        ("/Help?", Command("/help")),
        ("/status ", Command("/status")),
        # what cannot be seen
        (f"{ZWSP}/otr", Command("/otr")),
        (f"{RLM}/otr secret", Command("/otr", "secret")),
        (f"{LRE}/otr\u202c", Command("/otr")),
        (f"{BOM}/otr", Command("/otr")),
        (f"{HANGUL}/otr secret", Command("/otr", "secret")),
        (f"{HALF_HANGUL}/otr secret", Command("/otr", "secret")),
        (f"{BRAILLE}/otr", Command("/otr")),
        (f"{CGJ}/otr", Command("/otr")),
        ("\x00/otr", Command("/otr")),
        (f"/o{ZWSP}t{ZWJ}r secret", Command("/otr", "secret")),
        (f"/{RLM}otr", Command("/otr")),
        ("/o\u00adtr", Command("/otr")),
        (f"/otr{BRAILLE}", Command("/otr")),
        # other keyboards
        ("\uff0fotr", Command("/otr")),
        ("\uff0f\uff2f\uff34\uff32\u3000\uff4f\uff46\uff46", Command("/otr off")),
        ("/\uff4f\uff54\uff52 secret", Command("/otr", "secret")),
        # attempts
        ("/ort secret", Command("", nearest="/otr")),
        ("/otrr secret", Command("", nearest="/otr")),
        ("/otroff", Command("", nearest="/otr off")),
        (f"/otr{ZWSP}off", Command("", nearest="/otr off")),
        (f"/otr{BRAILLE}off", Command("", nearest="/otr off")),
        ("/help me", Command("", nearest="/help")),
        ("/status now", Command("", nearest="/status")),
        ("/nwe", Command("", nearest="/new")),
        ("/neu", Command("", nearest="/new")),
        ("/stats", Command("", nearest="/status")),
        ("/xyzzy", Command("", nearest="/help")),
        ("/привет", Command("", nearest="/help")),
        ("/OFFTHERECORDİ", Command("", nearest="/otr")),
        # words
        ("", None),
        ("   ", None),
        (ZWSP, None),
        ("otr", None),
        ("hello /otr", None),
        ("\U0001f512/otr", None),
        ('"/otr"', None),
        ("\\otr", None),
        ("/", None),
        ("//", None),
        ("// otr", None),
        ("/ otr", None),
        ("/1", None),
        ("/otr2", None),
        ("/24 hours", None),
        ("/etc/hosts is broken", None),
        ("/new/file is gone", None),
        ("/o.tr", None),
        ("/\U0001f642", None),
        ("1/2", None),
    ],
)  # fmt: skip
def test_what_is_meant(words: str, command: Command | None) -> None:
    assert parse_command(words) == command


@pytest.mark.parametrize("words", ["/offtherecord", "/ort", "/otrr", "/ofr", "/offrecord"])
def test_a_misspelt_otr_is_answered_with_otr(words: str) -> None:
    command = parse_command(words)
    assert command is not None
    assert command.nearest in ("/otr", "/otr off")


any_words = st.text(max_size=40)
invisible = st.sampled_from(["", ZWSP, ZWJ, RLM, BOM, CGJ, HANGUL, "\u00ad", "\ufe0f"])
blank = st.lists(invisible | st.sampled_from([" ", "\n", "\t", NBSP]), max_size=3).map("".join)


@given(any_words)
@example("/\u0130")
def test_it_never_fails_and_keeps_nothing_of_an_attempt(words: str) -> None:
    command = parse_command(words)
    if command is None:
        return
    assert command.name == "" or command.name in COMMANDS
    assert command.rest == "" or command.name in ("/new", "/otr")
    assert (command.nearest in COMMANDS) == (command.name == "")


@given(
    letters=st.text(st.characters(categories=["Lu", "Ll"]), min_size=1, max_size=12), rest=any_words
)
def test_a_slash_and_letters_are_never_just_words(letters: str, rest: str) -> None:
    command = parse_command(f"/{letters} {rest}")
    # A few letters are written as two characters that are not both letters.
    if unicodedata.normalize("NFKC", letters.lower()).isalpha():
        assert command is not None


@given(
    before=blank,
    behind=blank,
    spelling=st.tuples(*(st.sampled_from([c, c.upper()]) for c in "otr")).map("".join),
    hidden=st.lists(invisible, min_size=3, max_size=3),
    words=st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20),
)
def test_nothing_invisible_hides_otr(
    before: str, behind: str, spelling: str, hidden: list[str], words: str
) -> None:
    typed = "".join(character + unseen for character, unseen in zip(spelling, hidden, strict=True))
    alone = parse_command(f"{before}/{typed}{behind}")
    assert alone is not None
    assert alone == Command("/otr")
    with_words = parse_command(f"{before}/{typed} {words}{behind}")
    assert with_words is not None
    assert with_words.name in ("/otr", "/otr off")
    assert with_words.name == "/otr off" or words in with_words.rest


@given(any_words)
def test_what_does_not_begin_with_a_slash_is_words(words: str) -> None:
    visible = "".join(c for c in words if not c.isspace() and unicodedata.category(c)[0] != "C")
    if visible[:1] not in ("/", "\uff0f", "") and unicodedata.category(visible[0]) in (
        "Lu",
        "Ll",
        "Nd",
    ):
        assert parse_command(words) is None


def test_the_words_do_not_show_in_the_repr() -> None:
    command = parse_command("/otr the words")
    assert command is not None
    assert "words" not in repr(command)
