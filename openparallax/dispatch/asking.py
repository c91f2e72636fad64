"""What an engine is asked: the words, what came beside them, and what was said before."""

from collections.abc import Callable, Sequence

from openparallax.model.entry import DETAILS_PART, ENGINE_PART, Entry
from openparallax.model.envelope import HAS_DETAILS, Envelope
from openparallax.model.session import Session
from openparallax.model.text import SessionId
from openparallax.model.turn import Chat, Message, Quoted, Turn
from openparallax.storage.chats import ChatRow
from openparallax.transcript import Transcript, Transcripts
from openparallax.transcript.details import Kept, parse_details

FindSent = Callable[[int, int], tuple[SessionId, int] | None]
"""From the hash of a message of ours and its chat to the session and turn that it was sent in."""


class Asking:
    """Makes turns; see `turn_for`."""

    def __init__(self, *, transcripts: Transcripts, find_sent: FindSent) -> None:
        self._transcripts = transcripts
        self._find_sent = find_sent

    async def turn_for(
        self, chat: ChatRow, group: Sequence[Envelope], texts: Sequence[Entry]
    ) -> Turn:
        """The turn that answers ``group``, whose words are ``texts``.

        Raises:
            NotStored: Words could not be read now; may be repeated.
        """
        head, session = group[0], group[0].session
        transcript = self._transcripts[session.mode]
        return Turn(
            id=str(head.number),
            chat=Chat(id=str(chat.id), account=chat.account, name=chat.name),
            mode=session.mode,
            text="\n".join(entry.text.words for entry in texts),
            history=await transcript.history(session, head.number),
            received_at=group[-1].sent_at,
            messages=tuple(
                [
                    await self._message(transcript, envelope, entry)
                    if envelope.detail == HAS_DETAILS
                    else Message(entry.text.words, envelope.sent_at)
                    for envelope, entry in zip(group, texts, strict=True)
                ]
            ),
        )

    async def _message(self, transcript: Transcript, envelope: Envelope, entry: Entry) -> Message:
        words = entry.text.words
        text = await transcript.read(envelope.session, envelope.number, DETAILS_PART)
        if text is None:
            return Message(words, envelope.sent_at)
        kept = parse_details(text)
        details = kept.details
        return Message(
            words,
            envelope.sent_at,
            choice_id=details.choice_id,
            quoted=await self._quoted(transcript, envelope.chat, envelope.session, kept),
            is_forwarded=details.is_forwarded,
            is_forwarded_often=details.is_forwarded_often,
            product=details.product,
            referral=details.referral,
        )

    async def _quoted(
        self, transcript: Transcript, chat: int, session: Session, kept: Kept
    ) -> Quoted | None:
        """What is quoted, if it was said in this session; the words of another stay there."""
        if kept.quoted_in is None or kept.quoted_out is None:
            return None
        sent = self._find_sent(kept.quoted_out, chat)
        if sent is not None:
            text = None
            if sent[0] == session.id:
                text = await transcript.read(session, sent[1], ENGINE_PART)
            return Quoted("engine", None if text is None else text.words)
        said = await transcript.quoted(session, kept.quoted_in)
        return Quoted() if said is None else Quoted(said.role, said.text)
