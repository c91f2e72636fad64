import cProfile
import re
import string
from collections.abc import Callable

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from openparallax.rendering.document import NotShownWhole, render_document
from openparallax.rendering.markdown import render
from openparallax.rendering.parser import build_parser
from openparallax.rendering.split import split
from tests.rendering import phone

PARSER = build_parser()

signs = st.sampled_from(
    [
        *"*_~`#>+-.:!|[]()<&\\\n\n  ab\u00e91", "**", "__", "~~", "``", "```", "```\n", "\n\n",
        "\n- ", "\n  - ", "\n1. ", "\n> ", "\n# ", "](", "[a](b)", "<br>", "- [ ] ", "&amp;", "\\*",
        "word", "|-|\n", "\n---\n", "\t", "\r\n", "\u91cd\u70b9", "\uff1a", "\u0915\u093f",
        "\u200d", "\ud83d", "\U0001f600", "https://a.b/c_d", "    ", "\0",
    ]
)  # fmt: skip
markdowns = st.lists(signs, max_size=40).map("".join)

names = st.integers(0, 999).map(lambda number: f"w{number}x")
inlines = st.one_of(
    names,
    st.tuples(
        st.sampled_from(["**{}**", "*{}*", "***{}***", "~~{}~~", "`{}`", "[{}](https://a.b/c)",
                         "\\*{}\\*", "\\_{}", "({})", '"**{}**"', "x{}_y", "**{}:**", "2*{}*4"]),
        names,
    ).map(lambda it: it[0].format(it[1])),
)  # fmt: skip
sentences = st.lists(inlines, min_size=1, max_size=12).map(" ".join)
blocks = st.tuples(
    st.sampled_from(["{}", "# {}", "- {}", "1. {}", "> {}", "- [x] {}", "> - {}", "- a\n  - {}",
                     "```py\n{}\n```", "**{}**", "> **{}**", "> > {}"]),
    sentences,
).map(lambda it: it[0].format(it[1]))  # fmt: skip
answers = st.lists(blocks, min_size=1, max_size=12).flatmap(
    lambda found: st.sampled_from(["\n", "\n\n"]).map(lambda gap: gap.join(found))
)


def letters(text: str) -> str:
    return "".join(character for character in text if character.isalpha())


@given(markdowns)
@settings(max_examples=150)
def test_whatever_it_is_it_is_rendered(markdown: str) -> None:
    try:
        shown = render_document(markdown)
    except NotShownWhole:
        return
    assert render(markdown) == shown
    assert shown == shown.strip("\n")


@given(st.text(st.characters(exclude_categories=[]), max_size=80))
def test_any_text_is_rendered(text: str) -> None:
    render_document(text)


@given(markdowns)
@settings(max_examples=150)
def test_no_letter_is_lost(markdown: str) -> None:
    tokens = PARSER.parse(markdown)
    # These say a thing again, or decode it, or leave out what nobody sees.
    kinds = {child.type for token in tokens for child in token.children or ()}
    assume(not kinds & {"link_open", "image"} and "&" not in markdown and "<br>" not in markdown)
    assume(not any(token.type == "table_open" or token.info.isalpha() for token in tokens))
    assume(not any(token.type == "fence" and token.info for token in tokens))
    assert letters(render(markdown)) == letters(markdown)


@given(answers)
@settings(max_examples=60)
def test_all_words_stay_in_their_order(markdown: str) -> None:
    assert re.findall(r"w\d+x", render(markdown)) == re.findall(r"w\d+x", markdown)


@given(st.text(string.punctuation + "ab1 \u00e9\u91cd", max_size=40))
@settings(max_examples=150)
def test_what_is_escaped_is_seen_as_it_is(text: str) -> None:
    text = " ".join(text.split())
    escaped = re.sub(f"([{re.escape(string.punctuation)}])", r"\\\1", text)
    shown = render_document(escaped)
    assert "".join(it.character for it in phone.read(shown)) == text
    assert phone.marked(shown) == []


@given(
    st.lists(
        st.text(
            st.characters(
                categories=["L", "Nd", "So", "Zs"],
                include_characters=",;!?'\"/%()=@€$\u2013…",
                exclude_characters="\u00a0\u202f\u3000",
            ),
            min_size=1,
        ).map(lambda line: "x" + line.rstrip() + "."),
        min_size=1,
        max_size=4,
    ).map("\n".join)
)
def test_plain_text_comes_out_as_it_is(text: str) -> None:
    assert render_document(text) == re.sub(" +\n", "\n", text)


codes = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_categories=["Cc"]), min_size=1
).filter(lambda code: code.strip() and "```" not in code)
addresses = st.text(string.ascii_letters + string.digits + "*_~-/.?=&%#+", min_size=1).map(
    lambda rest: f"https://a.b/{rest}z"
)
PLACES = ["{}", "- {}", "> a {} b", "**a {} b**", "# {}", "a\n{}", "\\*a {} b\\*", "_a {}_ `c`"]


@given(codes, st.sampled_from(PLACES))
def test_code_is_untouched(code: str, place: str) -> None:
    fence = "`" * (max(map(len, re.findall("`+", code)), default=0) + 1)
    padded = f"{fence} {code.strip(' ')} {fence}"
    assert code.strip(" ") in render_document(place.format(padded))


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0`"), max_size=60))
def test_blocks_of_code_are_untouched(code: str) -> None:
    assume(code.strip())
    shown = render_document(f"````text\n{code}\n````")
    assert shown == "```\n" + f"{code}\n".rstrip("\n") + "\n```"


@given(addresses, st.sampled_from(PLACES))
def test_addresses_are_untouched(address: str, place: str) -> None:
    assert address in render_document(place.format(address))
    assert address in render_document(place.format(f"[t](<{address}>)"))


@given(answers, st.integers(256, 400))
@settings(max_examples=60)
def test_parts_look_like_the_whole(markdown: str, limit: int) -> None:
    joined = "" if "```" in markdown else markdown.replace("\n", " ")  # long lines, to be cut
    shown = render(f"{markdown}\n\n{joined}")
    parts = split(shown, limit)
    assert all(len(part) <= limit for part in parts)
    assert looks("\n".join(parts)) == looks(shown)
    assert [it for part in parts for it in looks(part)] == looks(shown)


def looks(text: str) -> list[phone.Seen]:
    """What is seen, less what begins lines: a quote that is cut begins again, an item does not."""
    return [
        phone.Seen(it.character, it.looks - set("-1"))
        for it in phone.read(text)
        if not it.character.isspace() and it.character not in "->\u25e6\u25aa"
    ]


HOSTILE: dict[str, Callable[[int], str]] = {
    "stars": lambda n: "*" * n,
    "openers": lambda n: "*a " * n,
    "closers": lambda n: "a* " * n,
    "both": lambda n: "a**b" * n,
    "alternating": lambda n: "*_" * n,
    "emphasis in emphasis": lambda n: "*a " * n + "b*" * n,
    "many bold words": lambda n: "**a** " * n,
    "bold and addresses": lambda n: "**a** https://b.c " * n,
    "bold round addresses": lambda n: "**" + "a https://b.c " * n + "**",
    "escaped stars": lambda n: r"\*a " * n + r"b\* " * n,
    "tildes": lambda n: "~~a " * n,
    "brackets": lambda n: "[" * n,
    "nested brackets": lambda n: "[" * n + "]" * n,
    "half links": lambda n: "[a](" * n,
    "half images": lambda n: "![" * n,
    "links": lambda n: "[a](b)" * n,
    "nested links": lambda n: "[a " * n + "](b)" * n,
    "backticks": lambda n: "`" * n,
    "half code": lambda n: "`a``b" * n,
    "literal backticks": lambda n: r"\`a" * n,
    "code": lambda n: "`a` " * n,
    "quotes": lambda n: ">" * n + "a",
    "quoted lines": lambda n: "> a\n" * n,
    "lazy lines": lambda n: ">" * 18 + "a\n" + "b\n" * n,
    "bullets on a line": lambda n: "- " * n + "a",
    "items": lambda n: "- a\n" * n,
    "loose items": lambda n: "1. a\n\n" * n,
    "rows": lambda n: "|a|b|\n|-|-|\n" + "|c|d|\n" * n,
    "columns": lambda n: "|a" * n + "|\n" + "|-" * n + "|\n" + "|c" * n,
    "short rows": lambda n: "|a" * 300 + "|\n" + "|-" * 300 + "|\n" + "x\n" * n,
    "tables": lambda n: "|a|b|\n|-|-|\n|c|d|\n\n" * n,
    "angles": lambda n: "<a " * n,
    "line breaks": lambda n: "<br" + " " * n + "<br>" * n,
    "entities": lambda n: "&a" * n + "&amp;" * n,
    "schemes": lambda n: "http://" * n,
    "brackets behind an address": lambda n: "https://a.b/" + ")" * n,
    "headings": lambda n: "# a\n" * n,
    "fences": lambda n: "```\na\n" * n,
    "lines": lambda n: "a\n" * n,
    "spaces": lambda n: "**" + " " * n + "a" + "\u00a0" * n + "**",
    "marked lines": lambda n: "**" + "a\n" * n + "b**",
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
def test_twice_the_input_is_twice_the_work(hostile: Callable[[int], str]) -> None:
    few, many = (calls(hostile(n)) for n in (200, 400))
    assert many <= few * 2.6 + 2000


def calls(markdown: str) -> int:
    """How many functions were called to render and to split: the same on every machine."""
    render_document("a")
    profile = cProfile.Profile()
    profile.enable()
    split(render(markdown), 300)
    profile.disable()
    return sum(entry.callcount for entry in profile.getstats())
