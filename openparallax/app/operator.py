"""What an operator may ask and order: lists, one person, forgetting, a copy.

The same whether a daemon is asked over its socket or the command line has opened the file itself.
Arguments and answers are plain data that JSON can carry; a null is the same as nothing.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from openparallax.app.whom import find, nobody, text_of, whole_number
from openparallax.chats.ids import NUMBER, PARENT, USER
from openparallax.clock import Clock
from openparallax.errors import NotStored, Refusal
from openparallax.logs import Logger
from openparallax.model.entry import Role
from openparallax.session.erasure import Erasure
from openparallax.storage import Connection, Database, backup, overview, usage
from openparallax.storage.overview import ChatLine
from openparallax.storage.scrubbing import KnownAs

if TYPE_CHECKING:  # it brings aiohttp, which the command line does without
    from openparallax.admin.control import Control

MOST_CHATS = 1000
MOST_ENTRIES = 10_000
"""Entries of a person that are handed out at a time, the latest ones."""
_TURNS_A_READ = 200
_STATES = ("open", "suspended", "ended")


class Operator:
    """Answers the operator; see each question.

    Args:
        erasure: That of the house; without one nobody else works with the file.
    """

    def __init__(
        self, database: Database, *, clock: Clock, log: Logger, erasure: Erasure | None = None
    ) -> None:
        self._database = database
        self._erasure = erasure or Erasure(database, clock=clock, log=log, live=None)
        self._log = log

    def controls(self) -> "dict[str, Control]":
        """The questions by their name on the control socket."""
        return {
            "sessions": self.sessions,
            "session": self.session,
            "forget": self.forget,
            "backup": self.backup,
        }

    async def sessions(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """The chats, by pages; one that was merged into another is shown as that one.

        Args:
            asked: ``account`` (phone number id of ours, or null), ``after`` (``next`` of the page
                before, or null), ``most`` (chats a page, 1 to 1000; 100 if null).

        Returns:
            ``chats``, and ``next`` for the next page, or null.

        Raises:
            Refusal: The arguments are wrong (2).
            NotStored: The file could not be read now.
        """
        account = text_of(asked, "account")
        after = whole_number(asked, "after", 0, 0, 1 << 62)
        most = whole_number(asked, "most", 100, 1, MOST_CHATS)
        lines = await self._database.read(
            partial(overview.page, account=account, after=after, most=most)
        )
        return {
            "chats": [_chat(line) for line in lines],
            "next": lines[-1].chat if len(lines) == most else None,
        }

    async def session(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """All about one person; with their words on the record if asked for.

        Args:
            asked: ``who`` (a number in any spelling or a business-scoped id) or ``chat``;
                ``account`` or null: with all of our numbers; ``words``: true or false.

        Returns:
            ``chats``, each as in `sessions`, with ``aliases``, ``sessions``, ``usage`` and, if
            asked for, ``transcript``: the latest `MOST_ENTRIES`; ``left_out`` tells whether there
            are more.

        Raises:
            Refusal: Nobody is known by that, or the arguments are wrong (2).
            NotStored: The file could not be read now.
        """
        with_words = asked.get("words") or False
        if not isinstance(with_words, bool):
            raise Refusal("words is to be true or false.", exit_code=2)
        person = await find(self._database, asked)
        if not person.chats:
            raise nobody(asked)
        described = await self._database.read(partial(_describe, chats=person.chats))
        if with_words:
            for chat in described:
                chat["transcript"], chat["left_out"] = await self._transcript(chat["sessions"])
        return {"chats": described}

    async def forget(self, asked: Mapping[str, Any]) -> dict[str, int]:
        """Remove a person's words for good, with their display name; may be repeated.

        What they have to be answered yet is not answered, and what was not sent yet is not sent.
        Their chat, its ids and whether it is off the record stay, and what was spent on it.

        Args:
            asked: ``who`` or ``chat``, and ``account``, as in `session`.

        Returns:
            How many ``chats``, finished ``turns``, unsent ``parcels``, unanswered messages
            (``waiting``) and ``copies`` of the database it was about.

        Raises:
            Refusal: Nobody is known by that; the arguments are wrong (2); or it is not finished
                (75): try again.
        """
        try:
            person = await find(self._database, asked)
            account = text_of(asked, "account")
            known_as = [KnownAs(account, value) for value in person.values]
            counts = await self._erasure.forget(person.chats, known_as)
        except NotStored as error:
            raise Refusal(
                f"not finished: {error}. Please try again; a daemon goes on by itself.",
                exit_code=75,
            ) from None
        if not person.chats and not counts["copies"]:
            raise nobody(asked)
        return counts

    async def backup(self, asked: Mapping[str, Any] | None = None) -> AsyncIterator[bytes]:
        """A consistent copy of the database, in pieces of at most 1 MiB.

        To be awaited for the iterator: what is refused is refused before the first piece. It is the
        database as it was a moment before, and holds every word on the record. One at a time.

        Raises:
            Refusal: Another copy is being made, or the disk has no room for it (75).
            NotStored: The database was closed meanwhile.
        """
        del asked
        made = await backup.make(self._database)
        self._log.info("backup_made", bytes=made.size)
        return made

    async def _transcript(
        self, sessions: Sequence[Mapping[str, Any]]
    ) -> tuple[list[dict[str, Any]], bool]:
        """The latest entries of these sessions, the latest session first; and if there are more."""
        entries: list[overview.Said] = []
        for session in sessions:
            below = 1 << 62
            while True:
                said = await self._database.read(
                    partial(
                        overview.said, session=session["session"], below=below, most=_TURNS_A_READ
                    )
                )
                if not said:
                    break
                if len(entries) + len(said) > MOST_ENTRIES:
                    return _told(entries), True
                entries = said + entries
                below = min(one.turn for one in said)
        return _told(entries), False


def _told(entries: Sequence[overview.Said]) -> list[dict[str, Any]]:
    return [
        {"at": one.sent_at, "role": Role(one.role).name.lower(), "text": one.words}
        for one in entries
    ]


def _describe(connection: Connection, chats: Sequence[int]) -> list[dict[str, Any]]:
    return [
        {
            **_chat(line),
            "aliases": [
                _alias(value, since) for value, since in overview.aliases_of(connection, line.chat)
            ],
            "sessions": [
                {
                    "session": one.session,
                    "mode": one.mode.label,
                    "state": _STATES[one.state],
                    "opened_at": one.opened_at,
                    "messages": one.messages,
                }
                for one in overview.sessions(connection, line.chat)
            ],
            "usage": [
                {"model": one.model, "kind": one.kind, "tokens": one.tokens}
                for one in usage.of_chat(connection, line.chat)
            ],
        }
        for line in overview.chats(connection, chats)
    ]


def _chat(line: ChatLine) -> dict[str, Any]:
    return {
        "chat": line.chat,
        "account": line.account,
        "contact": _shown(line.address),
        "name": line.name,
        "mode": line.mode.label,
        "session": line.session,
        "opened_at": line.opened_at,
        "last_at": line.last_at,
        "messages": line.messages,
        "waiting": line.waiting,
        "sending": line.sending,
        "taken_over_until": line.taken_until or None,
    }


def _alias(value: str, since: int) -> dict[str, Any]:
    """An alias as people read it, since when it is theirs, and until when it was."""
    until = None
    if value.startswith("w:"):
        value, _, at = value.removeprefix("w:").partition("<")
        until = int(at)
    kind = {NUMBER: "number", USER: "user id", PARENT: "parent id"}[value[:2]]
    return {"id": _shown(value[2:]), "kind": kind, "since": since or None, "until": until}


def _shown(address: str) -> str:
    return f"+{address}" if address.isascii() and address.isdigit() else address
