"""Which session a message belongs to; what a command does to the sessions of its chat.

All of this runs inside the door's unit of work. It changes the chat's row in the cache as it goes;
if the unit fails, the cache is dropped.
"""

from openparallax.model.envelope import Errand
from openparallax.model.session import Mode, Session
from openparallax.model.text import SessionId
from openparallax.storage import Connection, sessions
from openparallax.storage.chats import ChatRow

FUTURE_S = 86400
"""A command's timestamp is believed at most this far ahead of our own clock."""


def place(chat: ChatRow, sent_at: int) -> Session:
    """The session that words sent at ``sent_at`` belong to.

    Off the record wins every doubt: while such a session is open all words belong to it; after it
    was ended, words strictly older than the command that ended it still do.
    """
    if chat.session.mode is Mode.OFF_THE_RECORD:
        return chat.session
    if chat.left_off is not None and sent_at < chat.left_off_at:
        return Session(chat.left_off, Mode.OFF_THE_RECORD)
    if chat.left_on is not None and sent_at < chat.left_on_at:
        return Session(chat.left_on, Mode.ON_THE_RECORD)
    return chat.session


def start_fresh(connection: Connection, chat: ChatRow, sent_at: int, now: float) -> Errand:
    """``/new``: end what is open and open a session on the record; return what to say.

    One that was written before the chat went off the record and came late does not end that.
    """
    if chat.session.mode is Mode.OFF_THE_RECORD:
        if sent_at < chat.opened_at:
            chat.before = sessions.replace_suspended(connection, chat, sent_at)
            return Errand.STILL_OFF
        _leave_off(connection, chat, sent_at, now)
        if chat.before is not None:
            sessions.end(connection, chat.before)
        said = Errand.NEW_AFTER_OTR
    else:
        sessions.end(connection, chat.session.id)
        chat.left_on, chat.left_on_at = chat.session.id, _believed(sent_at, now)
        sessions.note_left_on(connection, chat.id, chat.session.id, chat.left_on_at)
        said = Errand.NEW
    _open(connection, chat, Mode.ON_THE_RECORD, sent_at, None)
    return said


def go_off(connection: Connection, chat: ChatRow, sent_at: int, now: float) -> None:
    """``/otr``: open an off-the-record session, unless one is open.

    Said again, it counts from then on: a command that came late, from before that, does not end it.
    """
    sent_at = _believed(sent_at, now)
    if chat.session.mode is Mode.OFF_THE_RECORD:
        sessions.open_again(connection, chat.session.id, sent_at)
        chat.opened_at = max(chat.opened_at, sent_at)
        return
    before = chat.session.id
    sessions.suspend(connection, before)
    _open(connection, chat, Mode.OFF_THE_RECORD, sent_at, before)


def come_back(connection: Connection, chat: ChatRow, sent_at: int, now: float) -> Errand:
    """``/otr off``: end the off-the-record session and return to the one before."""
    if chat.session.mode is Mode.ON_THE_RECORD:
        return Errand.OTR_OFF_IDLE
    if sent_at < chat.opened_at:
        return Errand.STILL_OFF
    before = chat.before
    _leave_off(connection, chat, sent_at, now)
    opened_at = sessions.resume(connection, chat.id, before) if before is not None else None
    if before is None or opened_at is None:
        _open(connection, chat, Mode.ON_THE_RECORD, sent_at, None)
    else:
        chat.session = Session(before, Mode.ON_THE_RECORD)
        chat.opened_at = opened_at
        chat.before = None
    return Errand.OTR_OFF


def close_over(connection: Connection, chat: ChatRow, at: int) -> None:
    """What was said on the record so far is closed over: whatever comes now is in a new session.

    Whoever is off the record stays so, and returns to a new session; words that come late are in
    none of those before. The row in the cache is not changed: it is to be dropped.
    """
    if chat.session.mode is Mode.ON_THE_RECORD:
        sessions.end(connection, chat.session.id)
        sessions.open_session(connection, chat.id, Mode.ON_THE_RECORD, at)
    elif chat.before is not None:
        sessions.replace_suspended(connection, chat, at)
    sessions.forget_left_on(connection, chat.id)


def _leave_off(connection: Connection, chat: ChatRow, sent_at: int, now: float) -> None:
    sessions.end(connection, chat.session.id)
    at = max(_believed(sent_at, now), chat.left_off_at)
    sessions.note_left_off(connection, chat.id, chat.session.id, at)
    chat.left_off, chat.left_off_at = chat.session.id, at


def _open(
    connection: Connection, chat: ChatRow, mode: Mode, sent_at: int, before: SessionId | None
) -> None:
    chat.session = sessions.open_session(connection, chat.id, mode, sent_at, before)
    chat.opened_at = sent_at
    chat.before = before


def _believed(sent_at: int, now: float) -> int:
    return min(sent_at, int(now) + FUTURE_S)
