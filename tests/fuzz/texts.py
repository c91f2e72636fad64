"""Markdown to WhatsApp's marks, and the cut into messages."""

import cProfile
import random
import re
import time

from openparallax.rendering.document import NotShownWhole, render_document
from openparallax.rendering.graphemes import is_joined
from openparallax.rendering.markdown import LONGEST, render
from openparallax.rendering.split import LIMIT, split
from tests.fuzz.draws import Draws, as_text
from tests.fuzz.target import Target

_SIGNS = [
    *"*_~`#>+-.:!|[]()<&\\\n  ab1\u00e9\t", "**", "__", "~~", "``", "```", "```\n", "\n\n",
    "\n- ", "\n  - ",
    "\n1. ", "\n> ", "\n# ", "](", "[a](b)", "![a](b)", "<br>", "- [ ] ", "&amp;", "\\*", "word",
    "|-|\n",
    "\n---\n", "\r\n", "\u91cd\u70b9", "\u0915\u093f", "\u200d", "\U0001f600", "https://a.b/c_d",
    "    ", "\0",
    "\u200b", "\u202e", "\u0301", "\U0001f1e9", "http://", "[^1]", "<a ", "&#", "$$",
    "| a | b |\n|---|---|\n",
]  # fmt: skip


def try_markdown(data: bytes) -> None:
    """Any text is rendered; no letter is lost of what has no links; what is sent is sendable."""
    markdown = as_text(data)
    try:
        shown = render_document(markdown)
    except NotShownWhole:
        shown = render(markdown)
        assert shown == ("" if markdown.isspace() else markdown.strip("\r\n"))
    else:
        assert render(markdown) == shown
        assert shown == shown.strip("\n")
    if not re.search(r"[\[\]<>&|\\`~]|https?:|www", markdown) and "\0" not in markdown:
        assert _letters(shown) == _letters(markdown), "letters are lost"
    for limit in (300, LIMIT):
        _assert_parts(shown, split(shown, limit), limit)


def _letters(text: str) -> str:
    return "".join(character for character in text if character.isalpha())


def try_split(data: bytes) -> None:
    """Nothing is lost, every part fits, no cluster is cut that would fit."""
    draws = Draws(data)
    limit = draws.one_of([2, 3, 5, 17, 63, 64, 65, 100, 255, 256, 257, 300, 600, LIMIT])
    times = draws.one_of([1, 1, 1, 2, 7, 60])
    text = as_text(draws.rest()) * times
    parts = split(text, limit)
    assert split(text, limit) == parts
    _assert_parts(text, parts, limit)


def _assert_parts(text: str, parts: list[str], limit: int) -> None:
    for part in parts:
        assert _units(part) <= limit, "a part is too long"
        assert part, "an empty part"
        assert not part.isspace(), "a part of blanks"
    if not text or text.isspace():
        assert parts == []
        return
    if _units(text) <= limit:
        assert parts == [text], "what fits is changed"
        return
    added = re.compile(r"[`*_~>\u200b]") if limit >= 64 else None
    joined = _squeezed("".join(parts))
    whole = _squeezed(text)
    if added is not None:
        joined, whole = added.sub("", joined), added.sub("", whole)
    assert joined == whole, "something is lost or added"
    if limit < 64:
        _assert_clusters(text, parts, limit)


def _assert_clusters(text: str, parts: list[str], limit: int) -> None:
    position = 0
    for part in parts:
        start = text.index(part, position)
        position = start + len(part)
        if is_joined(text, start):
            assert _units(_cluster(text, start)) > limit, "a cluster is cut that would fit"


def _cluster(text: str, index: int) -> str:
    start = end = index
    while is_joined(text, start):
        start -= 1
    while is_joined(text, end):
        end += 1
    return text[start:end]


def _units(text: str) -> int:
    return sum(2 if character > "\uffff" else 1 for character in text)


def _squeezed(text: str) -> str:
    return "".join(text.split())


# -- growth ---------------------------------------------------------------------------------------

_FEW, _LEEWAY = 100, 20_000
_TIMED = 300
_WORTH_S = 0.05


def try_growth(data: bytes) -> None:
    """A pattern repeated twice as often takes about twice the work, whatever the pattern.

    Calls are counted, which is the same on every machine; what happens inside one call (a regular
    expression, say) is seen by time alone: as a ratio of two sizes, measured again before it
    counts.
    """
    draws = Draws(data)
    before, again, behind = (_pattern(draws) for _ in range(3))
    if not again:
        return

    def text(times: int) -> str:
        return before + again * times + behind * draws_both

    draws_both = 1 if draws.is_so() else 0
    _calls(text(2 * _FEW))  # what is done once, such as compiling a pattern
    few, many = (_calls(text(n)) for n in (_FEW, 2 * _FEW))
    assert many <= few * 2.7 + _LEEWAY, f"{few} calls, then {many}: {before!r} {again!r} {behind!r}"
    most = min(LONGEST // (4 * len(again)), _TIMED)
    ratio, longer = 0.0, 0.0
    for _ in range(12):  # so long a machine is busy, and what it says of times is wrong
        longer = _seconds(text(4 * most))
        ratio = longer / max(_seconds(text(most)), 1e-4)
        if longer < _WORTH_S or ratio < 7:
            return
    assert ratio < 7, f"{ratio:.1f} times the time for four times the text: {before!r} {again!r}"


def _pattern(draws: Draws) -> str:
    return "".join(draws.one_of(_SIGNS) for _ in range(draws.below(6)))


def _calls(markdown: str) -> int:
    render_document("a")
    profile = cProfile.Profile()
    profile.enable()
    try:
        split(render(markdown), 300)
    finally:
        profile.disable()
    return sum(entry.callcount for entry in profile.getstats())


def _seconds(markdown: str) -> float:
    begun = time.thread_time()
    split(render(markdown[:LONGEST]))
    return time.thread_time() - begun


def _growth_seeds() -> list[bytes]:
    dice = random.Random(5)  # noqa: S311 - repeatable
    lone = [bytes([0, 1, n, 0]) for n in range(0, len(_SIGNS), 3)]
    return [*lone, *(dice.randbytes(20) for _ in range(9))]


def _markdown_seeds() -> list[bytes]:
    dice = random.Random(6)  # noqa: S311 - repeatable
    made = ["".join(dice.choices(_SIGNS, k=dice.randrange(1, 40))) for _ in range(200)]
    rows = "| a | b |\n|---|:-:|\n| c **d** | `e` |\n\n- [ ] x\n  1. y\n\n> q\n> > r\n\n# H\n\n***\n[l](https://a.b/c_d)"
    return [text.encode("utf-8", "surrogatepass") for text in [*made, rows, rows * 30]]


def _split_seeds() -> list[bytes]:
    scripts = [
        "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        "\u1112\u1161\u11ab",
        "H\u0300\u0301\u0302e\u0334",
    ]
    scripts += [
        "\U0001f1e9\U0001f1ea",
        "\u0928\u092e\u0938\u094d\u0924\u0947 ",
        "a *b c* d ",
        "> q *b\n",
        "```\ncode\n```\n",
        " \u0301",
        "\r\n",
    ]
    return [
        bytes([limit, times]) + (one * 9).encode()
        for one in scripts
        for limit in range(14)
        for times in (0, 4)
    ]


_WORDS = [sign for sign in _SIGNS if sign.isascii()]
MARKDOWN = Target("markdown", try_markdown, _markdown_seeds, _WORDS, longest=2048)
SPLIT = Target("split", try_split, _split_seeds, _WORDS, longest=1024)
GROWTH = Target("growth", try_growth, _growth_seeds, longest=32)
