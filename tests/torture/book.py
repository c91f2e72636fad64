"""What was said and acknowledged, and what may and what must stand on the disk by then."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.torture.model import Chat, Where, after_a_death, after_all, after_trying
from tests.torture.programme import FORGET, MISTYPED, REVOKE, Message, Programme, Request

ChatKey = tuple[int, int]


@dataclass(slots=True)
class Posted:
    """One request, and what became of it; monotonic seconds.

    Attributes:
        tries: How often something was asked for that may be done at each asking.
    """

    request: Request
    tries: int = 0
    sent: float | None = None
    taken: float | None = None


@dataclass(frozen=True, slots=True)
class Allowed:
    """What may stand in a file at some moment.

    Attributes:
        forbidden: Messages whose words may not, nor those of their answers.
        gone: Messages whose own words may not.
        required: Messages whose words must.
    """

    forbidden: frozenset[int]
    gone: frozenset[int]
    required: frozenset[int]


@dataclass(slots=True)
class Book:
    """Every request of a programme, by chat, in the order in which they are posted.

    Attributes:
        groups: Requests that are posted at the same time.
        ends: Between which moments each process of the daemon ended, in monotonic seconds, as far
            as is known by now.
    """

    programme: Programme
    groups: list[tuple[Posted, ...]] = field(default_factory=list)
    ends: list[tuple[float, float]] = field(default_factory=list)
    _of: dict[int, Posted] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for step in self.programme.steps:
            group = tuple(Posted(request) for request in step.requests)
            if group:
                self.groups.append(group)
                self._of |= {message.number: one for one in group for message in one.request}

    @property
    def messages(self) -> dict[int, Message]:
        return {message.number: message for message in self.programme.messages}

    def posted(self, number: int) -> Posted:
        """The request of a message."""
        return self._of[number]

    def chats(self) -> list[ChatKey]:
        """All that the model knows about: those of strangers are judged by simpler rules."""
        return sorted({one.chat for one in self.programme.messages if not one.is_of_stranger})

    def groups_of(self, chat: ChatKey) -> list[list[tuple[Posted, Request]]]:
        """Of each group, the requests that concern a chat, with what of each does."""
        found = []
        for group in self.groups:
            parts = [
                (one, tuple(message for message in one.request if message.chat == chat))
                for one in group
            ]
            parts = [(one, part) for one, part in parts if part]
            if parts:
                found.append(parts)
        return found

    def states(self, chat: ChatKey) -> list[Chat]:
        """In which states a chat may be when everything was taken."""
        states, _ = self._reached(chat)
        return states

    def _new(self) -> Chat:
        return Chat(takeover_s=self.programme.takeover_s, limit=self.programme.limit)

    def allowed(self) -> Allowed:
        """What may stand on disk at this moment."""
        forbidden: set[int] = set()
        gone: set[int] = set()
        required: set[int] = set()
        for chat in self.chats():
            states, under_way = self._reached(chat)
            forbidden |= _off_in_all(states) | _over_in_all(states) | _forgotten_in_all(states)
            if any(one.what == FORGET for request in under_way for one in request):
                continue  # perhaps all is gone already
            on = _on_in_all(states)
            if len(under_way) == 1:
                # Whether it is stored nobody knows; but if it is, then there.
                later = after_all(states, under_way, may_die=True)
                new = _off_in_all(later) | _over_in_all(later)
                forbidden |= new & {one.number for one in under_way[0]}
            if not any(one.what.endswith(("/otr", "/otr words")) for r in under_way for one in r):
                required |= on - set().union(*(state.forgotten for state in states))
        for message in self.messages.values():
            self._except(message, forbidden, gone, required)
        return Allowed(frozenset(forbidden), frozenset(gone), frozenset(required))

    def _except(
        self, message: Message, forbidden: set[int], gone: set[int], required: set[int]
    ) -> None:
        """What the model says nothing about."""
        number, posted = message.number, self.posted(message.number)
        if message.is_of_stranger and posted.taken is not None:
            required.add(number)
        if message.what in MISTYPED:
            forbidden.add(number)
        if message.what == REVOKE:
            if posted.taken is not None:
                gone.add(message.of)
            if posted.sent is not None:
                required.discard(message.of)
        if not message.is_kept:
            required.discard(number)

    def _reached(self, chat: ChatKey) -> tuple[list[Chat], list[Request]]:
        """The states after all that was taken, and the requests that are under way."""
        states, since = [self._new()], 0.0
        for group in self.groups_of(chat):
            begun = [one.sent for one, _ in group if one.sent is not None]
            ended = [one.taken for one, _ in group if one.taken is not None]
            if begun and any(since < begin and end < min(begun) for begin, end in self.ends):
                states = list(dict.fromkeys(map(after_a_death, states)))
            if len(ended) < len(group):
                return states, [part for one, part in group if one.sent is not None]
            since = max(ended)
            may_die = any(begin <= since and min(begun) <= end for begin, end in self.ends)
            (first, *_), posted = group[0][1], group[0][0]
            if first.what == FORGET:
                states = after_trying(states, first, posted.tries)
                if may_die:
                    states = list(dict.fromkeys([*states, *map(after_a_death, states)]))
                continue
            states = after_all(states, [part for _, part in group], may_die=may_die)
        return states, []


def _off_in_all(states: Sequence[Chat]) -> set[int]:
    return set.intersection(
        *({one.number for one in state.said if one.where is Where.OFF} for state in states)
    )


def _on_in_all(states: Sequence[Chat]) -> set[int]:
    return set.intersection(
        *({one.number for one in state.said if one.where is Where.ON} for state in states)
    )


def _over_in_all(states: Sequence[Chat]) -> frozenset[int]:
    return frozenset.intersection(*(state.over for state in states))


def _forgotten_in_all(states: Sequence[Chat]) -> frozenset[int]:
    return frozenset.intersection(*(state.forgotten for state in states))
