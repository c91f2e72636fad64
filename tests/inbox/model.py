"""A plain model of sessions: a chat, what it was told in which order, and where each word lies.

Written from the rules, not from the code: lists and loops, no tables, no caches.
"""

from dataclasses import dataclass, field


@dataclass(eq=False)
class Talk:
    """One session."""

    is_off: bool
    opened_at: int
    before: "Talk | None" = None


@dataclass
class Said:
    """Words, and the session that they lie in."""

    words: str
    at: int
    talk: Talk


@dataclass
class ChatModel:
    """What the rules make of the messages of one chat, in order of arrival."""

    open: Talk | None = None
    said: list[Said] = field(default_factory=list)
    ended_off: tuple[Talk, int] | None = None
    ended_on: tuple[Talk, int] | None = None

    def hear(self, words: str, at: int) -> None:
        if self.open is None:
            self.open = Talk(is_off=False, opened_at=at)
        if words == "/otr":
            self._off(at)
        elif words == "/otr off":
            self._back(at)
        elif words == "/new":
            self._new(at)
        else:
            self.said.append(Said(words, at, self._place(at)))

    def _place(self, at: int) -> Talk:
        assert self.open is not None
        if not self.open.is_off:
            for ended in (self.ended_off, self.ended_on):
                if ended is not None and at < ended[1]:
                    return ended[0]
        return self.open

    def _off(self, at: int) -> None:
        assert self.open is not None
        if self.open.is_off:
            self.open.opened_at = max(self.open.opened_at, at)
        else:
            self.open = Talk(is_off=True, opened_at=at, before=self.open)
        kept = [said for said in self.said if not said.talk.is_off]
        newer = [said for said in kept if said.at > at]
        if newer:
            # From the first newer one on, in order of arrival.
            for said in kept[kept.index(newer[0]) :]:
                said.talk = self.open

    def _leave_off(self, at: int) -> None:
        assert self.open is not None
        before = self.ended_off[1] if self.ended_off else 0
        self.ended_off = (self.open, max(at, before))

    def _back(self, at: int) -> None:
        assert self.open is not None
        if self.open.is_off and at >= self.open.opened_at:
            self._leave_off(at)
            self.open = self.open.before

    def _new(self, at: int) -> None:
        assert self.open is not None
        if not self.open.is_off:
            self.ended_on = (self.open, at)
            self.open = Talk(is_off=False, opened_at=at)
        elif at < self.open.opened_at:
            self.open.before = Talk(is_off=False, opened_at=at)
        else:
            self._leave_off(at)
            self.open = Talk(is_off=False, opened_at=at)
