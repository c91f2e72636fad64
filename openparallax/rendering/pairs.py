"""Which marks of a text belong together, as WhatsApp reads them."""

import re
from bisect import bisect_left

from openparallax.rendering.marks import BOLD, ITALIC, SEPARATOR, STRIKE, is_word

_CODE = "`"
_SIGNS = re.compile(r"\n|`{3,}|[*_~`]")


class Pairs:
    """The pairs of inline marks in a text, found in one pass: none inside fences or over lines."""

    def __init__(self, text: str) -> None:
        self._pairs: dict[str, list[tuple[int, int]]] = {
            mark: [] for mark in (BOLD, ITALIC, STRIKE, _CODE)
        }
        waiting: dict[str, int] = {}
        is_fenced = False
        for sign in _SIGNS.finditer(text):
            mark, place = sign[0], sign.start()
            if len(mark) > 1:
                is_fenced = not is_fenced
                waiting.clear()
            elif mark == "\n":
                waiting.clear()
            elif not is_fenced and (mark == _CODE or _CODE not in waiting):
                self._meet(text, mark, place, waiting)

    def around(self, place: int) -> str:
        """The marks between whose two signs ``place`` is, from the outermost."""
        return "".join(mark for _, mark in sorted(self._around(place)))

    def first_around(self, place: int) -> int:
        """Where the outermost of these begins; call it only if there is one."""
        return min(self._around(place))[0]

    def _around(self, place: int) -> list[tuple[int, str]]:
        found = []
        for mark, pairs in self._pairs.items():
            at = bisect_left(pairs, (place, 0)) - 1
            if at >= 0 and place < pairs[at][1]:
                found.append((pairs[at][0], mark))
        return found

    def _meet(self, text: str, mark: str, place: int, waiting: dict[str, int]) -> None:
        before, after = text[place - 1] if place else "", text[place + 1 : place + 2]
        opener = waiting.get(mark)
        if opener is not None:
            can_close = mark == _CODE or not (is_word(after) or _is_gap(before))
            if can_close and place > opener + 1:
                self._pairs[mark].append((opener, place + 1))
                del waiting[mark]
        elif after and not _is_gap(after) and (mark == _CODE or not is_word(before)):
            if mark == _CODE:
                end = text.find(_CODE, place + 1)
                if end < 0 or "\n" in text[place:end]:
                    return
            waiting[mark] = place


def _is_gap(character: str) -> bool:
    return character.isspace() or character == SEPARATOR
