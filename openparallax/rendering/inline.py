"""What stands in a paragraph, a heading or a cell: tokens to lines."""

import re
from collections.abc import Iterator, Sequence

from markdown_it.token import Token

from openparallax.rendering.marks import BOLD, ITALIC, STRIKE, Line, Span, is_word
from openparallax.rendering.pieces import Kind, Piece, settle

_MARKS = {"strong": BOLD, "em": ITALIC, "s": STRIKE}
_LINE_BREAK = re.compile(r"<br\s{0,9}/?>", re.IGNORECASE)
_ENDS_A_CLAUSE = (":", "?", "!", ".", "\uff1a", "\uff1f", "\uff01", "\u3002")
_BEHIND_ADDRESS = ".,;:!?)]}\"'"
"""What may touch an address: phones leave these out of the link."""

_KINDS = {"text_special": Kind.ESCAPED, "address": Kind.ADDRESS}


def read_lines(tokens: Sequence[Token], mark: str = "") -> list[Line]:
    """The lines of an inline token's children, all of them under ``mark`` if there is one."""
    pieces = list(_pieces(tokens))
    settle(pieces)
    if mark:
        pieces = [Piece(Kind.OPEN, mark=mark), *pieces, Piece(Kind.CLOSE, mark=mark)]
    return list(_lines(pieces))


def read_plain(tokens: Sequence[Token]) -> str:
    """The words alone, in one line, for where marks are not seen."""
    return " ".join(
        "".join(piece.text.strip("`") if piece.kind is Kind.CODE else piece.text for piece in line)
        for line in _cut(_pieces(tokens))
    )


def _pieces(tokens: Sequence[Token]) -> Iterator[Piece]:
    label: list[Piece] = []
    href = ""
    is_link = False
    for token in tokens:
        if token.type == "link_open":
            label, href, is_link = [], str(token.attrs.get("href", "")), True
        elif token.type == "link_close":
            is_link = False
            yield from _link(label, href)
        elif is_link and token.type == "image" and token.content:
            label.append(Piece(Kind.WORDS, token.content))  # where it leads to says enough
        elif is_link:
            label.extend(_piece(token))
        else:
            yield from _piece(token)


def _piece(token: Token) -> Iterator[Piece]:
    match token.type:
        case "text":
            for number, words in enumerate(_LINE_BREAK.split(token.content)):
                if number:
                    yield Piece(Kind.BREAK)
                yield Piece(Kind.WORDS, words)
        case "softbreak" | "hardbreak":
            yield Piece(Kind.BREAK)
        case "image":
            label = list(_pieces(token.children or ()))
            yield from _link(label, str(token.attrs.get("src", "")))
        case "code_inline":
            yield _code(token.content)
        case _ if token.tag in _MARKS:
            kind = Kind.OPEN if token.nesting > 0 else Kind.CLOSE
            yield Piece(kind, token.markup, _MARKS[token.tag])
        case _:
            yield Piece(_KINDS[token.type], token.content)


def _code(words: str) -> Piece:
    """Code that holds backticks goes between three of them, and what holds three is no code."""
    if "```" in words:
        return Piece(Kind.WORDS, words)
    if "`" in words:
        pad_left, pad_right = " " * words.startswith("`"), " " * words.endswith("`")
        return Piece(Kind.CODE, f"```{pad_left}{words}{pad_right}```")
    return Piece(Kind.CODE, f"`{words}`")


def _link(label: list[Piece], href: str) -> Iterator[Piece]:
    """A label and where it leads to; once, if they are the same."""
    words = "".join(piece.text for piece in label if piece.kind is not Kind.CLOSE).strip()
    scheme, _, rest = href.partition(":")
    is_direct = scheme.lower() in ("mailto", "tel")
    shown = rest if is_direct else href
    if not href or href.startswith("#") or (is_direct and _bare(words) == _bare(shown)):
        yield from label
    elif not words or _bare(words) == _bare(href):
        yield Piece(Kind.ADDRESS, shown, mark=" ")
    else:
        yield from label
        yield Piece(Kind.WORDS, " " if words.endswith(_ENDS_A_CLAUSE) else ": ")
        yield Piece(Kind.ADDRESS, shown, mark=" ")


def _bare(address: str) -> str:
    """What of an address tells it from another, for a reader."""
    address = "".join(address.split()).lower()
    return re.sub(r"^(?:https?://|mailto:|tel:)?(?:www\.)?", "", address).rstrip("/")


def _cut(pieces: Iterator[Piece] | Sequence[Piece]) -> Iterator[list[Piece]]:
    """Pieces by line, without the marks."""
    line: list[Piece] = []
    for piece in pieces:
        if piece.kind is Kind.BREAK:
            yield line
            line = []
        elif piece.kind not in (Kind.OPEN, Kind.CLOSE):
            line.append(piece)
    yield line


def _lines(pieces: Sequence[Piece]) -> Iterator[Line]:
    """Marks end with their line and begin again in the next; one within itself is one."""
    builder = _Builder()
    for piece in pieces:
        match piece.kind:
            case Kind.BREAK:
                yield builder.finish()
            case Kind.OPEN:
                builder.open(piece.mark)
            case Kind.CLOSE:
                builder.close(piece.mark)
            case _:
                builder.add(piece)
    yield builder.finish()


class _Builder:
    def __init__(self) -> None:
        self._depth = dict.fromkeys(_MARKS.values(), 0)
        self._since = dict.fromkeys(_MARKS.values(), 0)
        self._begin()

    def _begin(self) -> None:
        self._line = Line()
        self._words: list[str] = []
        self._length = 0
        self._last = ""
        self._follows_address = False
        self._since = dict.fromkeys(self._since, 0)

    def open(self, mark: str) -> None:
        if not self._depth[mark]:
            self._since[mark] = self._length
        self._depth[mark] += 1

    def close(self, mark: str) -> None:
        self._depth[mark] -= 1
        if not self._depth[mark]:
            self._line.spans.append(Span(mark, self._since[mark], self._length))

    def add(self, piece: Piece) -> None:
        text = piece.text
        is_led_to = piece.kind is Kind.ADDRESS and piece.mark == " "
        if (is_led_to and is_word(self._last)) or (
            self._follows_address
            and text
            and not text[0].isspace()
            and text[0] not in _BEHIND_ADDRESS
        ):
            self._append(" ")
        start = self._length
        if piece.kind is Kind.ESCAPED:
            self._line.escaped.add(start)
        self._append(text)
        if piece.kind is Kind.ADDRESS or text.startswith("```"):
            self._line.apart.append((start, self._length))
        elif piece.kind is Kind.CODE:
            self._line.code.append((start, self._length))
        self._follows_address = is_led_to

    def _append(self, text: str) -> None:
        self._words.append(text)
        self._length += len(text)
        self._last = text[-1:] or self._last

    def finish(self) -> Line:
        for mark, depth in self._depth.items():
            if depth:
                self._line.spans.append(Span(mark, self._since[mark], self._length))
        line = self._line
        line.shown = "".join(self._words)
        self._begin()
        return line
