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

from tests.torture.programme import MISTYPED, REVOKE, WORDS, Message, Request


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
    """

    number: int
    kind: str
    must: bool = True


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
    if message.has_words:
        return _hear(_place(chat, message), message, WORDS)
    return chat


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
        if one.where is Where.ON and one.at > at:
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


def _hear(chat: Chat, message: Message, kind: str) -> Chat:
    must = kind != WORDS or message.number not in chat.revoked
    return replace(chat, heard=(*chat.heard, Heard(message.number, kind, must)))


def _once(chat: Chat, message: Message, kind: str) -> Chat:
    """One notice in a minute; a death in between, and it may be given again."""
    heard = Heard(message.number, kind, must=kind not in chat.notices)
    return replace(chat, heard=(*chat.heard, heard), notices=chat.notices | {kind})


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
}


def after_request(chat: Chat, messages: Iterable[Message]) -> Chat:
    """The chat once a request has come in: what is in one is taken by Meta's timestamps."""
    for message in sorted(messages, key=lambda one: one.at):
        chat = after(chat, message)
    return chat


def after_all(chats: Iterable[Chat], requests: Sequence[Request]) -> list[Chat]:
    """In which states a chat may be once these came in at the same time, in whichever order."""
    states: dict[Chat, None] = {}
    for chat in chats:
        for order in permutations(requests):
            state = chat
            for request in order:
                state = after_request(state, request)
            states[state] = None
    return list(states)
