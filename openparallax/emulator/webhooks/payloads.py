"""What there is to tell, as updates: from the nouns of the world to Meta's shapes."""

import hashlib
from typing import Any, Final

from openparallax.emulator.account import Number
from openparallax.emulator.people import Person
from openparallax.emulator.webhooks import pieces
from openparallax.emulator.webhooks.update import Update
from openparallax.emulator.world import Message, World

SERVICE_IS_CHARGED_FROM: Final = 1_790_812_800
"""2026-10-01: from then on free-form messages are charged like others."""
FREE_ENTRY_S: Final = 72 * 3600
UNSUPPORTED: Final = {
    "code": 131051,
    "title": "Message type unknown",
    "message": "Message type unknown",
    "error_data": {"details": "Message type is currently not supported."},
}


def message(world: World, said: Message, **rest: Any) -> Update:
    """A person's message; ``rest``: further fields of it.

    What a ``contacts`` message holds is a list: ``content["contacts"]``.
    """
    return _inbound(
        world,
        said.number_id,
        world.people[said.person],
        said.kind,
        said.content.get("contacts") if said.kind == "contacts" else said.content,
        wamid=said.wamid,
        at=said.at,
        quoted=said.quoted,
        **rest,
    )


def reaction(world: World, to: Message, emoji: str, *, wamid: str, at: float) -> Update:
    """A person's reaction; where it was taken back, ``emoji`` is absent."""
    content = {"message_id": to.wamid, **({"emoji": emoji} if emoji else {})}
    who = world.people[to.person]
    return _inbound(world, to.number_id, who, "reaction", content, wamid=wamid, at=at)


def revoke(world: World, said: Message, *, wamid: str, at: float) -> Update:
    """A person took a message back. Documented for numbers that are on a phone as well only."""
    content = {"original_message_id": said.wamid}
    who = world.people[said.person]
    return _inbound(world, said.number_id, who, "revoke", content, wamid=wamid, at=at)


def system(number: Number, before: Person, now: Person, *, wamid: str, at: float) -> Update:
    """Somebody's ids have changed; sent under the number of before, and without a contact.

    Source:
        Meta's page on system messages and its changelog of 2026-08-11 (``previous_user_id``). That
        the message itself names no business-scoped id, as its samples do not, is unsure.
    """
    has_new_number = before.wa_id != now.wa_id
    what = "user_changed_number" if has_new_number else "user_changed_user_id"
    old, new = (before.wa_id, now.wa_id) if has_new_number else (before.user_id, now.user_id)
    content = {
        "body": f"User {now.name} changed from {old} to {new}",
        **pieces.known(
            wa_id=now.wa_id if has_new_number else None,
            user_id=now.user_id,
            parent_user_id=now.parent_user_id,
            previous_user_id=before.user_id,
            previous_parent_user_id=before.parent_user_id,
        ),
        "type": what,
    }
    said = pieces.message("system", content, wamid=wamid, at=at, wa_id=before.wa_id)
    return _update(number, "messages", "system", now.key, wamid, messages=[said])


def user_id_update(number: Number, before: Person, now: Person, *, at: float) -> Update:
    """A field of its own, of which Meta said on 2026-08-11 that nobody can subscribe to it."""
    update = pieces.user_id_update(before.user_id or "", now.user_id or "", at=at, wa_id=now.wa_id)
    parts = {"contacts": [_contact(now)], "user_id_update": [update]}
    return _update(number, "user_id_update", "user_id_update", now.key, None, **parts)


def preference(number: Number, who: Person, *, at: float) -> Update:
    """Somebody stopped marketing of this business, or takes it again.

    Source:
        Meta's page on ``user_preferences``: here the timestamp is a number, not text.
    """
    value = "resume" if who.takes_marketing else "stop"
    said = {
        **pieces.known(**_ids(who)),
        "detail": f"User requested to {value} marketing messages",
        "category": "marketing_messages",
        "value": value,
        "timestamp": int(at),
    }
    parts = {"contacts": [_contact(who)], "user_preferences": [said]}
    return _update(number, "user_preferences", value, who.key, None, **parts)


def echo(world: World, said: Message) -> Update:
    """Somebody of the business wrote on the business's own phone; ``to_user_id`` is unsure."""
    number = world.our_number(said.number_id)
    who = world.people[said.person]
    written = pieces.echo(
        said.kind,
        said.content,
        wamid=said.wamid,
        at=said.at,
        sender=number.display_phone_number,
        to=who.wa_id,
        **pieces.known(to_user_id=who.user_id),
    )
    return _update(
        number, "smb_message_echoes", "echo", who.key, said.wamid, message_echoes=[written]
    )


def news(topic: str, value: dict[str, Any], *, at: float) -> Update:
    """News of the account, such as ``account_update``; ``value`` as it is."""
    return Update(topic=topic, value=value, what=topic, time=int(at), is_whole=True)


def trouble(number: Number, error: dict[str, Any]) -> Update:
    """An error of the account or the app, which belongs to no message."""
    about = pieces.metadata(number.id, number.display_phone_number)
    value = pieces.value(about, errors=[error])
    return Update(topic="messages", value=value, what="errors", waba_id=number.waba_id)


def status(world: World, sent: Message, name: str) -> Update:
    """A status of a message of the business; of ``failed``, `Message.errors` says why."""
    who = world.people.get(sent.person)
    has_failed = name == "failed"
    ids = _ids(who) if who is not None else {"wa_id": sent.person}
    if has_failed and not sent.has_username:
        ids = {"wa_id": ids["wa_id"]}
    entry = pieces.status(
        sent.wamid,
        name,
        at=world.clock.now(),
        **ids,
        callback=sent.callback,
        conversation=_conversation(world, sent, name),
        pricing=_pricing(world, sent) if name == "sent" else None,
        errors=sent.errors if has_failed else None,
    )
    # The username is told once the message has arrived, not before.
    has_arrived = name in ("delivered", "read", "played")
    contacts = None
    if who is not None and not has_failed:
        contacts = [_contact(who, is_named=has_arrived)]
    number = world.our_number(sent.number_id)
    parts = {"contacts": contacts, "statuses": [entry]}
    return _update(number, "messages", name, sent.person, sent.wamid, **parts)


def _inbound(
    world: World,
    number_id: str,
    who: Person,
    kind: str,
    content: object,
    *,
    wamid: str,
    at: float,
    quoted: str | None = None,
    **rest: Any,
) -> Update:
    number = world.our_number(number_id)
    if quoted is not None:
        rest["context"] = {**_context(world, number, who, quoted), **rest.get("context", {})}
    if kind == "unsupported":
        rest.setdefault("errors", [UNSUPPORTED])
    said = pieces.message(kind, content, wamid=wamid, at=at, **_ids(who), **rest)
    parts = {"contacts": [_contact(who)], "messages": [said]}
    return _update(number, "messages", kind, who.key, wamid, **parts)


def _update(
    number: Number, topic: str, what: str, person: str, wamid: str | None, **parts: object
) -> Update:
    about = pieces.metadata(number.id, number.display_phone_number)
    return Update(
        topic=topic,
        value=pieces.value(about, **parts),
        what=what,
        person=person,
        wamid=wamid,
        waba_id=number.waba_id,
    )


def _context(world: World, number: Number, who: Person, quoted: str) -> dict[str, Any]:
    original = world.message(quoted)
    is_ours = original is None or original.is_ours
    # Whether ``from`` is missing where the quoted person shares no number is unsure.
    sender = number.display_phone_number if is_ours else who.wa_id
    return {**pieces.known(**{"from": sender}), "id": quoted}


def _contact(who: Person, *, is_named: bool = True) -> dict[str, Any]:
    return pieces.contact(who.name, **_ids(who), username=who.username if is_named else None)


def _ids(who: Person) -> dict[str, str | None]:
    return {"wa_id": who.wa_id, "user_id": who.user_id, "parent_user_id": who.parent_user_id}


def _pricing(world: World, sent: Message) -> dict[str, Any]:
    """On ``sent``; Meta puts it there or on what follows, and never on both.

    What ``type`` those messages carry that are free in a month is unsure.
    """
    category = _category(world, sent)
    if _is_free_entry(world, sent):
        return {
            "billable": False,
            "pricing_model": "PMP",
            "type": "free_entry_point",
            "category": category,
        }
    is_free = category == "service" and sent.at < SERVICE_IS_CHARGED_FROM
    return {
        "billable": not is_free,
        "pricing_model": "PMP",
        "type": "free_customer_service" if is_free else "regular",
        "category": category,
    }


def _is_free_entry(world: World, sent: Message) -> bool:
    """They came by an advertisement and were answered soon: all is free for three days.

    Source:
        facts, section 10.
    """
    chat = world.chats.get((sent.number_id, sent.person))
    return chat is not None and chat.free_from <= sent.at < chat.free_from + FREE_ENTRY_S


def _category(world: World, sent: Message) -> str:
    """That free entry points have a category of their own is read off Meta's list of them."""
    if _is_free_entry(world, sent):
        return "referral_conversion"
    if sent.kind != "template":
        return "service"
    name = sent.content.get("name")
    for template in world.account.templates:
        if template.get("name") == name:
            return str(template.get("category", "utility")).lower()
    return "utility"


def _conversation(world: World, sent: Message, name: str) -> dict[str, Any] | None:
    """With ``sent`` and ``delivered``: below 24 always, else of free entry points alone."""
    version = world.account.subscription.version.removeprefix("v").partition(".")[0]
    is_old = version.isdecimal() and int(version) < 24
    if name not in ("sent", "delivered") or not (is_old or _is_free_entry(world, sent)):
        return None
    seed = f"{sent.number_id} {sent.person} {_category(world, sent)}"
    lasts_s = FREE_ENTRY_S if _is_free_entry(world, sent) else 86_400
    until = pieces.stamp(sent.at + lasts_s)
    return {
        "id": hashlib.sha256(seed.encode("utf-8", "replace")).hexdigest()[:32],
        **({"expiration_timestamp": until} if name == "sent" else {}),
        "origin": {"type": _category(world, sent)},
    }
