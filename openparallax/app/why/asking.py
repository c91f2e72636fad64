"""Whom the operator asks about, what is known of their messages, and the answer."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from openparallax.app.whom import Person, find, see_form, text_of, whole_number
from openparallax.app.why import shown
from openparallax.app.why.looking import Found, is_of, look, senders_of, shorts_of
from openparallax.app.why.now import Now, Verdict, long
from openparallax.app.why.stories import AT_THE_DOOR, Story, tell
from openparallax.app.why.verdicts import judge
from openparallax.chats.allowed import AllowList
from openparallax.clock import Clock
from openparallax.config import Settings
from openparallax.errors import Refusal
from openparallax.graph.errors import what_to_do
from openparallax.logs import shorten
from openparallax.model.messages import Sender
from openparallax.storage import Connection, Database, timeline
from openparallax.storage.overview import ChatLine
from openparallax.trail import Step

if TYPE_CHECKING:  # the command line does without what it brings
    from openparallax.app.condition import Condition

FIRST = 10
MOST = 200
"""Messages that are told of at a time."""
_LARGEST = 1 << 62
_BEFORE = (
    " Who was not let in or over the limit before that, and what was off the record, nobody knows "
    "any more: it is remembered in memory only, and never longer than the process."
)


class Why:
    """Answers the control ``why``.

    Args:
        settings: Those in force; None where they could not be read.
        condition: Of the house that runs; None: the file itself is asked.
    """

    def __init__(
        self,
        database: Database,
        *,
        settings: Callable[[], Settings | None],
        condition: "Condition | None",
        clock: Clock,
    ) -> None:
        self._database = database
        self._settings = settings
        self._condition = condition
        self._clock = clock

    async def answer(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """What became of somebody's latest messages.

        Args:
            asked: One of ``who`` (a number in any spelling or a business-scoped id), ``chat``,
                ``turn`` (number of a message, as the log and ``tail`` print it) and ``parcel``;
                ``account`` or null; ``most``, messages (1 to 200; 10 if null).

        Returns:
            ``is_known``; ``allowed``: whether they are let in, or null; ``chats``; ``messages``,
            the oldest first, each with ``outcome``, ``why``, ``to_do``, ``steps`` and ``parts``;
            ``daemon``; ``remarks``: sentences about what is not known, and about what never came.

        Raises:
            Refusal: The arguments are wrong (2).
            NotStored: The file could not be read now.
        """
        most = whole_number(asked, "most", FIRST, 1, MOST)
        account = text_of(asked, "account")
        turn, person = await self._whom(asked)
        shorts = shorts_of(person, account)
        chats = person.chats
        now = self._clock.now()

        def read(connection: Connection) -> Found:
            return look(connection, chats, most, now)

        found = await self._database.read(read)
        trail = self._condition.parts.trail if self._condition is not None else None
        lines = found.lines
        shorts |= {(line.account, shorten(line.address)) for line in lines}
        notes = [] if trail is None else [n for n in trail.notes() if is_of(n, chats, shorts)]
        stories = tell(notes, found.unfinished, found.kept, found.parts)
        if turn is not None:
            stories = [one for one in stories if turn in {one.turn, one.last}]
        stories = stories[-most:]
        house = await self._now(lines, now)
        allowed = self._allowed(found.senders or senders_of(person), lines, account)
        return {
            "now": now,
            "is_known": bool(lines or stories),
            "allowed": allowed,
            "chats": [shown.chat(line, found.window_until) for line in lines],
            "messages": [
                shown.message(one, _verdict(one, house, allowed=allowed)) for one in stories
            ],
            "remarks": self._remarks(stories, lines, house, allowed=allowed),
            "daemon": self._daemon(house),
        }

    # -- whom it is about -----------------------------------------------------------------------

    async def _whom(self, asked: Mapping[str, Any]) -> tuple[int | None, Person]:
        """The turn that is asked for, if one is, and the person."""
        named = [key for key in ("who", "chat", "turn", "parcel") if asked.get(key) is not None]
        if len(named) != 1:
            raise Refusal("name one of who, chat, turn and parcel.", exit_code=2)
        if named[0] in {"who", "chat"}:
            person = await find(self._database, asked)
            see_form(asked, person)
            return None, person
        number = whole_number(asked, named[0], 0, 1, _LARGEST)
        trail = self._condition.parts.trail if self._condition is not None else None
        for note in () if trail is None else trail.notes():
            is_it = (
                note.turn <= number <= (note.last or note.turn)
                if named[0] == "turn"
                else note.parcel == number
            )
            if is_it and note.chat and note.turn and (note.last or note.step in AT_THE_DOOR):
                turn = number if named[0] == "turn" else note.turn
                return turn, await self._person(note.chat)
        whose = timeline.chat_of_turn if named[0] == "turn" else timeline.chat_of_parcel
        chat = await self._database.read(lambda c: whose(c, number))
        if chat is None:
            raise Refusal(
                f"no {named[0]} {number} is known: it is older than what is kept, or of another "
                "database."
            )
        return (number if named[0] == "turn" else None), await self._person(chat)

    async def _person(self, chat: int) -> Person:
        return await find(self._database, {"chat": chat})

    # -- how the house is -----------------------------------------------------------------------

    async def _now(self, lines: Sequence[ChatLine], at: float) -> Now:
        settings, condition = self._settings(), self._condition
        numbers = () if settings is None else settings.whatsapp.numbers
        takeover_s = max((one.human_takeover_minutes * 60.0 for one in numbers), default=3600.0)
        account_of = {line.chat: line.account for line in lines}
        taken_until = {line.chat: line.taken_until for line in lines}
        served = None if settings is None else [one.phone_number_id for one in numbers]
        if condition is None or settings is None:
            return Now(
                at, is_running=False, state="not running", since=at, advise=what_to_do,
                served=served, account_of=account_of, taken_until=taken_until,
                takeover_s=takeover_s,
            )  # fmt: skip
        return Now(
            at,
            is_running=True,
            state=condition.state,
            since=condition.parts.trail.begins_at,
            advise=what_to_do,
            trouble=await condition.reasons(),
            paused={one.account: one.code for one in condition.accounts() if one.is_paused},
            served=served,
            account_of=account_of,
            taken_until=taken_until,
            takeover_s=takeover_s,
            running=(
                condition.parts.dispatcher.running,
                settings.conversation.max_concurrent_turns,
            ),
        )

    def _allowed(
        self, senders: Sequence[Sender], lines: Sequence[ChatLine], account: str | None
    ) -> bool | None:
        """Whether one of our numbers lets them in; None if the configuration cannot be read."""
        settings = self._settings()
        if settings is None or not senders:
            return None
        accounts = {account} if account else {line.account for line in lines}
        lists = [
            AllowList(one.allowed_numbers)
            for one in settings.whatsapp.numbers
            if not accounts or one.phone_number_id in accounts
        ]
        return any(one.lets_in(sender) for one in lists for sender in senders)

    def _daemon(self, now: Now) -> dict[str, Any]:
        last_at = self._condition.listener.last_at if self._condition is not None else 0.0
        return {
            "is_running": now.is_running,
            "state": now.state,
            "trouble": list(now.trouble),
            "last_webhook_at": last_at or None,
            "steps_since": now.since if now.is_running else None,
        }

    def _remarks(
        self,
        stories: Sequence[Story],
        lines: Sequence[ChatLine],
        now: Now,
        *,
        allowed: bool | None,
    ) -> list[str]:
        said = []
        if allowed is False and not any(one.latest(Step.NOT_ALLOWED) for one in stories):
            said.append(
                "They are not on allowed_numbers now: what they write is ignored, in silence. To "
                "let them in, add the number and run openparallax reload."
            )
        elif allowed is None and not lines:
            said.append("Whether they are on allowed_numbers could not be found out.")
        if not stories:
            said.append(
                "Nothing of theirs is known to have come. What is not let in is remembered only as "
                "long as its step."
                if allowed is False
                else "Nothing of theirs is known to have come."
            )
        if not now.is_running:
            said.append(
                "The daemon is not running, so only the file was asked. It does not know who was "
                "not let in, who was over the limit, nor what was said off the record."
            )
            return said
        if short := {one.door.contact for one in stories if one.door and not one.chat}:
            said.append(
                f"What has no turn here is known by {' and '.join(sorted(short))} alone, as in the "
                "log: it may be somebody else's who begins and ends alike."
            )
        if (self._condition is not None and not self._condition.listener.last_at) or not stories:
            said.append(f"{self._never_came(now)}{'' if stories else _BEFORE}")
        return said

    def _never_came(self, now: Now) -> str:
        condition = self._condition
        last_at = condition.listener.last_at if condition is not None else 0.0
        if not last_at:
            up_s = now.at - condition.started_at if condition is not None else 0.0
            return (
                "No webhook at all has come since the daemon started "
                f"{long(up_s)} ago: what they wrote since never arrived here. Run openparallax "
                "doctor: it looks at the subscription, the address and the signature."
            )
        return (
            f"If they wrote within the last {long(now.at - now.since)}, it never arrived here. The "
            f"last webhook of anybody came {long(now.at - last_at)} ago. Run openparallax doctor, "
            "and see that they wrote to this number."
        )


def _verdict(story: Story, now: Now, *, allowed: bool | None) -> Verdict:
    verdict = judge(story, now)
    if verdict.outcome == Step.NOT_ALLOWED and allowed:
        return Verdict(
            verdict.outcome,
            "They were not on allowed_numbers when it came, so it was ignored; they are by now.",
            "They have to write it again.",
        )
    return verdict
