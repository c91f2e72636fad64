"""Who is who: the rules by which ids stand for people, all of which fall towards privacy.

A person is known to each of our numbers by aliases: business-scoped user id, the same of a managed
business's parent, phone number. The user id is the person; a number is only where the person can be
reached today.

- A number that comes with another user id than before belongs to somebody else by now. They inherit
  nothing, and what still waits for the one before goes to that one's user id, or nowhere.
- A number without any user id, and a user id, that turn out to be one person's are merged: all
  aliases go to one of the two, and nothing else does. Sessions, messages and answers stay in the
  chat where they are. The chat that is off the record survives, else that of the user id.
- A person has one number: with a new one the one before is left, and whoever writes from that later
  is somebody else.
- What was said before a change, and comes after it, takes no id back, and is still said by whoever
  had its ids then.

Source:
    Cloud API, business-scoped user ids (2026): people with usernames come without a number; the id
    changes with the number, and Meta then tells the old and the new one.
"""

from dataclasses import replace

from openparallax.chats.ids import (
    PARENT,
    USER,
    Who,
    find,
    find_left,
    ids_of,
    number_of,
    user_ids,
    values_of,
)
from openparallax.chats.learning import Learner, Met
from openparallax.model.messages import Sender
from openparallax.storage import Connection, aliases, chats
from openparallax.storage.aliases import Left

DAY_S = 86400
"""Of a change Meta may tell late; whoever was first met under the number so short a time before it
is taken for the person who changed, whoever was met earlier for the one who had the number before.
"""


def identify(connection: Connection, who: Who) -> Met:
    """Find the person, or make them known; part of the caller's unit."""
    who, left = _without_left(connection, who)
    former = left.contact if left is not None and _may_have_been(connection, who, left) else None
    person = _person(connection, who) or former
    if person is None:
        person = chats.add_contact(connection, who.sender.name or "")
    learner = Learner(connection, who, person)
    if former is not None and former != person:
        learner.join(former)
        person = learner.contact
    for value in ids_of(who.sender):
        aliases.add(connection, who.account, value, person, who.at)
    number = number_of(who.sender)
    if number is not None:
        _take_number(learner, number)
    return learner.meet()


def relink(connection: Connection, old: Who, new: Sender, *, adds: bool) -> Met | None:
    """The person of the ids in ``old`` has those in ``new`` from now on; part of the caller's unit.

    May be repeated, and come in any order: what is so already stays so.

    Args:
        connection: Inside a unit.
        old: Whose ids have changed, and when.
        new: The ids from then on.
        adds: Remember it of people who are not known yet, too: what they wrote under either id may
            still come.

    Returns:
        None if nobody who has a chat is known by any of the ids.
    """
    now = replace(old, sender=new)
    person = _person_before(connection, old) or _person_after(connection, now)
    if person is None and not adds:
        return None
    person = person or chats.add_contact(connection, "")
    learner = Learner(connection, now, person)
    for value in ids_of(old.sender):
        aliases.add(connection, now.account, value, person, 0)
        aliases.age(connection, now.account, value, now.at - 1)  # they had it before this
    for value in ids_of(new):
        _take_id(learner, value)
    before, number = number_of(old.sender), number_of(new)
    if before is not None:
        _leave_number(learner, before)
    if number is not None:
        _take_number(learner, number, has_moved=True)
    has_moved = number is not None or new.user_id != old.sender.user_id
    if has_moved:
        # Numbers that are not said to be theirs any more may be somebody else's tomorrow.
        learner.leave_numbers_but(number)
    if not (learner.has_chat or learner.has_changed):
        return None
    return learner.meet(has_moved=has_moved)


def _without_left(connection: Connection, who: Who) -> tuple[Who, Left | None]:
    """Without a number that was the sender's when they wrote this and is so no more, and whose."""
    left = find_left(connection, who, number_of(who.sender))
    if left is None:
        return who, None
    if left.until == who.at:  # in the second of the change: before it only if the id says so
        user_id = who.sender.user_id
        known = None if user_id is None else find(connection, who, USER + user_id)
        if known is None or known.contact != left.contact:
            return who, None
    return replace(who, sender=replace(who.sender, wa_id=None)), left


def _may_have_been(connection: Connection, who: Who, left: Left) -> bool:
    """Whether whoever had left the number is who wrote this from it.

    Not if they are known to have had another user id at that time.
    """
    if who.sender.user_id is None:
        return True
    theirs = aliases.of_contact(connection, who.account, left.contact)
    return all(
        value == USER + who.sender.user_id or not value.startswith(USER) or since >= left.until
        for value, since in theirs
    )


def _person(connection: Connection, who: Who) -> int | None:
    """The contact whom these ids stand for.

    A user id decides. What else is known stands for the sender only if that person has no user id
    of their own, or the sender comes without one.
    """
    for value in values_of(who.sender):
        known = find(connection, who, value)
        if known is not None and (
            value.startswith(USER) or _may_be(connection, who, known.contact)
        ):
            return known.contact
    return None


def _may_be(connection: Connection, who: Who, contact: int) -> bool:
    return who.sender.user_id is None or not user_ids(connection, who.account, contact)


def _person_before(connection: Connection, old: Who) -> int | None:
    """Who had the old ids when they changed."""
    for value in ids_of(old.sender):
        known = find(connection, old, value)
        if known is not None and (
            value.startswith(USER) or _may_be(connection, old, known.contact)
        ):
            return known.contact
    number = number_of(old.sender)
    had = find_left(connection, old, number) or find(connection, old, number)
    if had is None or had.since > old.at:
        return None
    return had.contact if _may_be(connection, old, had.contact) else None


def _person_after(connection: Connection, now: Who) -> int | None:
    """Who was met under the new ids before the change was told."""
    for value in values_of(now.sender):
        known = find(connection, now, value)
        if known is None:
            continue
        is_recent = value.startswith(USER) or known.since >= now.at - DAY_S
        if is_recent and (value.startswith(USER) or _may_be(connection, now, known.contact)):
            return known.contact
    return None


def _take_id(learner: Learner, value: str) -> None:
    """A business-scoped id is said to be the person's."""
    known = learner.find(value)
    if known is not None and known.contact != learner.contact:
        if value.startswith(PARENT) and learner.user_ids_of(known.contact):
            learner.give(value)
        else:
            learner.join(known.contact)
    learner.add(value)


def _leave_number(learner: Learner, number: str) -> None:
    """The person had a number until now."""
    known = learner.find(number)
    if known is None:
        learner.note_left(number, 0, learner.at)
    elif (
        known.contact != learner.contact
        and known.since <= learner.at
        and not learner.user_ids_of(known.contact)
    ):
        learner.join(known.contact)  # they wrote without their id


def _take_number(learner: Learner, number: str, *, has_moved: bool = False) -> None:
    """The person wrote from a number, or is said to have it.

    Args:
        learner: Of the person.
        number: The alias.
        has_moved: They came to it from another one, by what is said; else see what is known.
    """
    at, known = learner.at, learner.find(number)
    if known is None:
        learner.add_number(number)
    elif known.contact == learner.contact:
        return
    elif learner.user_ids_of(known.contact):
        if at < known.since:
            learner.note_left(number, at, known.since)  # it is somebody else's by now
        else:
            learner.give(number)
            learner.keep_one_number(number)
    elif known.since < at - DAY_S and (has_moved or learner.came_from_another(number)):
        learner.give(number)
        learner.keep_one_number(number)
    elif (left_at := learner.left_at(number)) is not None and known.since >= left_at:
        learner.note_left(number, at, left_at)  # whoever has it came to it when they had left it
    else:
        learner.join(known.contact)
        learner.keep_one_number(number)
