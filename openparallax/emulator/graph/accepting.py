"""A send that was taken: the bubble, the answer, and what becomes of it."""

from typing import Any

from openparallax.emulator.account import Number
from openparallax.emulator.calls import Call
from openparallax.emulator.graph.bodies import Said
from openparallax.emulator.people import Person
from openparallax.emulator.webhooks.statuses import Statuses
from openparallax.emulator.world import MOST_PEOPLE, Message, World

_TAKEN = {
    "image": ("image/jpeg", "image/png"),
    "audio": ("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg", "audio/opus"),
    "video": ("video/mp4", "video/3gpp"),
    "sticker": ("image/webp",),
}
"""MIME types by kind. Source: facts, section 2.3; documents are taken of every type."""
ANSWERED_WITHIN_S = 86_400.0
"""How soon an advertisement must be answered to be a free entry point. Source: facts, 10."""
REACTED_WITHIN_S = 30 * 86_400.0
"""How old a message may be that is reacted to. Source: facts, section 2.4."""


class Accepting:
    """Puts what was taken into the world."""

    def __init__(self, world: World, statuses: Statuses) -> None:
        self._world = world
        self._statuses = statuses

    def accept(
        self,
        call: Call,
        said: Said,
        number: Number,
        person: Person | None,
        address: str,
        *,
        fails_with: int | None = None,
    ) -> dict[str, Any]:
        """Put the message into the world and let it climb; the body of Graph's answer.

        ``fails_with`` is the code with which it will fail, where that is known already.
        """
        # A plan may have put somebody there since they were looked for.
        person = person or self._world.person_at(address) or self._stranger(address, said)
        chat = self._world.chat(number.id, person.key)
        now = self._world.clock.now()
        message = Message(
            wamid=call.wamid,
            number_id=number.id,
            person=person.key,
            is_ours=True,
            kind=said.kind,
            content=said.content,
            at=now,
            status="accepted",
            quoted=said.quoted,
            callback=said.callback,
            has_username=said.is_scoped,
            answered_after_s=None if chat.heard_at is None else max(now - chat.heard_at, 0.0),
        )
        if chat.referred_at is not None:
            if now - chat.referred_at < ANSWERED_WITHIN_S:
                chat.free_from = now
            chat.referred_at = None
        if chat.typing_until:
            self._world.show_typing(number.id, person.key, 0)
        if said.kind == "reaction":
            failure = self._react(message)
        else:
            failure = self._show(message, said, person)
        self._statuses.begin(message, fails_with=failure if fails_with is None else fails_with)
        return _answer(said, person, address, call.wamid)

    def _show(self, message: Message, said: Said, person: Person) -> int | None:
        """Add the bubble; the code with which it will fail, if it will.

        Source:
            facts, sections 2.3 and 8: a file of a wrong type is seen later. That a template
            without a way to pay fails, and so, is unsure; and that 131050 is told by status alone.
        """
        self._world.add(message)
        if message.kind == "template" and self._world.account.funding_id is None:
            return 131042
        category = str((said.template or {}).get("category", "")).upper()
        if category == "MARKETING" and not person.takes_marketing:
            return 131050
        medium = self._world.media.get(str(message.content.get("id", "")))
        taken = _TAKEN.get(message.kind)
        if medium is not None and taken is not None:
            kind = medium.mime_type.partition(";")[0].strip().lower()
            return None if kind in taken else 131053
        return None

    def _react(self, reaction: Message) -> int | None:
        """Put it on the message that it is about; 131009, later, where that cannot be.

        Source:
            facts, section 2.4: it is not there (any more), itself a reaction, or too old.
        """
        target = self._world.message(str(reaction.content["message_id"]))
        if target is None or (target.number_id, target.person) != (
            reaction.number_id,
            reaction.person,
        ):
            return 131009
        if target.is_deleted or reaction.at - target.at > REACTED_WITHIN_S:
            return 131009
        if emoji := reaction.content["emoji"]:
            target.reactions["business"] = emoji
        else:
            target.reactions.pop("business", None)
        self._world.tell(target)
        return None

    def _stranger(self, address: str, said: Said) -> Person:
        """Somebody without WhatsApp: the bot learns it later, by status.

        Of very many the later ones are not put among the people.
        """
        person = Person(
            key=address,
            name=address if said.is_scoped else f"+{address}",
            wa_id=None if said.is_scoped else address,
            user_id=address if said.is_scoped else None,
            is_reachable=False,
        )
        if len(self._world.people) < MOST_PEOPLE:
            self._world.add_person(person)
        return person


def _answer(said: Said, person: Person, address: str, wamid: str) -> dict[str, Any]:
    """Source: facts, section 2.1; the number comes back as WhatsApp has it, not as dialled."""
    if said.is_scoped:
        contact = {"input": said.given, "user_id": said.address}
    else:
        contact = {"input": said.given, "wa_id": person.wa_id or address}
    sent = {"id": wamid}
    if said.kind == "template":
        sent["message_status"] = "accepted"
    return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [sent]}
