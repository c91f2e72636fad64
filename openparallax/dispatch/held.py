"""What closed windows hold: which chats, and what of it has to be brought back by hand."""

from collections.abc import Iterable
from functools import partial

from openparallax.clock import Clock
from openparallax.dispatch.lanes import Lanes
from openparallax.model.envelope import Envelope
from openparallax.storage import Database, envelopes
from openparallax.storage.window import WINDOW_MARGIN_S


class Held:
    """What waits for its person's next message; the door lets it go on with that.

    Two things the door cannot see: that the next message was on disk already when an older one was
    held, and that a window seemed closed only because the clock was ahead.
    """

    def __init__(self, database: Database, *, lanes: Lanes, clock: Clock) -> None:
        self._database = database
        self._lanes = lanes
        self._clock = clock
        self._chats: set[int] = set()
        self._to_bring_back: dict[int, list[int]] = {}

    def is_open(self, window_until: float) -> bool:
        """Whether a window that closes then is open, its last moment not counted."""
        return self._clock.now() < window_until - WINDOW_MARGIN_S

    # -- what is held, and what is not any more -------------------------------------------------

    def note(self, chat: int) -> None:
        """Something of a chat is held."""
        self._chats.add(chat)

    def note_unread(self, chat: int, numbers: Iterable[int]) -> None:
        """These are held, and their next message may be on disk already, but not yet at hand."""
        self._to_bring_back.setdefault(chat, []).extend(numbers)

    def __contains__(self, chat: int) -> bool:
        """Whether something of a chat may be held."""
        return chat in self._chats

    def went_on(self, envelope: Envelope) -> None:
        """It is queued again, and with it all that was held of its chat."""
        self._chats.discard(envelope.chat)
        self.ended(envelope.chat, envelope.number)

    def ended(self, chat: int, number: int) -> None:
        """It is not to be brought back."""
        numbers = self._to_bring_back.get(chat)
        if numbers and number in numbers:
            numbers.remove(number)
            if not numbers:
                del self._to_bring_back[chat]

    def all_is_read(self) -> None:
        """Every next message is at hand: from now on the door lets go."""
        self._to_bring_back.clear()

    # -- letting go -----------------------------------------------------------------------------

    async def chats_held_open(self) -> list[int]:
        """Chats whose window only seemed closed.

        Raises:
            NotStored: The file could not be read now; may be repeated.
        """
        open_at = self._clock.now() + WINDOW_MARGIN_S
        return await self._database.read(lambda c: envelopes.chats_held_open(c, open_at))

    async def release(self, chat: int) -> list[Envelope]:
        """Queue again what is held of a chat whose window is open; return it in order.

        Raises:
            NotStored: The file could not be written now; may be repeated.
        """
        released = await self._database.unit(partial(envelopes.release, chat=chat))
        self._chats.discard(chat)
        return released

    async def bring_back(self, chat: int) -> None:
        """The next message of a chat is at hand now: what was held before it goes first.

        Raises:
            NotStored: The file could not be read now; may be repeated.
        """
        while numbers := self._to_bring_back.get(chat):
            looked_for = tuple(numbers)
            found = await self._database.read(partial(envelopes.by_numbers, numbers=looked_for))
            # Meanwhile a turn may have held another, and of these some may have gone on or ended.
            for envelope in found:
                if envelope.number in self._to_bring_back.get(chat, ()):
                    self._lanes.put_back(envelope)
            for number in looked_for:
                self.ended(chat, number)
