"""Everything that the emulator knows: account, people, chats, media. In memory only."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from openparallax.emulator.account import Account, Number
from openparallax.emulator.clock import MovableClock
from openparallax.emulator.feed import Feed
from openparallax.emulator.people import USER_ID, WA_ID, Person

Status = Literal["waiting", "accepted", "sent", "delivered", "read", "played", "failed"]
"""Of a person's message: ``waiting`` until the bot took its webhook, then ``delivered`` (two
ticks), ``read`` once the bot marked it. Of the business's: as Meta's statuses."""

RANK: dict[str, int] = {
    name: rank
    for rank, name in enumerate(("waiting", "accepted", "sent", "delivered", "read", "played"))
}


MOST_MESSAGES = 20_000
"""That are kept in all."""
MOST_PEOPLE = 1_000
"""Whoever a bot dials beyond them is not shown: the page lists everybody."""


@dataclass(slots=True, kw_only=True)
class Message:
    """A bubble.

    Attributes:
        number_id: Which of the business's numbers it is with.
        person: Key of the person.
        is_ours: The business sent it.
        kind: The ``type`` on the wire.
        content: What stands under the type's own name.
        at: Unix seconds of the emulator's clock.
        quoted: Wamid of the message that it answers.
        callback: ``biz_opaque_callback_data`` of a send.
        has_username: It was addressed by business-scoped id.
        errors: Meta's error objects of a failure.
        answered_after_s: Of the business's: seconds since the person's last message was posted.
        reactions: Emoji by whose it is: ``person`` or ``business``.
        is_deleted: Whoever wrote it took it back.
    """

    wamid: str = field(repr=False)
    number_id: str
    person: str
    is_ours: bool
    kind: str
    content: dict[str, Any] = field(repr=False)
    at: float
    status: Status
    quoted: str | None = field(default=None, repr=False)
    callback: str | None = None
    has_username: bool = False
    errors: list[dict[str, Any]] = field(default_factory=list)
    answered_after_s: float | None = None
    reactions: dict[str, str] = field(default_factory=dict, repr=False)
    is_deleted: bool = False
    echo: bool = False
    """A person of the business wrote it on the business's own phone."""

    @property
    def words(self) -> str:
        """The text, caption or body; "" where there is none."""
        if self.kind == "text":
            return str(self.content.get("body", ""))
        if self.kind == "interactive":
            body = self.content.get("body")
            return str(body.get("text", "")) if isinstance(body, dict) else ""
        return str(self.content.get("caption", ""))


@dataclass(slots=True, kw_only=True)
class Medium:
    """A file that was uploaded, or that a person sent.

    Attributes:
        expires_at: Unix seconds of the emulator's clock: 30 days for uploads, 7 for a person's.
    """

    id: str
    number_id: str
    mime_type: str
    data: bytes = field(repr=False)
    expires_at: float
    filename: str = ""


@dataclass(slots=True)
class Chat:
    """One of the numbers and one person.

    Attributes:
        messages: In order of time; the page shows them so.
        open_until: Unix seconds until which the customer service window is open.
        typing_until: Unix seconds until which the bot is shown as typing.
        heard_at: When the person's last message was on its way to the bot, at the try that it took;
            for answer times.
        referred_at: When they came by an advertisement and were not answered yet; unix seconds.
        free_from: When the bot answered that: for three days all is free.
    """

    number_id: str
    person: str
    messages: list[Message] = field(default_factory=list, repr=False)
    open_until: float = 0.0
    typing_until: float = 0.0
    heard_at: float | None = None
    referred_at: float | None = None
    free_from: float = float("-inf")


class World:
    """State, and news of it.

    Args:
        meets_strangers: Whoever is written to is there; else only those who were put in.

    Changes told to the feed: ``message`` (whole, new or changed), ``typing`` (number_id, person,
    until), ``person`` (whole), ``cleared``.
    """

    def __init__(
        self,
        account: Account,
        people: list[Person],
        clock: MovableClock,
        *,
        meets_strangers: bool = False,
    ) -> None:
        self.account = account
        self.people = {person.key: person for person in people}
        self.clock = clock
        self.feed = Feed()
        self.chats: dict[tuple[str, str], Chat] = {}
        self.media: dict[str, Medium] = {}
        self._messages: dict[str, Message] = {}
        self._meets_strangers = meets_strangers

    def chat(self, number_id: str, person: str) -> Chat:
        """The chat of these two; made where there is none yet."""
        return self.chats.setdefault((number_id, person), Chat(number_id, person))

    def message(self, wamid: str) -> Message | None:
        return self._messages.get(wamid)

    def add(self, message: Message) -> None:
        """Put a new message into its chat and tell of it; of too many the oldest is forgotten."""
        if len(self._messages) >= MOST_MESSAGES:
            oldest = self._messages.pop(next(iter(self._messages)))
            chat = self.chat(oldest.number_id, oldest.person)
            chat.messages.remove(oldest)
            if not chat.messages and chat.person not in self.people:
                del self.chats[oldest.number_id, oldest.person]
        self._messages[message.wamid] = message
        self.chat(message.number_id, message.person).messages.append(message)
        self.tell(message)

    def move_up(self, message: Message, status: Status) -> bool:
        """Set a status if it is a step up; whether it was. ``failed`` is set by whoever knows."""
        if message.status == "failed" or RANK[status] <= RANK[message.status]:
            return False
        message.status = status
        self.tell(message)
        return True

    def tell(self, message: Message) -> None:
        """Tell of a message that changed; of one that is no bubble, such as a reaction, nothing."""
        if message.wamid in self._messages:
            self.feed.tell("message", message=message)

    def show_typing(self, number_id: str, person: str, until: float) -> None:
        """The bot is shown as typing until then; 0 ends it."""
        self.chat(number_id, person).typing_until = until
        self.feed.tell("typing", number_id=number_id, person=person, until=until)

    def person_at(self, address: str) -> Person | None:
        """Whose phone rings at these digits (``+`` and the like gone) or business-scoped id."""
        found = self.people.get(address)
        if found is not None and found.is_at(address):
            return found
        for person in self.people.values():
            if person.is_at(address):
                return person
        return self._meet(address) if self._meets_strangers else None

    def _meet(self, address: str) -> Person | None:
        """Somebody new, of whom only this address is known; None where it is none."""
        if WA_ID.fullmatch(address):
            person = Person(key=address, name=address, wa_id=address)
        elif USER_ID.fullmatch(address):
            person = Person(key=address, name=address, user_id=address)
        else:
            return None
        self.add_person(person)
        return person

    def add_person(self, person: Person) -> None:
        self.people[person.key] = person
        self.feed.tell("person", person=person)

    def our_number(self, number_id: str | None = None) -> Number:
        """That number, or the first.

        Raises:
            LookupError: There is no such number.
        """
        if number_id is None:
            return self.account.numbers[0]
        number = self.account.number(number_id)
        if number is None:
            raise LookupError(f"there is no number with id {number_id}")
        return number

    def clear(self) -> None:
        """Forget every chat and medium; people and account stay."""
        self.chats.clear()
        self.media.clear()
        self._messages.clear()
        self.feed.tell("cleared")

    def all_messages(self) -> Iterator[Message]:
        yield from self._messages.values()
