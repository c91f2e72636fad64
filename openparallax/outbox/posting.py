"""What an operator sends by hand: kept as a person's words, and posted as an answer is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from openparallax.chats.directory import Directory
from openparallax.chats.ids import values_of_address
from openparallax.chats.numbers import match_key
from openparallax.clock import Clock
from openparallax.config import normalise_number
from openparallax.errors import NotStored, Refusal
from openparallax.logs import Logger, shorten
from openparallax.model.entry import ENGINE_PART, Entry, Role
from openparallax.model.parcel import Parcel
from openparallax.model.text import Text
from openparallax.outbox.outbox import Outbox
from openparallax.outbox.watch import TEMPLATES, Watch
from openparallax.rendering.split import split
from openparallax.session import placement
from openparallax.storage import Connection, Database, aliases, chats, open_parcels, parcels, window
from openparallax.storage.chats import ChatRow
from openparallax.storage.database import execute
from openparallax.storage.meta import Numbers
from openparallax.storage.window import WINDOW_MARGIN_S
from openparallax.trail import Step, Trail
from openparallax.transcript import Transcripts

MOST_CHARACTERS = 20_000
LONGEST_WAIT_S = 600.0
BY_HAND = "by_hand"
BEHIND_S = 0.2
"""How often it is looked whether the chat that this one was merged with has sent all."""
_USAGE, _UNAVAILABLE = 2, 69


class _Behind(Refusal):
    """What another chat of the same person still has to send comes first."""


@dataclass(frozen=True, slots=True)
class _Posted:
    chat: ChatRow
    entries: Sequence[Entry]
    parcels: Sequence[Parcel]


class Posting:
    """Sends for the operator; see `send`.

    Args:
        accounts: The numbers of ours that are configured.
        is_draining: Whether the daemon stops.
        advise: From one of Meta's codes to what it means and what to do.
    """

    def __init__(
        self,
        *,
        database: Database,
        transcripts: Transcripts,
        directory: Directory,
        turn_numbers: Numbers,
        parcel_numbers: Numbers,
        outbox: Outbox,
        accounts: Sequence[str],
        is_draining: Callable[[], bool],
        advise: Callable[[int | None], str],
        clock: Clock,
        log: Logger,
        trail: Trail,
    ) -> None:
        self._database = database
        self._transcripts = transcripts
        self._directory = directory
        self._turns = turn_numbers
        self._parcels = parcel_numbers
        self._outbox = outbox
        self._accounts = accounts
        self._is_draining = is_draining
        self._watch = Watch(
            database=database,
            outbox=outbox,
            is_draining=is_draining,
            advise=advise,
            clock=clock,
        )
        self._clock = clock
        self._log = log
        self._trail = trail

    def serve(self, accounts: Sequence[str]) -> None:
        """These are the numbers of ours from now on."""
        self._accounts = accounts

    async def send(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Post one message, and wait for a while for what becomes of it.

        Not to be repeated after an answer: that would be a second message.

        Args:
            asked: ``to``, a number in any spelling or a business-scoped id; ``account``, the phone
                number id to send from, which may be null where there is one only; ``text``; and
                ``wait``, seconds (0 to 600).

        Returns:
            ``chat``; ``parcels``, their numbers, of which a long text has several; ``state``:
            ``accepted`` by Meta, ``failed``, or ``waiting`` still; ``code``, Meta's, or null;
            ``hint``, what it means and what to do, or "".

        Raises:
            Refusal: Nothing was posted; its text says why. With 69 it may be repeated.
        """
        to, account, text, wait_s = self._parse(asked)
        deadline = self._clock.monotonic() + wait_s
        try:
            until = await self._window_until(account, to)
            posted = await self._posted_in_order(
                lambda connection: self._post(connection, account, to, text, until), deadline
            )
        except NotStored as error:
            # Not 75, as other commands have it: to whoever sends that means that it is kept.
            raise Refusal(f"nothing was sent: {error}", exit_code=_UNAVAILABLE) from None
        self._log.info(
            "operator_sent",
            chat=posted.chat.id,
            turn=posted.parcels[0].turn,
            parts=len(posted.parcels),
        )
        left_s = max(0.0, deadline - self._clock.monotonic())
        state, code, hint = await self._watch.settled(posted.parcels, left_s)
        return {
            "chat": posted.chat.id,
            "parcels": [parcel.number for parcel in posted.parcels],
            "state": state,
            "code": code,
            "hint": hint,
        }

    # -- what is asked --------------------------------------------------------------------------

    def _parse(self, asked: Mapping[str, Any]) -> tuple[str, str, str, float]:
        to, account, text = asked.get("to"), asked.get("account"), asked.get("text")
        wait_s = asked.get("wait", 0)
        if not isinstance(to, str) or not isinstance(account, str | None):
            raise Refusal("to must be a number or an id, account an id or null", exit_code=_USAGE)
        if isinstance(wait_s, bool) or not isinstance(wait_s, int | float):
            raise Refusal("wait must be a number of seconds", exit_code=_USAGE)
        if not isinstance(text, str) or not text.strip():
            raise Refusal("there is no text to send", exit_code=_USAGE)
        if len(text) > MOST_CHARACTERS:
            raise Refusal(
                f"the text has {len(text)} characters; {MOST_CHARACTERS} are the most",
                exit_code=_USAGE,
            )
        if any("\ud800" <= c <= "\udfff" for c in text):
            raise Refusal("the text is not valid Unicode", exit_code=_USAGE)
        try:
            address = normalise_number(to)
        except ValueError as error:
            raise Refusal(f"the recipient {error}", exit_code=_USAGE) from None
        if not 0 <= wait_s <= LONGEST_WAIT_S:
            raise Refusal(f"wait must be 0 to {LONGEST_WAIT_S:.0f} seconds", exit_code=_USAGE)
        return address, self._account(account), text, float(wait_s)

    def _account(self, named: str | None) -> str:
        known = " and ".join(self._accounts)
        if named is None and len(self._accounts) > 1:
            raise Refusal(
                f"several numbers are configured: say with --account which one sends ({known})",
                exit_code=_USAGE,
            )
        if named is not None and named not in self._accounts:
            raise Refusal(
                f"the account is not configured; it is the phone number id of {known}",
                exit_code=_USAGE,
            )
        return named or self._accounts[0]

    # -- whom to, and whether they may be written to ---------------------------------------------

    async def _window_until(self, account: str, to: str) -> int:
        """Until when the window is open; off the record, where the file cannot know, let Graph say.

        Raises:
            Refusal: Nobody is known by that, or it is closed.
        """
        now = self._clock.now()

        def work(connection: Connection) -> tuple[ChatRow, int]:
            chat = _find(connection, account, to)
            # Before two chats turned out to be theirs they may have written in the other one.
            theirs = (chat.id, *chats.losers_of(connection, chat.id))
            return chat, max(window.known_until(connection, one, now) for one in theirs)

        chat, until = await self._database.read(work)
        if now < until - WINDOW_MARGIN_S:
            return until
        if self._transcripts[chat.session.mode].outlives_the_process:
            closed = f"closed at {_utc(until)}" if until else "is closed"
            raise Refusal(f"their 24-hour window {closed}: {TEMPLATES}")
        return int(now) + window.WINDOW_S

    async def _posted_in_order(
        self, work: Callable[[Connection], _Posted], deadline: float
    ) -> _Posted:
        """Post, once nothing of the person is left in a chat that was merged with this one.

        Raises:
            Refusal: Something was left until ``deadline``, in monotonic time, or another reason.
            NotStored: Nothing was posted.
        """
        while True:
            try:
                return await self._database.unit(work, self._posted)
            except _Behind:
                left_s = deadline - self._clock.monotonic()
                if left_s <= 0:
                    raise
                await self._clock.sleep(min(BEHIND_S, left_s))

    def _post(
        self, connection: Connection, account: str, to: str, text: str, until: int
    ) -> _Posted:
        """Part of a unit: keep the words as the history shows them, and post what is sent."""
        if self._is_draining():
            raise Refusal(
                "nothing was sent: the daemon is stopping; try again in a moment",
                exit_code=_UNAVAILABLE,
            )
        chat, now = _find(connection, account, to), self._clock.now()
        if not chat.address:
            raise Refusal("this person left the number to somebody else, and has no other id")
        if open_parcels.has_to_send(connection, chats.losers_of(connection, chat.id)):
            raise _Behind(
                "nothing was sent: what was written to this person before, under another id, is "
                "still on its way; try again in a moment",
                exit_code=_UNAVAILABLE,
            )
        cached = self._directory.cached(chat.id)
        if cached is not None and cached.latest is not None and cached.latest < now:
            cached.latest = int(now)  # an /otr from before it has to look for it
        session, turn = placement.place(chat, int(now)), self._turns.take(connection)
        transcript = self._transcripts[session.mode]
        entries = [Entry(session, turn, ENGINE_PART, Role.PERSON, Text(text), int(now))]
        parts = split(text)
        if parts != [text]:
            entries += [
                Entry(session, turn, place, Role.PART, Text(part), int(now))
                for place, part in enumerate(parts, start=1)
            ]
        for write in (*transcript.keep(*entries), *transcript.close_turn(session, [turn])):
            execute(connection, write)
        posted = [
            Parcel(
                number=self._parcels.take(connection),
                chat=chat.id,
                account=account,
                to=chat.address,
                session=session,
                turn=turn,
                part=entry.part,
                window_until=until,
            )
            for entry in entries[-len(parts) :]
        ]
        for parcel in posted:
            execute(connection, parcels.post(parcel, now))
        return _Posted(chat, entries, posted)

    def _posted(self, posted: _Posted) -> None:
        """On disk: have the words at hand, then tell the outbox; in this order."""
        session = posted.entries[0].session
        self._transcripts[session.mode].hold(*posted.entries)
        self._transcripts[session.mode].renew(session)
        first = posted.parcels[0]
        self._trail.note(
            Step.POSTED, first.chat, first.turn, first.turn, first.number,
            first.account, shorten(posted.chat.address), BY_HAND, amount=len(posted.parcels),
        )  # fmt: skip
        self._outbox.take(posted.parcels)


def _find(connection: Connection, account: str, to: str) -> ChatRow:
    ours = chats.find_account(connection, account)
    if match_key(to) in map(match_key, chats.displays(connection).values()):
        raise Refusal("that is a number of ours: nobody reads there what is sent from here")
    if ours is not None:
        for value in values_of_address(to):
            alias = aliases.find(connection, ours, value)
            chat = alias and chats.find_chat(connection, ours, alias.contact)
            if chat:
                return chat
    raise Refusal(f"nobody with that number or id has written to {account}: {TEMPLATES}")


def _utc(when: int) -> str:
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%d %H:%M UTC")
