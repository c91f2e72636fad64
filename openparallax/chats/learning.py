"""What is learnt about one person, and written down: aliases, merges, where they are reached."""

from dataclasses import dataclass, field, replace

from openparallax.chats import ids
from openparallax.chats.ids import (
    PARENT,
    USER,
    Who,
    number_of,
    numbers_of,
    user_ids,
    values_of_address,
)
from openparallax.model.messages import Sender
from openparallax.model.session import Mode
from openparallax.storage import Connection, aliases, chats, sessions
from openparallax.storage.aliases import Alias
from openparallax.storage.chats import ChatRow


@dataclass(slots=True)
class Met:
    """Who it is, and what was learnt by it.

    Attributes:
        chat: Theirs; a new one has an empty session on the record.
        sender: The ids that hold: without a number that is somebody else's by now.
        since: Since when they do; what is older is to be looked up again.
        is_new: They had no chat before.
        is_late: Said before what is known of where they are reached, or without a word of that.
        is_after_off: New, and the number was used off the record by whoever had it before.
        merged: Chats that turned out to be this one.
        off_since: Where one of them was off the record: since when. The chat is so too, then.
        off_again: When they said so last.
        moved: Chats whose answers go elsewhere now.
        has_changed: What is remembered of chats may be wrong.
    """

    chat: ChatRow
    sender: Sender
    since: int = 0
    is_new: bool = False
    is_late: bool = False
    is_after_off: bool = False
    merged: list[ChatRow] = field(default_factory=list)
    off_since: int | None = None
    off_again: int = 0
    moved: list[int] = field(default_factory=list)
    has_changed: bool = False


class Learner:
    """Writes down what `identity` concludes; part of the caller's unit.

    Attributes:
        contact: The person; another one after a `join`.
        at: Meta's timestamp of what is learnt.
        has_changed: An alias went from one person to another, or was left.
    """

    def __init__(self, connection: Connection, who: Who, contact: int) -> None:
        self._connection = connection
        self._who = who
        self._merged: list[ChatRow] = []
        self._moved: list[int] = []
        self._former_was_off = False
        self.contact = contact
        self.at = who.at
        self.has_changed = False

    # -- what is known --------------------------------------------------------------------------

    @property
    def has_chat(self) -> bool:
        return self._chat_of(self.contact) is not None

    def find(self, value: str) -> Alias | None:
        """Whom a value stands for today."""
        return ids.find(self._connection, self._who, value)

    def user_ids_of(self, contact: int) -> list[str]:
        return user_ids(self._connection, self._who.account, contact)

    def came_from_another(self, number: str) -> bool:
        """Whether the person had another number than ``number`` before."""
        return any(value != number and since <= self.at for value, since in self._numbers())

    def left_at(self, number: str) -> int | None:
        """When the person left ``number`` for another one, if that was after this was said."""
        later = [s for value, s in self._numbers() if value != number and s > self.at]
        return min(later, default=None)

    def _numbers(self) -> list[tuple[str, int]]:
        return numbers_of(self._connection, self._who.account, self.contact)

    def _chat_of(self, contact: int) -> ChatRow | None:
        return chats.find_chat(self._connection, self._who.account, contact)

    # -- aliases --------------------------------------------------------------------------------

    def add(self, value: str) -> None:
        """Nobody has it, or the person has it already."""
        aliases.add(self._connection, self._who.account, value, self.contact, self.at)

    def add_number(self, number: str) -> None:
        """Nobody has it; they have, unless they are known to have left it."""
        left = ids.find_left(self._connection, self._who, number)
        if left is None or (left.until == self.at and left.contact != self.contact):
            self.add(number)
            self.keep_one_number(number)

    def note_left(self, number: str, since: int, until: int) -> None:
        """It was theirs once, and is not now."""
        aliases.note_left(self._connection, self._who.account, number, self.contact, since, until)

    def give(self, value: str) -> None:
        """It is theirs from now on; who had it before is another person."""
        known = self.find(value)
        if known is None:
            raise AssertionError("what is given was somebody's")
        aliases.leave(self._connection, self._who.account, value, self.at)
        self.add(value)
        self.has_changed = True
        former = self._chat_of(known.contact)
        if former is not None:
            self._former_was_off = former.session.mode is Mode.OFF_THE_RECORD
            self._mind_address(former, self._aliases_of(former.contact))

    def keep_one_number(self, number: str) -> None:
        """A person has one: the newest, and of two of one second ``number``."""
        newer_since = None
        for value, since in sorted(
            self._numbers(), key=lambda known: (known[1], known[0] == number), reverse=True
        ):
            if newer_since is not None:
                self._leave(value, newer_since)
            newer_since = since

    def leave_numbers_but(self, number: str | None) -> None:
        """They have changed their number: whatever they had before is theirs no more."""
        for value, since in self._numbers():
            if value != number and since <= self.at:
                self._leave(value, self.at)

    def _leave(self, value: str, until: int) -> None:
        aliases.leave(self._connection, self._who.account, value, until)
        self.has_changed = True

    # -- merging --------------------------------------------------------------------------------

    def join(self, contact: int) -> None:
        """``contact`` and the person are one."""
        account = self._who.account
        mine, theirs = self._chat_of(self.contact), self._chat_of(contact)
        self.has_changed = True
        if theirs is None:
            aliases.give_all(self._connection, account, contact, self.contact)
            return
        if mine is None:
            aliases.give_all(self._connection, account, self.contact, contact)
            self.contact = contact
            return
        # The greater mode is off the record; of two alike the chat of the user id stays.
        survivor, loser = mine, theirs
        if theirs.session.mode > mine.session.mode:
            survivor, loser = theirs, mine
        chats.merge(self._connection, loser, survivor)
        self.contact = survivor.contact
        self._merged.append(loser)

    # -- the end --------------------------------------------------------------------------------

    def meet(self, *, has_moved: bool | None = None) -> Met:
        """The person's chat, made if need be, and what was learnt.

        Args:
            has_moved: Of a change: whether it says where they are reached from then on.
        """
        sender = self._who.sender
        chat = self._chat_of(self.contact)
        is_new = chat is None
        if chat is None:
            chat = self._add_chat(sender)
        theirs = self._aliases_of(self.contact)
        number = number_of(sender)
        if number not in theirs:
            sender, number = replace(sender, wa_id=None), None
        is_late = has_moved is False or self._is_late(chat, sender, theirs)
        self._mind_address(chat, theirs)
        if has_moved:
            self._moved.append(chat.id)
        off = [one for one in (chat, *self._merged) if one.session.mode is Mode.OFF_THE_RECORD]
        return Met(
            chat=chat,
            sender=sender,
            since=0 if number is None else theirs[number],
            is_new=is_new,
            is_late=is_late,
            is_after_off=is_new and self._former_was_off,
            merged=self._merged,
            off_since=min(chats.open_since(self._connection, one) for one in off)
            if off and self._merged
            else None,
            off_again=max((one.opened_at for one in off), default=0),
            moved=[*self._moved, *(loser.id for loser in self._merged)],
            has_changed=self.has_changed,
        )

    def _add_chat(self, sender: Sender) -> ChatRow:
        connection, account = self._connection, self._who.account
        address = sender.wa_id or sender.user_id or sender.parent_user_id or ""
        new = chats.add_chat(connection, account, self.contact, address)
        sessions.open_session(connection, new, Mode.ON_THE_RECORD, self.at)
        chat = self._chat_of(self.contact)
        if chat is None:
            raise LookupError("a chat that was just made is not there")
        return chat

    # -- where they are reached -----------------------------------------------------------------

    def _is_late(self, chat: ChatRow, sender: Sender, theirs: dict[str, int]) -> bool:
        newest = next((value for value in theirs if value.startswith(USER)), None)
        if sender.user_id is not None and newest != USER + sender.user_id:
            return newest is not None and self.at <= theirs[newest]
        reached = (theirs[one] for one in values_of_address(chat.address) if one in theirs)
        return self.at < next(reached, 0)

    def _mind_address(self, chat: ChatRow, theirs: dict[str, int]) -> None:
        """Answers must not go to a number that is not the person's any more."""
        if any(value in theirs for value in values_of_address(chat.address)):
            return
        reach = [value for kind in (USER, PARENT) for value in theirs if value.startswith(kind)]
        address = reach[0][2:] if reach else ""
        if address != chat.address:
            chats.move_chat(self._connection, chat.id, address)
            chat.address, chat.alternate = address, 0
            self.has_changed = True
            self._moved.append(chat.id)

    def _aliases_of(self, contact: int) -> dict[str, int]:
        """Every id of a contact and since when it is theirs, the newest first."""
        return dict(aliases.of_contact(self._connection, self._who.account, contact))
