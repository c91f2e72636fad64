"""From the blocks of a document to lines that WhatsApp shows: headings, lists, quotes, code."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from openparallax.rendering.inline import read_lines
from openparallax.rendering.marks import BOLD, render_line, without_fences
from openparallax.rendering.parser import MAX_NESTING, build_parser
from openparallax.rendering.tables import Table, aligned, listed

_RULE = "\u2014" * 3
_FENCE = "```"
_BULLETS = ("- ", "\u25e6 ", "\u25aa ")
_TODO, _DONE = "\u2b1c ", "\u2705 "
_TASK = re.compile(r"\[([ xX])\](?=\s+\S)")
_DEEPEST_INDENT = 4
_DEEPEST_QUOTE = 3
"""Levels that are shown; deeper ones look like these, since the screen is narrow."""


class NotShownWhole(Exception):  # noqa: N818 - a claim, as the house's errors are
    """The parser left something out."""


def render_document(markdown: str) -> str:
    """The whole of ``markdown`` in WhatsApp's marks.

    Raises:
        NotShownWhole: It is nested more deeply than is read.
    """
    tokens = _parser().parse(markdown)
    if any(token.nesting > 0 and token.level >= MAX_NESTING - 1 for token in tokens):
        raise NotShownWhole
    document = _Document(markdown)
    for place, token in enumerate(tokens):
        document.add(token, tokens, place)
    return document.finish()


@cache
def _parser() -> MarkdownIt:
    return build_parser()


@dataclass(slots=True)
class _Container:
    """A quote, or a list: ``number`` is its last item's."""

    is_quote: bool = False
    number: int = -1


class _Document:
    """What has been written so far, and in which lists and quotes the next line stands."""

    def __init__(self, markdown: str) -> None:
        self._source = re.sub(r"\r\n?", "\n", markdown).split("\n")
        self._shown: list[str] = []
        self._containers: list[_Container] = []
        self._bullet = ""
        """Waits for the first line of its item."""

    def finish(self) -> str:
        return "\n".join(self._shown).strip("\n")

    def add(self, token: Token, tokens: Sequence[Token], place: int) -> None:
        match token.type:
            case "blockquote_open":
                self._containers.append(_Container(is_quote=True))
            case "bullet_list_open" | "ordered_list_open":
                self._containers.append(_Container())
            case "blockquote_close" | "bullet_list_close" | "ordered_list_close":
                self._containers.pop()
            case "list_item_open":
                self._begin_item(token, is_empty=tokens[place + 1].type == "list_item_close")
            case "heading_open":
                self._heading(token, tokens[place + 1])
            case "paragraph_open":
                self._paragraph(token, tokens[place + 1])
            case "fence" | "code_block":
                self._gap(token)
                self._code(token.content)
            case "hr":
                self._gap(token)
                self._write([_RULE])
            case "table_open":
                self._gap(token)
                self._table(_read_table(tokens, place))

    def _begin_item(self, token: Token, *, is_empty: bool) -> None:
        """Numbers go on from the item before, unless the source is ahead, as in ``1. 3. 7.``.

        An item without words is rather the answer to "Which sign?", and is shown as it was written.
        """
        container = self._containers[-1]
        bullet = _BULLETS[min(self._depth(), len(_BULLETS)) - 1]
        if token.info:
            container.number = max(int(token.info), container.number + 1)
            has_zeros = token.info.startswith("0")
            bullet = f"{token.info if has_zeros else container.number}. "
        elif token.markup == "+":
            bullet = "+ "  # it may be a sign
        if not self._bullet:
            self._bullet = "  " * (self._depth() - 1)
        if is_empty:
            self._gap(token)
            self._bullet += f"{token.info}{token.markup}"
            self._write([""])
        else:
            self._bullet += bullet

    def _heading(self, token: Token, inline: Token) -> None:
        self._gap(token)
        is_text_over_a_rule = token.markup == "-" and "\n" in inline.content
        mark = "" if is_text_over_a_rule else BOLD
        self._write(render_line(line) for line in read_lines(inline.children or (), mark))
        if is_text_over_a_rule:
            self._write([_RULE])

    def _paragraph(self, token: Token, inline: Token) -> None:
        self._gap(token)
        children = inline.children or []
        task = _TASK.match(inline.content) if self._bullet else None
        if task and children and children[0].content.startswith(task[0]):
            children[0].content = children[0].content[task.end() :].lstrip()
            box = _TODO if task[1] == " " else _DONE
            has_number = self._containers[-1].number >= 0
            self._bullet = (self._bullet if has_number else self._bullet[:-2]) + box
        self._write(render_line(line) for line in read_lines(children))

    def _code(self, code: str) -> None:
        """Code stands at the left edge, as it was; in a quote, which is by line, line by line."""
        lines = without_fences(code).rstrip("\n").split("\n")
        if not code.strip():
            return
        if self._quotes():
            self._write(f"{_FENCE}{line}{_FENCE}" if line.strip() else "" for line in lines)
            return
        if self._bullet:
            self._write([""])
        self._shown += [_FENCE, *lines, _FENCE]

    def _table(self, table: Table) -> None:
        columns = aligned(table)
        if columns is not None:
            self._code(columns)
            return
        for number, row in enumerate(listed(table)):
            if number and len(table.rows[0]) > 1:
                self._shown.append("")
            self._write(row)

    def _gap(self, token: Token) -> None:
        """A blank line where the source has one or more, so that its layout stays."""
        above = token.map[0] - 1 if token.map else -1
        if self._shown and self._shown[-1] and above >= 0 and not self._source[above].strip(" \t>"):
            self._shown.append("")

    def _write(self, lines: Iterable[str]) -> None:
        quotes, indent = self._quotes(), "  " * self._depth()
        for line in lines:
            if line or self._bullet:
                self._shown.append(f"{quotes}{self._bullet or indent}{line}".rstrip())
                self._bullet = ""
            else:
                self._shown.append("")

    def _quotes(self) -> str:
        depth = sum(container.is_quote for container in self._containers)
        return "> " * min(depth, _DEEPEST_QUOTE)

    def _depth(self) -> int:
        """Lists round the next line, inside the innermost quote.

        WhatsApp sees a quote at a line's start only, so lists round a quote do not indent it.
        """
        depth = 0
        for container in reversed(self._containers):
            if container.is_quote:
                break
            depth += 1
        return min(depth, _DEEPEST_INDENT)


def _read_table(tokens: Sequence[Token], place: int) -> Table:
    rows: list[list[Sequence[Token]]] = []
    is_right_aligned: list[bool] = []
    while tokens[place].type != "table_close":
        token = tokens[place]
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "th_open":
            is_right_aligned.append("right" in str(token.attrs.get("style", "")))
        elif token.type == "inline":
            rows[-1].append(token.children or ())
        place += 1
    return Table(rows, is_right_aligned)
