"""What the file knows of somebody, and by what their steps are known."""

from collections.abc import Sequence
from typing import NamedTuple

from openparallax.app.whom import Person
from openparallax.chats.ids import NUMBER, PARENT, USER
from openparallax.chats.numbers import alternate_form
from openparallax.logs import shorten
from openparallax.model.envelope import Envelope
from openparallax.model.messages import Sender
from openparallax.storage import Connection, envelopes, overview, timeline, window
from openparallax.storage.overview import ChatLine
from openparallax.storage.timeline import Kept, Part
from openparallax.trail import Note


class Found(NamedTuple):
    """What the file knows of somebody."""

    lines: list[ChatLine]
    unfinished: list[Envelope]
    kept: list[Kept]
    parts: list[Part]
    window_until: int
    senders: list[Sender]


def look(connection: Connection, chats: Sequence[int], most: int, now: float) -> Found:
    lines = overview.chats(connection, chats)
    return Found(
        lines,
        [one for chat in chats for one in envelopes.of_chat(connection, chat)],
        timeline.kept(connection, chats, most),
        timeline.parts(connection, chats, 4 * most) if chats else [],
        max((window.known_until(connection, chat, now) for chat in chats), default=0),
        [
            _sender(value)
            for line in lines
            for value, _ in overview.aliases_of(connection, line.chat)
            if not value.startswith("w:")
        ],
    )


def _sender(alias: str) -> Sender:
    kind, value = alias[:2], alias[2:]
    return Sender(
        wa_id=value if kind == NUMBER else None,
        user_id=value if kind == USER else None,
        parent_user_id=value if kind == PARENT else None,
    )


def senders_of(person: Person) -> list[Sender]:
    return [_sender(value) for value in person.values]


def shorts_of(person: Person, account: str | None) -> set[tuple[str, str]]:
    """By which account and short form their steps at the door are known; "": any account."""
    found = set()
    for value in person.values:
        bare = value[2:]
        for spelling in (bare, alternate_form(bare)):
            if spelling:
                found.add((account or "", shorten(spelling)))
    return found


def is_of(note: Note, chats: Sequence[int], shorts: set[tuple[str, str]]) -> bool:
    if note.chat:
        return note.chat in chats
    return bool(note.contact) and (
        (note.account, note.contact) in shorts or ("", note.contact) in shorts
    )
