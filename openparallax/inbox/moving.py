"""``/otr`` came late: what is newer than it leaves the disk."""

from openparallax.model.entry import Entry
from openparallax.model.envelope import Errand, Move
from openparallax.storage import Connection, envelopes, parcels, transcripts
from openparallax.storage.chats import ChatRow


def move_newer(
    connection: Connection, chat: ChatRow, sent_at: int, entries: list[Entry]
) -> Move | None:
    """Scrub from the disk what is newer than ``sent_at``, and move it to the open session.

    That is every turn from the first message on that is strictly newer: what came behind it may
    have been answered with its words in the history, so the doubt falls towards off the record.
    Finished or not, of whichever session on the record. The log must be truncated after the commit.

    The open session of ``chat`` is the one off the record; the words are added to ``entries``, to
    be held in memory after the commit.

    Returns:
        What was moved, or None.
    """
    unfinished = envelopes.on_the_record(connection, chat.id)
    sessions = transcripts.recent_sessions(connection, chat.id, sent_at)
    newer = [
        one.number for one in unfinished if one.errand is Errand.TURN and one.sent_at > sent_at
    ]
    for session in sessions:
        found = transcripts.first_newer(connection, session, sent_at)
        if found is not None:
            newer.append(found)
    if not newer:
        return None
    first = min(newer)
    moved = [(one.session.id, one.number) for one in unfinished if one.number >= first]
    for session in sessions:
        moved += [(session, turn) for turn in transcripts.turns_from(connection, session, first)]
    for left, turn in moved:
        entries.extend(
            Entry(chat.session, turn, entry.part, entry.role, entry.text, entry.sent_at)
            for entry in transcripts.words_of_turn(connection, turn)
        )
        transcripts.scrub_turn(connection, left, turn)
        envelopes.move(connection, turn, chat.session)
        parcels.move_turn(connection, chat.id, turn, chat.session)
    return Move(
        chat.id,
        turns=[turn for _, turn in moved],
        left=frozenset(left for left, _ in moved),
        session=chat.session,
    )
