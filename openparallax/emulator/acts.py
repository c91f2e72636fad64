"""What people do with their phones, and people of the business with theirs."""

import secrets
from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from typing import Any

from openparallax.emulator.choices import Choice, choices_in
from openparallax.emulator.graph.errors import GraphError
from openparallax.emulator.graph.media import Media
from openparallax.emulator.ids import new_wamid
from openparallax.emulator.people import Person, check_person
from openparallax.emulator.webhooks import payloads
from openparallax.emulator.webhooks.delivery import Delivery
from openparallax.emulator.webhooks.statuses import Statuses
from openparallax.emulator.world import Message, World

DAY_S = 86_400.0
INBOUND_MEDIA_S = 7 * DAY_S
MEDIA_KINDS = ("image", "video", "audio", "document", "sticker")
NOT_OPENING = frozenset({"reaction", "system", "edit", "revoke"})
"""Kinds that do not open the customer service window; of reactions it is unsure."""


class Acts:
    """What can be done; each raises `LookupError` where nobody has that key."""

    def __init__(self, world: World, delivery: Delivery, statuses: Statuses, media: Media) -> None:
        self.world = world
        self.delivery = delivery
        self.statuses = statuses
        self.media = media

    def say(self, person: str, text: str, **more: Any) -> Message:
        """They write; more as in `send`."""
        return self.send(person, "text", {"body": text}, **more)

    def send(
        self,
        person: str,
        kind: str,
        content: Mapping[str, Any],
        *,
        quoting: str | None = None,
        number_id: str | None = None,
        at: float | None = None,
        **rest: Any,
    ) -> Message:
        """They send something of any kind; its webhook is on its way when this returns.

        Args:
            person: Their key.
            kind: The message's ``type``.
            content: What stands under the type's own name; of ``contacts``, where that is a list,
                ``{"contacts": […]}``.
            quoting: Wamid of the message that they answer.
            number_id: Which of the business's numbers; the first.
            at: When they wrote, unix seconds; now.
            rest: Further fields of the message, such as ``referral``.

        Raises:
            ValueError: The content cannot be written as JSON.
        """
        who = self.person(person)
        number = self.world.our_number(number_id)
        message = Message(
            wamid=new_wamid(who.address),
            number_id=number.id,
            person=who.key,
            is_ours=False,
            kind=kind,
            content=dict(content),
            at=self.world.clock.now() if at is None else at,
            status="waiting",
            quoted=quoting,
        )
        self.delivery.post(payloads.message(self.world, message, **rest))
        if kind not in NOT_OPENING:
            chat = self.world.chat(number.id, who.key)
            chat.open_until = max(chat.open_until, message.at + DAY_S)
            if "referral" in rest:
                chat.referred_at = message.at
        self.world.add(message)
        return message

    def send_media(
        self,
        person: str,
        kind: str,
        data: bytes,
        mime_type: str,
        *,
        caption: str | None = None,
        filename: str = "",
        is_voice: bool = False,
        **more: Any,
    ) -> Message:
        """They send a picture, a voice note or the like; ``more`` as in `send`.

        Raises:
            ValueError: ``kind`` is none of a file.
        """
        if kind not in MEDIA_KINDS:
            raise ValueError(f"{kind!r} is no kind of file: {', '.join(MEDIA_KINDS)}")
        self.person(person)
        number = self.world.our_number(more.get("number_id"))
        named = filename if kind == "document" else ""
        medium = self.media.keep(
            number.id, mime_type, data, lasts_s=INBOUND_MEDIA_S, filename=named
        )
        content = self.media.as_webhook(medium)
        if caption is not None and kind not in ("audio", "sticker"):
            content["caption"] = caption
        if kind == "audio":
            content["voice"] = is_voice
        if kind == "sticker":
            content["animated"] = False
        return self.send(person, kind, content, **more)

    def react(self, person: str, wamid: str, emoji: str) -> None:
        """They react to a message; an empty ``emoji`` takes the reaction back.

        Raises:
            LookupError: There is no such message in a chat of theirs.
        """
        message = self._message_with(person, wamid)
        if emoji:
            message.reactions["person"] = emoji
        else:
            message.reactions.pop("person", None)
        self.world.tell(message)
        new = self._new(person)
        self.delivery.post(payloads.reaction(self.world, message, emoji, **new))

    def tap(self, person: str, wamid: str, choice_id: str) -> Message:
        """They tap a button, a quick reply or a row of the list of this message.

        Of several choices with one id, or payload, it is the first.

        Raises:
            LookupError: There is no such message in a chat of theirs, or no such choice in it.
        """
        message = self._message_with(person, wamid)
        found = [one for one in self.choices(message) if one.id == choice_id]
        if not found:
            raise LookupError("there is no such choice in that message")
        choice = found[0]
        return self.send(
            person, choice.kind, choice.content, quoting=wamid, number_id=message.number_id
        )

    def choices(self, message: Message) -> list[Choice]:
        """What can be tapped in a message of the business."""
        if not message.is_ours:
            return []
        return choices_in(message, self.world.account.templates)

    def take_back(self, person: str, wamid: str) -> None:
        """They delete a message of theirs for everybody.

        Raises:
            LookupError: There is no such message of theirs.
        """
        message = self._message_with(person, wamid)
        if message.is_ours or message.is_deleted:
            raise LookupError("that is no message of theirs that is still there")
        message.is_deleted = True
        message.content = {}
        self.world.tell(message)
        self.delivery.post(payloads.revoke(self.world, message, **self._new(person)))

    def read(self, person: str, number_id: str | None = None) -> None:
        """They look at the chat: everything delivered in it is read."""
        self.statuses.read(self.world.our_number(number_id).id, self.person(person).key)

    def play(self, person: str, wamid: str) -> None:
        """They listen to a voice note of the business.

        Raises:
            LookupError: There is no such voice note in a chat of theirs.
        """
        self.statuses.played(self._message_with(person, wamid))

    def echo(self, person: str, text: str, number_id: str | None = None) -> Message:
        """Somebody of the business answers them from the business's own phone."""
        who = self.person(person)
        message = Message(
            wamid=new_wamid(who.address, is_ours=True),
            number_id=self.world.our_number(number_id).id,
            person=who.key,
            is_ours=True,
            kind="text",
            content={"body": text},
            at=self.world.clock.now(),
            status="delivered",
            echo=True,
        )
        self.world.add(message)
        self.delivery.post(payloads.echo(self.world, message))
        return message

    def change_number(self, person: str, wa_id: str, user_id: str | None = None) -> None:
        """They have a new number, and with it a new business-scoped id; the old ones are nobody's.

        Who shares no number has a new id only. Every number of the business that they have written
        with is told by a system message; also by ``user_id_update`` where that was seeded among the
        fields of the subscription: Meta has taken that field back.

        Raises:
            ValueError: The new ids are none, or somebody else's.
        """
        who = self.person(person)
        before = copy(who)
        changes: dict[str, Any] = {"dialled": (), "user_id": user_id or _new_user_id(who.user_id)}
        if who.wa_id is not None:
            changes["wa_id"] = wa_id
        after = replace(who, **changes)
        others = [one for one in self.world.people.values() if one is not who]
        check_person(after, others)
        for name, value in changes.items():
            setattr(who, name, value)
        self.world.feed.tell("person", person=who)
        known_to = [number for number, key in self.world.chats if key == who.key]
        for number_id in known_to or [self.world.our_number().id]:
            number = self.world.our_number(number_id)
            wamid, at = new_wamid(before.address), self.world.clock.now()
            self.delivery.post(payloads.system(number, before, who, wamid=wamid, at=at))
            has_field = "user_id_update" in self.world.account.subscription.fields
            if before.user_id is not None and has_field:
                self.delivery.post(payloads.user_id_update(number, before, who, at=at))

    def prefer(self, person: str, *, marketing: bool, number_id: str | None = None) -> None:
        """They stop marketing of the business, or take it again; the bot is told."""
        who, number = self.person(person), self.world.our_number(number_id)
        who.takes_marketing = marketing
        self.world.feed.tell("person", person=who)
        self.delivery.post(payloads.preference(number, who, at=self.world.clock.now()))

    def add_person(self, person: Person) -> None:
        """Somebody new.

        Raises:
            ValueError: Their key or ids are none, or somebody else's.
        """
        check_person(person, list(self.world.people.values()))
        self.world.add_person(person)

    def tell_trouble(self, code: int, details: str = "", *, number_id: str | None = None) -> None:
        """Something is wrong with the account; it is about no message. ``code`` as `KINDS`."""
        number = self.world.our_number(number_id)
        error = GraphError(code, details).as_status_error()
        self.delivery.post(payloads.trouble(number, error))

    def tell_news(self, topic: str, value: dict[str, Any]) -> None:
        """News of the account, such as ``account_update``; ``value`` is told as it is."""
        self.delivery.post(payloads.news(topic, value, at=self.world.clock.now()))

    def person(self, key: str) -> Person:
        """Raises: LookupError: nobody has that key; says who there is."""
        found = self.world.people.get(key)
        if found is None:
            raise LookupError(f"there is nobody called {key!r}: {', '.join(self.world.people)}")
        return found

    def _message_with(self, person: str, wamid: str) -> Message:
        who = self.person(person)
        message = self.world.message(wamid)
        if message is None or message.person != who.key:
            raise LookupError(f"there is no such message in a chat with {who.key}")
        return message

    def _new(self, person: str) -> dict[str, Any]:
        return {"wamid": new_wamid(self.person(person).address), "at": self.world.clock.now()}


def _new_user_id(old: str | None) -> str | None:
    """Another of the same country; None where there was none."""
    if old is None:
        return None
    head = old.rpartition(".")[0]
    return f"{head}.{secrets.randbelow(9 * 10**15) + 10**15}"
