import re
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openparallax.rendering.graphemes import is_joined
from openparallax.rendering.split import LIMIT, split

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
ZALGO = "H\u0300\u0301\u0302\u0316\u0489e\u0334\u0335\u0360l\u0488\u0321p\u0353\u0354"
SCRIPTS = {
    "English": "The quick brown fox jumps over the lazy dog. It did so twice! Did it? ",
    "Arabic": "\u0645\u064e\u0631\u0652\u062d\u064e\u0628\u064b\u0627 \u0628\u0627\u0644\u0639"
    "\u0627\u0644\u0645\u061f \u0643\u064a\u0641 \u0627\u0644\u062d\u0627\u0644. ",
    "Hindi": "\u0928\u092e\u0938\u094d\u0924\u0947 \u0926\u0941\u0928\u093f\u092f\u093e\u0964 "
    "\u0915\u094d\u0937\u0924\u094d\u0930\u093f\u092f. ",
    "Thai": "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e0a\u0e32\u0e27\u0e42\u0e25\u0e01\u0e17\u0e35"
    "\u0e48\u0e19\u0e33",
    "Chinese": "\u4f60\u597d\uff0c\u4e16\u754c\u3002\u5929\u6c14\u5f88\u597d\uff01",
    "Korean": "\uc548\ub155\ud558\uc138\uc694 \u1112\u1161\u11ab\u1100\u1173\u11af. ",
    "families": FAMILY,
    "flags": "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7\U0001f1ee\U0001f1f3",
    "thumbs": "\U0001f44d\U0001f3fd\U0001f44d\U0001f3ff",
    "zalgo": ZALGO,
}

pieces = st.sampled_from(
    [
        *SCRIPTS.values(), *"ab.!?\u3002\u201d`*",
        " ", "  ", "\n", "\n\n", "\r\n", "\r", "\t", "\u00a0", "\u2028",
        "\u0301", " \u0301", "\u200d", "\u094d", "\U0001f600", "\U0001f1e9",
        "\ud83d", "\ude00", "\ud83d\ude00",
        "https://example.org/a/very/long/path?with=a&query", "wordword" * 4,
    ]
)  # fmt: skip
texts = st.one_of(
    st.lists(pieces, max_size=60).map("".join),
    st.text(st.characters(exclude_categories=()), max_size=200),
)
# Three backticks in a row would be a fence: fences have a property of their own.
unfenced = texts.map(lambda text: re.sub("`{2,}", "`", text))
fenced = st.lists(
    st.one_of(
        pieces, st.sampled_from(["```", "```\n", "\n```\n", "\n```python\n", "    indented\n"])
    ),
    max_size=60,
).map("".join)


def units(text: str) -> int:
    return sum(2 if character > "\uffff" else 1 for character in text)


def squeezed(text: str) -> str:
    return "".join(text.split())


@given(unfenced, st.integers(2, 80))
def test_nothing_is_lost_and_every_part_fits(text: str, limit: int) -> None:
    parts = split(text, limit)
    assert squeezed("".join(parts)) == squeezed(text)
    assert all(units(part) <= limit for part in parts)
    assert all(part and not part.isspace() for part in parts)


@given(unfenced, st.integers(2, 80))
def test_white_space_at_cuts_is_trimmed(text: str, limit: int) -> None:
    parts = split(text, limit)
    for before, after in pairwise(parts):
        assert before == before.rstrip()
        # White space that carries a mark is a visible character.
        assert after == after.lstrip() or is_joined(after, len(after) - len(after.lstrip()))


@given(texts, st.integers(2, 80))
def test_what_fits_is_unchanged(text: str, limit: int) -> None:
    if units(text) <= limit:
        assert split(text, limit) == ([] if not squeezed(text) else [text])


def cluster_at(text: str, index: int) -> str:
    """The cluster that ``index`` stands in, or "" if it stands between two."""
    start = end = index
    while is_joined(text, start):
        start -= 1
    while is_joined(text, end):
        end += 1
    return text[start:end]


@given(unfenced, st.integers(2, 80))
def test_no_cluster_is_cut_that_would_fit(text: str, limit: int) -> None:
    position = 0
    parts = split(text, limit)
    for part in parts:
        start = text.index(part, position)
        position = start + len(part)
        for cut in (start, position):
            assert not (cluster := cluster_at(text, cut)) or units(cluster) > limit


@given(unfenced, st.integers(2, 80))
def test_parts_are_not_split_further(text: str, limit: int) -> None:
    for part in split(text, limit):
        assert split(part, limit) == [part]


@given(fenced, st.integers(64, 120))
def test_fences_are_balanced_and_the_rest_is_kept(text: str, limit: int) -> None:
    parts = split(text, limit)
    assert squeezed("".join(parts)).replace("`", "") == squeezed(text).replace("`", "")
    assert all(units(part) <= limit and not part.isspace() for part in parts)
    for part in parts[:-1]:
        assert len(re.findall("`{3,}", part)) % 2 == 0


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_scripts_are_cut_between_clusters(script: str) -> None:
    text = (script * (3 * LIMIT // len(script) + 1)).strip()
    parts = split(text)
    assert squeezed("".join(parts)) == squeezed(text)
    assert all(units(part) <= LIMIT for part in parts)
    # None is nearly empty but the last: each is a message that costs money.
    assert all(units(part) > LIMIT // 4 for part in parts[:-1])
    position = 0
    for part in parts:
        position = text.index(part, position)
        assert not is_joined(text, position)
        position += len(part)
        assert not is_joined(text, position)


@pytest.mark.parametrize("text", ["", " ", "\n\n \t", "\u00a0", " " * 9000])
def test_white_space_has_no_parts(text: str) -> None:
    assert split(text) == []


def test_the_limit_counts_utf_16() -> None:
    assert split("\U0001f600" * 2048) == ["\U0001f600" * 2048]
    assert split("\U0001f600" * 2049) == ["\U0001f600" * 2048, "\U0001f600"]
    assert split("a" * 4096) == ["a" * 4096]
    assert split("a" * 4097) == ["a" * 4096, "a"]
    assert split("\u00e4" * 4096) == ["\u00e4" * 4096]


def test_paragraphs_come_before_lines_before_sentences_before_words() -> None:
    sentence = "One two three four."
    line = f"{sentence} {sentence}"
    paragraph = f"{line}\n{line}"
    text = f"{paragraph}\n\n{paragraph}"
    assert split(text, len(paragraph) + 10) == [paragraph, paragraph]
    assert split(text, len(line) + 10) == [line] * 4
    assert split(line, len(sentence) + 8) == [sentence] * 2
    assert split(sentence, 10) == ["One two", "three", "four."]


def test_a_place_at_the_very_limit_counts() -> None:
    assert split("a bbb ccc", 5) == ["a bbb", "ccc"]
    assert split("a. b c\nd e", 6) == ["a. b c", "d e"]
    assert split("a. b c\n\nd e", 6) == ["a. b c", "d e"]


def test_a_mark_stays_with_what_carries_it() -> None:
    assert split("aaaa  \u0301b", 5) == ["aaaa", " \u0301b"]
    assert split("\u597d\u3002\u597d\u3002\u0301\u597d", 4) == [
        "\u597d\u3002",
        "\u597d\u3002\u0301\u597d",
    ]


def test_windows_paragraphs_are_paragraphs() -> None:
    assert split("one two\r\n\r\nthree four", 14) == ["one two", "three four"]


def test_sentences_end_behind_their_quotes() -> None:
    assert split('He said: "No." Then he left us', 20) == ['He said: "No."', "Then he left us"]
    wide = "\u4ed6\u8bf4\uff1a\u201c\u4e0d\u3002\u201d\u7136\u540e\u4ed6\u8d70\u4e86\u5440"
    assert split(wide, 9) == [wide[:7], wide[7:]]


def test_a_tiny_first_paragraph_does_not_cost_a_message() -> None:
    text = "Hi!\n\n" + "word " * 30
    assert split(text.strip(), 100)[0].startswith("Hi!\n\nword")
    assert len(split(text.strip(), 100)) == 2


def test_a_word_is_kept_whole_if_it_fits() -> None:
    address = "https://example.org/" + "a" * 60
    assert split(f"Look here: {address}", 90) == ["Look here:", address]


def test_a_cluster_that_fits_no_part_is_cut() -> None:
    zalgo = "a" + "\u0301" * 10_000
    parts = split(zalgo)
    assert "".join(parts) == zalgo
    assert [len(part) for part in parts] == [4096, 4096, 1809]


def test_lone_surrogates_do_no_harm() -> None:
    text = "\ud83d x \ude00 " * 2000
    assert squeezed("".join(split(text))) == squeezed(text)


def test_a_fence_is_closed_and_opened_again() -> None:
    lines = [f"    line {number}" for number in range(12)]
    text = "Look:\n\n```\n" + "\n".join(lines) + "\n```\n\nThat was it."
    parts = split(text, 100)
    assert parts[0] == "Look:\n\n```\n" + "\n".join(lines[:7]) + "\n```"
    assert parts[1] == "```\n" + "\n".join(lines[7:]) + "\n```\n\nThat was it."
    assert all(len(part) <= 100 for part in parts)


def test_a_fence_that_would_stay_empty_goes_with_its_code() -> None:
    line = "code(" + "x" * 50 + ");"
    parts = split(f"{'w ' * 30}\n```python\n{line}\n{line}\n```", 90)
    assert parts == [("w " * 30).strip(), f"```python\n{line}\n```", f"```\n{line}\n```"]


def test_a_fence_itself_is_not_cut() -> None:
    parts = split("a" * 94 + "```" + "b" * 50 + "```", 100)
    assert parts == ["a" * 94, "```" + "b" * 50 + "```"]


def test_the_end_of_a_fence_does_not_open_a_part() -> None:
    code = "x" * 40 + "\n" + "y" * 40
    parts = split(f"```\n{code}\n```\nand so on, and so on", 92)
    assert parts == [f"```\n{code}\n```", "and so on, and so on"]


def test_a_fence_never_ended_is_ended_where_it_was_opened_again() -> None:
    parts = split("```\n" + "code();\n" * 20, 100)
    assert all(part.startswith("```\n") and part.endswith("\n```") for part in parts)
    assert "".join(parts).count("code();") == 20


BOLD = "*" + "bold words " * 60 + "end*"


def test_marks_are_closed_and_opened_again() -> None:
    parts = split(f"a {BOLD} b", 300)
    assert parts[0].startswith("a *bold words bold")
    assert all(part.startswith(("*bold", "*words")) for part in parts[1:])
    assert all(part.endswith(("bold*", "words*")) for part in parts[:-1])
    assert parts[-1].endswith("end* b")
    assert all(len(part) <= 300 for part in parts)


def test_marks_within_marks_are_closed_from_the_inside() -> None:
    parts = split("*a _" + "b ~c~ " * 80 + "d_ e*", 300)
    assert parts[0].endswith("_*")
    assert parts[1].startswith(("*_b ~c~", "*_~c~ b"))


def test_a_short_mark_is_not_cut() -> None:
    assert split("a " * 145 + "(*bold words here*)", 300) == [
        ("a " * 145).strip(),
        "(*bold words here*)",
    ]
    assert split("a " * 145 + "`code words here` b", 300)[1] == "`code words here` b"


def test_long_code_is_closed_and_opened_again() -> None:
    parts = split("`" + "code * " * 80 + "end`", 300)
    assert all(part.startswith("`") and part.endswith("`") for part in parts)
    assert all(len(part) <= 300 for part in parts)


def test_a_quote_goes_on_as_a_quote() -> None:
    parts = split("> " + "words " * 60 + "*" + "bold " * 60 + "end*\n> next\n\nlast", 300)
    assert parts[1].endswith(" bold*")
    assert parts[2].startswith("> *bold ")
    assert parts[-1].endswith("end*\n> next\n\nlast")
    assert all(part.startswith("> ") for part in parts)


def test_stars_that_mean_nothing_are_left_alone() -> None:
    text = "2*3 *\u200bno* snake_case " * 40
    assert squeezed("".join(split(text, 300))) == squeezed(text)


def test_a_dash_in_a_line_does_not_become_a_bullet() -> None:
    text = "x" * 250 + " - " + "y" * 100
    assert split(text, 300) == ["x" * 250 + " -", "y" * 100]
    assert split(text, 256) == ["x" * 250 + " -", "y" * 100]
    assert split("x" * 255 + " - " + "y" * 100, 256) == ["x" * 255, "\u200b- " + "y" * 100]


def test_a_number_stays_with_its_item() -> None:
    text = "a " * 140 + "\n1. " + "b" * 100
    assert split(text, 300)[1].startswith("1. bbb")


def test_a_run_of_backticks_keeps_the_accent_behind_it() -> None:
    assert split("```\u0301", 3) == ["``", "`\u0301"]
    accented = "`" * 5000 + "\u0301 and more"
    assert [part for part in split(accented) if part[0] == "\u0301"] == []


def test_a_limit_that_no_character_fits_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        split("a", 1)


@pytest.mark.parametrize(
    "hostile",
    [
        "a" * 300_000, " \n" * 150_000 + "x", "\u0301" * 100_000, "\U0001f1e9" * 100_000,
        "`" * 100_000, "\u200d" * 100_000, "a\u094d" * 70_000, "\n \u0301" * 70_000,
    ],
    ids=[
        "letters", "blank lines", "marks", "flag halves",
        "backticks", "joiners", "viramas", "marked",
    ],
)  # fmt: skip
def test_long_hostile_texts_take_time_in_proportion(hostile: str) -> None:
    begun = time.process_time()
    parts = split(hostile)
    assert time.process_time() - begun < 20  # quadratic work would take minutes
    assert squeezed("".join(parts)).replace("`", "") == squeezed(hostile).replace("`", "")
