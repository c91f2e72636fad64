"""Asking for one value until it is one: judged by its form, then by whoever gave it out."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from openparallax.app.setup.answers import Kept
from openparallax.app.setup.pasted import Pasted, Wrong
from openparallax.app.setup.terminal import Terminal
from openparallax.app.setup.word import Level, Word, worst

T = TypeVar("T")
Judge = Callable[[str], Pasted]


class Questions:
    """Asks a person, and then whoever knows whether the answer is right.

    Args:
        terminal: Where the person is.

    Attributes:
        is_offline: Nobody else is asked any more.
        is_unchecked: Something was taken that nobody could say anything about.
    """

    def __init__(self, terminal: Terminal, *, is_offline: bool) -> None:
        self._terminal = terminal
        self.is_offline = self.is_unchecked = is_offline

    def value(
        self,
        question: str,
        judge: Judge,
        *,
        offered: str = "",
        given: str = "",
        may_wait: bool = False,
    ) -> str:
        """A value that is shown.

        Enter takes what is ``offered``; where there is nothing and it ``may_wait``, it is "".
        ``given`` is what an option said: it is judged as if it had been typed.
        """
        insisted = None
        while True:
            raw, given = given or self._terminal.ask(question, offered).strip() or offered, ""
            if not raw and may_wait:
                return ""
            if not raw:
                self._terminal.say("This one is needed; Ctrl-C ends without writing anything.")
                continue
            try:
                found = judge(raw)
            except Wrong as why:
                if why.is_doubt and raw == insisted:
                    return raw
                insisted = raw
                again = " Enter it once more to insist." if why.is_doubt else ""
                self._terminal.word(
                    Word(Level.DOUBT if why.is_doubt else Level.WRONG, f"{why}{again}")
                )
                continue
            self._notes(found)
            return found.value

    def secret(
        self, question: str, judge: Judge, *, kept: Kept | None = None, given: str = ""
    ) -> tuple[str, str]:
        """A value that nobody sees.

        Returns:
            What is to be written, "" where it stays where it is; and what it is, "" where that
            cannot be read from here.
        """
        while True:
            offered = f"Enter: {kept.place}" if kept else ""
            raw = given or self._terminal.ask_hidden(question, offered)
            given = ""
            is_kept = not raw.strip() and kept is not None
            if is_kept and kept is not None:
                if not kept.value:
                    return "", ""
                raw = kept.value
            if not raw.strip():
                self._terminal.say("This one is needed; Ctrl-C ends without writing anything.")
                continue
            try:
                found = judge(raw)
            except Wrong as why:
                self._terminal.word(Word(Level.WRONG, str(why)))
                if is_kept:
                    kept = None  # what is there is wrong: Enter would say so for ever
                continue
            self._notes(found)
            stays = is_kept and kept is not None and kept.is_of_file and not found.notes
            return ("" if stays else found.value), found.value

    def check(
        self,
        question: Callable[[], Coroutine[Any, Any, T]],
        words: Callable[[T], Sequence[Word]],
        *,
        is_of_meta: bool = True,
    ) -> tuple[bool, T | None]:
        """Ask whoever knows, and say what they say.

        Args:
            question: Made anew for each try.
            words: What is to be said of the answer.
            is_of_meta: Who cannot be reached here will not be for the next question either.

        Returns:
            Whether to go on with the value; and the answer, None where nobody was asked.
        """
        while not self.is_offline:
            with self._terminal.waiting("checking"):
                said = asyncio.run(question())
            self._terminal.tell(words(said))
            level = worst(words(said))
            if level is Level.WRONG:
                return False, said
            if level is Level.DOUBT:
                return self._terminal.confirm("Use it all the same?", is_usual=False), said
            if level is not Level.UNKNOWN:
                return True, said
            if self._terminal.confirm("Go on without checking? (n: try again)", is_usual=True):
                self.is_unchecked = True
                if is_of_meta:
                    self.is_offline = True
                    self._terminal.say(
                        "From here on what you paste is looked at for its form only. openparallax"
                        " doctor asks Meta later."
                    )
                return True, None
        return True, None

    def _notes(self, found: Pasted) -> None:
        for note in found.notes:
            self._terminal.note(note)
