"""The rules of sessions and modes, once more: what a chat must look like after what was said in it.

Written from the contract and the design and not from the code. Pure. A message is placed when it
comes in; nothing that happens later, a death least of all, changes where, save a late ``/otr``.

Where requests went out at the same time nobody knows which came first: then there are several
states in which the chat may be, and the daemon must be in one of them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from itertools import permutations

from tests.torture.programme import (
    ECHO,
    FORGET,
    LIMIT_WINDOW_S,
    MISTYPED,
    REVOKE,
    WORDS,
    Message,
    Request,
)


class Where(Enum):
    """Whether words are off the record."""

    ON = "on"
    OFF = "off"
    EITHER = "either"
    """Said behind something that a late ``/otr`` took along: it may have gone too."""


class State(Enum):
    """Of a session."""

    OPEN = 0
    SUSPENDED = 1
    ENDED = 2


@dataclass(frozen=True, slots=True)
class Session:
    """One of a chat's; ``before`` is the place of the one that ``/otr off`` returns to."""

    is_off: bool
    state: State
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """Words that were placed, in the order in which they came in.

    Attributes:
        session: The place of it among the chat's; None where more than one would be right.
        has_moved: A late ``/otr`` took them along.
    """

    number: int
    at: int
    session: int | None
    where: Where
    has_moved: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """What a message is to be answered with.

    Attributes:
        number: Of the message.
        kind: ``words``: by the engine; else the name of a notice.
        must: Whether it must be, or may be left out.
        at: Timestamp of the message.
    """

    number: int
    kind: str
    must: bool = True
    at: int = 0


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat, after some messages.

    Attributes:
        sessions: In the order in which they were opened.
        open: Which of them is open.
        off_at: Timestamp of the latest ``/otr`` that holds.
        left: The session off the record that was ended last, and the timestamp of what ended it.
        new_at: Timestamp of the latest ``/new`` that ended a session on the record.
        said: All words.
        heard: All that is to be heard, in order, save the confirmations of ``/otr``.
        confirmations: How many there are of those.
        notices: Which of the notices that are given once a minute were given.
        revoked: Messages that were deleted by who wrote them; they may have been answered before.
        takeover_s: For how long a chat is a person's of ours after they wrote in it.
        taken_until: What was sent before that is left to them.
        theirs: Messages that came when they were left to them already: no engine is asked.
        handed: Which message (an echo, or that all be forgotten) took which over that had come
            before it. Those may have been answered by then; not later.
        forgotten: Messages whose words are removed, with those of their answers.
        limit: How many messages may be answered in `LIMIT_WINDOW_S`; 0: all.
        counted: Timestamps of those that were, as far as they are remembered.
        told_at: Timestamp of the message that was answered last with there being too many.
        over: Messages that were too many: no engine hears of them, and they are not kept.
    """

    sessions: tuple[Session, ...] = (Session(is_off=False, state=State.OPEN),)
    open: int = 0
    off_at: int = 0
    left: tuple[int, int] | None = None
    new_at: int = 0
    said: tuple[Said, ...] = ()
    heard: tuple[Heard, ...] = ()
    confirmations: int = 0
    notices: frozenset[str] = frozenset()
    revoked: frozenset[int] = frozenset()
    takeover_s: int = 3600
    taken_until: int = 0
    theirs: frozenset[int] = frozenset()
    handed: frozenset[tuple[int, int]] = frozenset()
    forgotten: frozenset[int] = frozenset()
    limit: int = 0
    counted: tuple[int, ...] = ()
    told_at: int | None = None
    over: frozenset[int] = frozenset()

    @property
    def is_off(self) -> bool:
        return self.sessions[self.open].is_off

    @property
    def places(self) -> dict[int, Said]:
        """By number."""
        return {one.number: one for one in self.said}


def after(chat: Chat, message: Message) -> Chat:
    """The chat once ``message`` has come in."""
    rule = _RULES.get(message.what)
    if rule is not None:
        chat = rule(chat, message)
    if message.what == "caption":
        return _place(chat, message)  # perhaps kept, perhaps not: where it may stand is the same
    if message.has_words and message.at < chat.taken_until:
        return replace(_place(chat, message), theirs=chat.theirs | {message.number})
    if message.has_words:
        return _words(chat, message)
    return chat


def after_a_death(chat: Chat) -> Chat:
    """How much somebody said lately is remembered by the process only."""
    return replace(chat, counted=(), told_at=None)


def _words(chat: Chat, message: Message) -> Chat:
    """Words are for the engine, unless there were too many near them."""
    if not chat.limit:
        return _hear(_place(chat, message), message, WORDS)
    newest = max((message.at, *chat.counted))
    counted = tuple(at for at in chat.counted if at > newest - LIMIT_WINDOW_S)
    near = sum(at < message.at + LIMIT_WINDOW_S for at in counted)
    if near < chat.limit:
        chat = replace(chat, counted=tuple(sorted((*counted, message.at))))
        return _hear(_place(chat, message), message, WORDS)
    chat = replace(chat, counted=counted, over=chat.over | {message.number})
    if chat.told_at is not None and abs(message.at - chat.told_at) < LIMIT_WINDOW_S:
        return chat
    return _hear(replace(chat, told_at=message.at), message, "rate_limited")


def _place(chat: Chat, message: Message) -> Chat:
    """Off the record wins every doubt: a message from before the end of such a session is in it."""
    session: int | None = chat.open
    where = Where.OFF if chat.is_off else Where.ON
    if not chat.is_off and chat.left is not None and message.at < chat.left[1]:
        session, where = chat.left[0], Where.OFF
    elif not chat.is_off and message.at < chat.new_at:
        session = None
    return replace(chat, said=(*chat.said, Said(message.number, message.at, session, where)))


def _otr(chat: Chat, message: Message) -> Chat:
    chat = replace(chat, confirmations=chat.confirmations + 1)
    if chat.is_off:  # idempotent, never a toggle; said again, it counts from then on
        chat = replace(chat, off_at=max(chat.off_at, message.at))
    else:
        chat = _leave(chat, State.SUSPENDED)
        chat = replace(_open(chat, Session(True, State.OPEN, before=chat.open)), off_at=message.at)
    return _take_along(chat, message.at)


def _take_along(chat: Chat, at: int) -> Chat:
    """What was placed on the record and is strictly newer goes off it, however it was answered.

    What was said behind that one may be part of an answer to it, or the other way round.
    """
    said, has_begun = [], False
    for one in chat.said:
        if one.number in chat.forgotten:
            said.append(one)
        elif one.where is Where.ON and one.at > at:
            said.append(replace(one, where=Where.OFF, session=chat.open, has_moved=True))
            has_begun = True
        elif one.where is Where.EITHER and one.at > at:
            said.append(replace(one, where=Where.OFF, session=chat.open, has_moved=True))
        elif one.where is Where.ON and has_begun:
            said.append(replace(one, where=Where.EITHER, session=None, has_moved=True))
        else:
            said.append(one)
    return replace(chat, said=tuple(said))


def _otr_off(chat: Chat, message: Message) -> Chat:
    if not chat.is_off:
        return _hear(chat, message, "otr_off_idle")
    if message.at < chat.off_at:
        return _hear(chat, message, "still_off_the_record")
    before = chat.sessions[chat.open].before
    chat = _end_off(chat, message.at)
    assert before is not None
    sessions = list(chat.sessions)
    sessions[before] = replace(sessions[before], state=State.OPEN)
    return _hear(replace(chat, sessions=tuple(sessions), open=before), message, "otr_off")


def _new(chat: Chat, message: Message) -> Chat:
    if chat.is_off and message.at < chat.off_at:
        # From before the chat went off the record: a fresh one lies beneath, and it stays off.
        sessions = list(chat.sessions)
        beneath = sessions[chat.open].before
        assert beneath is not None
        sessions[beneath] = replace(sessions[beneath], state=State.ENDED)
        sessions.append(Session(False, State.SUSPENDED))
        sessions[chat.open] = replace(sessions[chat.open], before=len(sessions) - 1)
        return _hear(replace(chat, sessions=tuple(sessions)), message, "still_off_the_record")
    if not chat.is_off:
        chat = _open(_leave(chat, State.ENDED), Session(False, State.OPEN))
        chat = replace(chat, new_at=max(chat.new_at, message.at))
        return _hear(chat, message, "new")
    before = chat.sessions[chat.open].before
    chat = _end_off(chat, message.at)
    sessions = list(chat.sessions)
    if before is not None:
        sessions[before] = replace(sessions[before], state=State.ENDED)
    chat = _open(replace(chat, sessions=tuple(sessions)), Session(False, State.OPEN))
    return _hear(chat, message, "new_after_otr")


def _end_off(chat: Chat, at: int) -> Chat:
    left_at = max(at, chat.left[1] if chat.left else at)
    return replace(_leave(chat, State.ENDED), left=(chat.open, left_at))


def _leave(chat: Chat, state: State) -> Chat:
    sessions = list(chat.sessions)
    sessions[chat.open] = replace(sessions[chat.open], state=state)
    return replace(chat, sessions=tuple(sessions))


def _open(chat: Chat, session: Session) -> Chat:
    return replace(chat, sessions=(*chat.sessions, session), open=len(chat.sessions))


def _revoke(chat: Chat, message: Message) -> Chat:
    heard = tuple(
        replace(one, must=one.must and (one.number != message.of or one.kind != WORDS))
        for one in chat.heard
    )
    return replace(chat, heard=heard, revoked=chat.revoked | {message.of})


def _echo(chat: Chat, message: Message) -> Chat:
    """A person of ours takes over: what waits is theirs, and what comes until the silence ends."""
    until = max(chat.taken_until, message.at + chat.takeover_s)
    last = max(message.at, until - 1)
    heard = tuple(
        replace(one, must=False) if one.kind in _THEIRS and one.at <= last else one
        for one in chat.heard
    )
    handed = {(message.number, one.number) for one in chat.said if one.at <= last}
    if any(one.at > last for one in chat.said):
        handed = set()  # by a newer message the window is open longer, and parcels stay
    chat = replace(chat, heard=heard, taken_until=until, handed=chat.handed | handed)
    return _place(chat, message)


def _forget(chat: Chat, message: Message) -> Chat:
    """All is over that was begun, and what comes now is in a session of its own."""
    heard = tuple(replace(one, must=False) for one in chat.heard)
    numbers = frozenset(one.number for one in chat.said)
    sessions = list(chat.sessions)
    closed = sessions[chat.open].before if chat.is_off else chat.open
    assert closed is not None
    sessions[closed] = replace(sessions[closed], state=State.ENDED)
    sessions.append(Session(False, State.SUSPENDED if chat.is_off else State.OPEN))
    is_open = chat.open if chat.is_off else len(sessions) - 1
    if chat.is_off:  # it stays so, and comes back to a new one
        sessions[is_open] = replace(sessions[is_open], before=len(sessions) - 1)
    return replace(
        chat,
        sessions=tuple(sessions),
        open=is_open,
        new_at=0,
        heard=heard,
        forgotten=chat.forgotten | numbers,
        handed=chat.handed | {(message.number, number) for number in numbers},
    )


def after_trying(chats: Iterable[Chat], message: Message, tries: int) -> list[Chat]:
    """The same where something was asked so many times and done at least once, if it ever was."""
    states: dict[Chat, None] = {}
    found = list(chats)
    for _ in range(tries):
        found = [after(chat, message) for chat in found]
        states |= dict.fromkeys(found)
    return list(states) or found


def _hear(chat: Chat, message: Message, kind: str) -> Chat:
    must = kind != WORDS or message.number not in chat.revoked
    return replace(chat, heard=(*chat.heard, Heard(message.number, kind, must, message.at)))


def _once(chat: Chat, message: Message, kind: str) -> Chat:
    """One notice in a minute; a death in between, and it may be given again."""
    if message.at < chat.taken_until:
        return chat
    heard = Heard(message.number, kind, kind not in chat.notices, message.at)
    return replace(chat, heard=(*chat.heard, heard), notices=chat.notices | {kind})


_THEIRS = (WORDS, "only_text", "resend", "rate_limited")
"""What a person of ours answers better; commands are obeyed and answered all the same."""
_RULES: dict[str, Callable[[Chat, Message], Chat]] = {
    "/otr": _otr,
    "/otr words": _otr,
    "captioned /otr": _otr,
    "/otr off": _otr_off,
    "/new": _new,
    "/new words": _new,
    "/help": partial(_hear, kind="help"),
    "/status": partial(_hear, kind="status"),
    **dict.fromkeys(MISTYPED, partial(_hear, kind="mistyped")),
    "picture": partial(_once, kind="only_text"),
    "caption": partial(_once, kind="only_text"),
    "place": partial(_once, kind="only_text"),
    "resend": partial(_once, kind="resend"),
    REVOKE: _revoke,
    ECHO: _echo,
    FORGET: _forget,
}


def after_request(chat: Chat, messages: Iterable[Message]) -> Chat:
    """The chat once a request has come in: what is in one is taken by Meta's timestamps.

    Of equal ones what the contact sent is first.
    """
    for message in sorted(messages, key=lambda one: (one.at, one.what == ECHO)):
        chat = after(chat, message)
    return chat


def after_all(
    chats: Iterable[Chat], requests: Sequence[Request], *, may_die: bool = False
) -> list[Chat]:
    """In which states a chat may be once these came in at the same time, in whichever order.

    Args:
        chats: In which it may have been before.
        requests: What came in.
        may_die: The process ended meanwhile: before them, behind them or in between.
    """
    states: dict[Chat, None] = {}
    for chat in chats:
        for order in permutations(requests):
            found = _perhaps_dead([chat], may_die=may_die)
            for request in order:
                later = [after_request(state, request) for state in found]
                found = _perhaps_dead(later, may_die=may_die)
            states |= dict.fromkeys(found)
    return list(states)


def _perhaps_dead(chats: Sequence[Chat], *, may_die: bool) -> list[Chat]:
    return list(dict.fromkeys([*chats, *map(after_a_death, chats)])) if may_die else [*chats]
