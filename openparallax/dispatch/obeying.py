"""What the daemon itself says about a message: answers to commands, and what no engine can read."""

from collections.abc import Mapping

from openparallax.dispatch.answering import Answering
from openparallax.dispatch.finish import Said
from openparallax.model.envelope import Envelope, Errand
from openparallax.model.session import Mode
from openparallax.session.notices import Notices
from openparallax.storage import Database, sessions

_NOTICE_OF = {
    Errand.NEW: "new",
    Errand.NEW_AFTER_OTR: "new_after_otr",
    Errand.OTR_REFUSED: "otr_refused",
    Errand.OTR_OFF: "otr_off",
    Errand.OTR_OFF_IDLE: "otr_off_idle",
    Errand.STILL_OFF: "still_off_the_record",
    Errand.ONLY_TEXT: "only_text",
    Errand.RESEND: "resend",
    Errand.RATE_LIMITED: "rate_limited",
}
_NAME_OF = {
    Mode.ON_THE_RECORD: "status_on_the_record",
    Mode.OFF_THE_RECORD: "status_off_the_record",
}


class Obeying:
    """Answers envelopes that are not for the engine."""

    def __init__(
        self, *, database: Database, notices: Notices, answerers: Mapping[Mode, Answering]
    ) -> None:
        self._database = database
        self._notices = notices
        self._answerers = answerers

    async def answer(self, envelope: Envelope, waiting: int) -> Said:
        """What to say.

        Args:
            envelope: Anything but a turn.
            waiting: How many messages of the chat wait behind it.

        Raises:
            NotStored: The file could not be read now; may be repeated.
        """
        errand = envelope.errand
        if errand is Errand.HELP:
            return Said(self._notices.help(), "help")
        if errand is Errand.MISTYPED:
            return Said(self._notices.say("mistyped", nearest=envelope.detail), "mistyped")
        if errand is Errand.STATUS:
            return Said(await self._status(envelope, waiting), "status")
        return Said(notice=_NOTICE_OF[errand])

    async def _status(self, envelope: Envelope, waiting: int) -> str:
        session = envelope.session
        idle = self._notices.say("status_idle")
        return self._notices.say(
            "status",
            mode=self._notices.say(_NAME_OF[session.mode]),
            session=await self._database.read(
                lambda c: sessions.place_of(c, envelope.chat, session.id)
            ),
            engine=self._answerers[session.mode].engine,
            waiting=self._notices.say("status_waiting", count=waiting) if waiting else idle,
        )
