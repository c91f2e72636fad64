"""What waits on numbers that nobody serves: left in the table, until somebody serves them."""

from collections.abc import Collection
from dataclasses import replace
from functools import partial

from openparallax.model.envelope import Envelope, EnvelopeState
from openparallax.storage import Database, envelopes

_AT_ONCE = 1000


class Aside:
    """Which envelopes were put aside, by chat."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._numbers: dict[int, set[int]] = {}
        self._newest: dict[int, Envelope] = {}  # its id is for marking it read; the table has none
        self._called: set[int] = set()
        self._changed: set[int] = set()

    def put(self, chat: int, waiting: Collection[Envelope]) -> None:
        """Leave these of a chat to the table, in order."""
        self._numbers.setdefault(chat, set()).update(one.number for one in waiting)
        for one in waiting:
            if one.wamid:
                self._newest[chat] = one

    def __contains__(self, chat: int) -> bool:
        """Whether something of the chat was put aside: it goes before what came since."""
        return chat in self._numbers

    def call(self) -> list[int]:
        """Another number is served now: which chats are to be looked at."""
        self._called.update(self._numbers)
        return sorted(self._called)

    def is_called(self, chat: int) -> bool:
        """Whether a chat is still to be looked at since `call`."""
        return chat in self._called

    def moved(self, chat: int) -> None:
        """What waits in a chat has moved; perhaps it is being read just now."""
        if chat in self._numbers:
            self._changed.add(chat)

    def ended(self, chat: int, number: int) -> None:
        """An envelope of a chat has ended; perhaps it is being read just now."""
        self.moved(chat)
        if chat in self._newest and self._newest[chat].number == number:
            del self._newest[chat]  # it holds the person's number

    async def take_back(self, chat: int) -> list[Envelope]:
        """What was put aside of a chat and is still to be answered, in order.

        To be called while no turn of the chat runs, so that none answers what is being read.

        Raises:
            NotStored: The file could not be read now; to be repeated.
        """
        numbers = sorted(self._numbers.get(chat, ()))
        found: list[Envelope] = []
        while True:
            self._changed.discard(chat)
            found = []
            for start in range(0, len(numbers), _AT_ONCE):
                some = numbers[start : start + _AT_ONCE]
                found += await self._database.read(partial(envelopes.by_numbers, numbers=some))
            if chat not in self._changed:
                break
        self._numbers.pop(chat, None)
        self._called.discard(chat)
        newest = self._newest.pop(chat, None)
        return [
            replace(one, wamid=newest.wamid) if newest and one.number == newest.number else one
            for one in found
            if one.state is not EnvelopeState.HELD
        ]
