"""Words, wrapped so that printing them does not show them."""

from typing import NewType

from openparallax.model.noun import noun

SessionId = NewType("SessionId", int)


@noun(frozen=True, slots=True)
class Text:
    """Somebody's words.

    ``words`` is read only where words must be seen: by the command parser, the engine, the
    transcript's storage and the sender (a test keeps the list). Everywhere else a `Text` is a
    closed letter: its repr and its str show a length.
    """

    words: str

    def __repr__(self) -> str:
        return f"Text({len(self.words)} characters)"

    def __str__(self) -> str:
        return repr(self)

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __len__(self) -> int:
        return len(self.words)
