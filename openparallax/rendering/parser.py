"""Markdown to tokens, with the rules that suit a language model's answers.

Only ``markdown.py`` enters, and only when there is Markdown to read: importing the library takes
some 30 ms.
"""

import re
import unicodedata

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter

from openparallax.rendering.marks import is_unspaced

MAX_NESTING = 20
"""Levels of blocks; a list takes two. Each level may read the lines in it once more. What is deeper
the library leaves out without a word, so the caller has to look for it."""

_MAX_COLUMNS = 24
"""The library fills rows up to the header's columns: a wide header over short rows would grow."""

_ADDRESS = re.compile(r"https?://[^\s<>\"`\[\]|\u2018-\u201f\u2026\u3000-\u303f\uff00-\uffef]+")
_TRAILING = ".,;:!?'*_~}"
_CLOSERS = frozenset(".:!?)\u2026")


class _Parser(MarkdownIt):
    """Leaves addresses as they are written."""

    def validateLink(self, url: str) -> bool:  # noqa: ARG002, N802
        return True  # nothing here runs a script, and a link left out would be words lost

    def normalizeLink(self, url: str) -> str:  # noqa: N802
        return url


def build_parser() -> MarkdownIt:
    """A parser to be built once and used for every answer.

    HTML stays text: it is shown as it is. Reference definitions stay text as well, since the unused
    ones would be lost and footnotes be taken for them. Escaped characters stay apart from the text
    (``text_special``), so that they can be kept from meaning something to WhatsApp.
    """
    parser = _Parser("commonmark", {"html": False, "maxNesting": MAX_NESTING})
    parser.enable(["table", "strikethrough"]).disable(["reference", "text_join"])
    parser.block.ruler.at("table", _narrow_table, {"alt": ["paragraph", "reference"]})
    parser.inline.ruler.before("newline", "address", _address)
    parser.inline.ruler.at("emphasis", _emphasis)
    return parser


def _narrow_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001
    if start + 1 < end:
        line = slice(state.bMarks[start + 1], state.eMarks[start + 1])
        if state.src.count("|", line.start, line.stop) > _MAX_COLUMNS + 1:
            return False
    return table(state, start, end, silent)


def _emphasis(state: StateInline, silent: bool) -> bool:  # noqa: FBT001
    """The library's rule, with two more places where a run of stars may open or close.

    CommonMark tells opening from closing by white space and punctuation, so that in
    ``**Note:**then`` nothing closes, and the same everywhere where words have no spaces.
    """
    marker = state.src[state.pos]
    if silent or marker not in "*_":
        return False
    start = state.pos
    scanned = state.scanDelims(start, marker == "*")
    state.pos += scanned.length
    opens, closes = scanned.can_open, scanned.can_close
    if marker == "*":
        before = state.src[start - 1] if start else " "
        after = state.src[state.pos] if state.pos < state.posMax else " "
        is_between = not before.isspace() and not after.isspace()
        opens = opens or (is_between and _is_east_asian(before))
        closes = closes or (
            is_between
            and (
                _is_east_asian(after)
                or (scanned.length == 2 and before in _CLOSERS and after.isalpha())
            )
        )
    for _ in range(scanned.length):
        state.push("text", "", 0).content = marker
        place = len(state.tokens) - 1
        state.delimiters.append(Delimiter(ord(marker), scanned.length, place, -1, opens, closes))
    return True


def _is_east_asian(character: str) -> bool:
    """Chinese, Japanese or Korean, their punctuation included."""
    return is_unspaced(character) or unicodedata.east_asian_width(character) in "WF"


def _address(state: StateInline, silent: bool) -> bool:  # noqa: FBT001
    """Take a bare address whole, before its stars and underscores are taken for emphasis.

    Called at the colon, since letters do not interrupt text; the scheme is then pending.
    """
    if not state.src.startswith("://", state.pos):
        return False
    scheme = next((it for it in ("https", "http") if state.src.endswith(it, 0, state.pos)), "")
    found = _ADDRESS.match(state.src, state.pos - len(scheme), state.posMax) if scheme else None
    if not found or (not silent and not state.pending.endswith(scheme)):
        return False
    address = _trimmed(found[0])
    if len(address) <= len(scheme) + len("://"):
        return False
    if not silent:
        state.pending = state.pending[: -len(scheme)]
        token = state.push("address", "", 0)
        token.content = address
    state.pos += len(address) - len(scheme)
    return True


def _trimmed(address: str) -> str:
    """Without the punctuation of the sentence round it; a bracket stays if it was opened inside."""
    surplus = address.count(")") - address.count("(")
    end = len(address)
    while end and (address[end - 1] in _TRAILING or (address[end - 1] == ")" and surplus > 0)):
        end -= 1
        surplus -= address[end] == ")"
    return address[:end]
