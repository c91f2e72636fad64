"""A person of ours took over: what waited for the engine is theirs now."""

from openparallax.inbox.account import Account
from openparallax.inbox.admission import Admission
from openparallax.model.entry import ENGINE_PART
from openparallax.model.envelope import Errand
from openparallax.model.messages import Echo
from openparallax.model.parcel import Parcel
from openparallax.session.notices import ANSWERS_TO_COMMANDS
from openparallax.storage import Connection, chats, envelopes, open_parcels
from openparallax.storage.chats import ChatRow
from openparallax.storage.database import execute
from openparallax.storage.window import WINDOW_S
from openparallax.trail import Step
from openparallax.transcript import Transcripts

_ENDED = frozenset({Errand.TURN, Errand.ONLY_TEXT, Errand.RESEND, Errand.RATE_LIMITED})
"""What a person of ours answers better; what commands are answered stays to be said."""


def take_over(
    connection: Connection,
    chat: ChatRow,
    echo: Echo,
    account: Account,
    transcripts: Transcripts,
    admission: Admission,
    *,
    now: float,
) -> None:
    """End turns that are left to the person, running ones too, and withdraw what is not sent yet.

    That is whatever was sent before the echo or in the silence after it; an echo that comes days
    late leaves alone what was written long after it. The words become part of the history. A turn
    that runs finds its envelopes gone, and what the engine says of them is dropped.

    Args:
        connection: Inside the unit.
        chat: Whose messages are left to the person.
        echo: What the person wrote; a timestamp ahead of our clock counts as now.
        account: From which of our numbers.
        transcripts: The room of each mode.
        admission: Where the outcome is noted.
        now: Unix seconds.
    """
    sent_at = min(echo.sent_at, int(now))
    until = sent_at + int(account.takeover_s)
    if until > chat.taken_until:
        chat.taken_until = until
        chats.take_over(connection, chat.id, until)
    left_to_them = max(sent_at, chat.taken_until - 1)
    admission.count("taken_over")
    admission.step(Step.TAKEN_OVER, chat, seconds=max(0.0, chat.taken_until - now))
    for one in (chat.id, *chats.losers_of(connection, chat.id)):
        admission.handed_over.add(one)
        for envelope in envelopes.of_chat(connection, one):
            if envelope.errand not in _ENDED or envelope.sent_at > left_to_them:
                continue
            envelopes.drop(connection, [envelope.number])
            admission.end(one, envelope.number)
            if envelope.errand is Errand.TURN:
                session = envelope.session
                for write in transcripts[session.mode].close_turn(session, [envelope.number]):
                    execute(connection, write)
                admission.renewed.append(session)
                admission.count("handed_over")
                admission.step(Step.HANDED_OVER, chat, envelope.number)
        for parcel in _withdraw(connection, one, left_to_them + WINDOW_S, transcripts, admission):
            admission.step(Step.WITHDRAWN, chat, parcel.turn, parcel=parcel.number)


def _withdraw(
    connection: Connection,
    chat: int,
    window_until: int,
    transcripts: Transcripts,
    admission: Admission,
) -> list[Parcel]:
    """What is not sent yet is not sent any more; later prompts do not show it as said."""
    withdrawn = open_parcels.withdraw(
        connection, chat, keeps=ANSWERS_TO_COMMANDS, window_until=window_until
    )
    if withdrawn:
        admission.reloads.add(chat)
        admission.parcels = [parcel for parcel in admission.parcels if parcel.chat != chat]
    for parcel in withdrawn:
        # Parts go out in order: where the first one did not, none of the answer did.
        if parcel.part in (ENGINE_PART, 1) and not (parcel.notice or parcel.ambiguous):
            for write in transcripts[parcel.session.mode].unsay(parcel.turn):
                execute(connection, write)
            admission.unsaid.append((parcel.session, parcel.turn))
    return withdrawn
