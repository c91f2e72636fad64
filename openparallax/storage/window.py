"""Until when a chat may be written to freely, as far as the file knows."""

from openparallax.model.entry import CONTACT_PART
from openparallax.storage.database import Connection
from openparallax.storage.transcripts import recent_sessions

WINDOW_S = 24 * 3600
"""How long a person's message allows free-form answers.

Source: Cloud API, customer service window.
"""
WINDOW_MARGIN_S = 60
"""Its last minute counts as closed: an answer and its send take their time. The door, dispatch and
the outbox must agree, or what one of them lets go another holds."""


def known_until(connection: Connection, chat: int, now: float) -> int:
    """When the window closes, or closed; unix seconds, 0 if nothing is known.

    Nothing keeps this for its own sake. It is told by the words of the person that are on the
    record, by what waits of theirs, and by what was sent to them in the last day. So after words
    off the record that nobody answered it may be open all the same. Looks through all that was sent
    in a day: to be read on the side, for what happens seldom.
    """
    return max(
        _by_words(connection, chat, now),
        _by_envelopes(connection, chat),
        _by_parcels(connection, chat, now),
    )


def _by_words(connection: Connection, chat: int, now: float) -> int:
    found = [
        connection.execute(
            "SELECT t.sent_at FROM session_turns s "
            "JOIN transcript t ON t.turn = s.turn AND t.part = ? "
            "WHERE s.session = ? ORDER BY s.turn DESC LIMIT 1",
            (CONTACT_PART, session),
        ).fetchone()
        for session in recent_sessions(connection, chat, int(now) - WINDOW_S)
    ]
    latest = max((row[0] for row in found if row is not None), default=0)
    return min(latest, int(now)) + WINDOW_S if latest else 0


def _by_envelopes(connection: Connection, chat: int) -> int:
    (until,) = connection.execute(
        "SELECT max(window_until) FROM envelopes WHERE chat = ?", (chat,)
    ).fetchone()
    return until or 0


def _by_parcels(connection: Connection, chat: int, now: float) -> int:
    until = 0
    for whose, this, created_at in connection.execute(
        "SELECT chat, window_until, created_at FROM parcels ORDER BY number DESC"
    ):
        if created_at < now - WINDOW_S:
            break
        if whose == chat:
            until = max(until, this)
    return until
