"""The person wrote: what a closed window held goes on, unless something newer took its place."""

from openparallax.inbox.admission import Admission
from openparallax.inbox.arrival import Arrival
from openparallax.model.parcel import Parcel
from openparallax.storage import Connection, chats, envelopes, held_parcels, parcels
from openparallax.storage.chats import HELD_ENVELOPES, HELD_PARCELS
from openparallax.storage.database import execute
from openparallax.trail import Step
from openparallax.transcript import Transcripts


def release(arrival: Arrival, transcripts: Transcripts) -> None:
    """Part of a unit: let go what is held for a chat, and in chats that were theirs too."""
    connection, chat, admission = arrival.connection, arrival.chat, arrival.admission
    until = arrival.window_until
    for one in (*chats.losers_of(connection, chat.id), chat.id):
        if chat.held & HELD_ENVELOPES:
            released = envelopes.release(connection, one, until)
            admission.released.extend(released)
            for envelope in released:
                admission.step(Step.RELEASED, chat, envelope.number)
        if chat.held & HELD_PARCELS:
            for parcel in _release_parcels(connection, one, until, transcripts, admission):
                admission.step(Step.RELEASED, chat, parcel.turn, parcel=parcel.number)
        chats.release(connection, one)
        if one != chat.id:
            admission.merges.append((one, chat.id))  # again: it goes on before this one
    chat.held = 0


def _release_parcels(
    connection: Connection,
    chat: int,
    window_until: int,
    transcripts: Transcripts,
    admission: Admission,
) -> list[Parcel]:
    """Of replies only the newest turn's go; what somebody wrote by hand does, they were told so."""
    older = held_parcels.before_newest(connection, chat)
    keeps = {
        parcel.turn
        for parcel in older
        if transcripts[parcel.session.mode].is_by_hand(connection, parcel.session, parcel.turn)
    }
    released = held_parcels.release(connection, chat, window_until, keeps=keeps)
    admission.parcels.extend(released)
    dropped = {one.turn: one for one in older if one.turn not in keeps and not one.notice}
    for turn, parcel in dropped.items():
        if parcels.is_unsaid(connection, parcel):
            for write in transcripts[parcel.session.mode].unsay(turn):
                execute(connection, write)
            admission.unsaid.append((parcel.session, turn))
    return released
