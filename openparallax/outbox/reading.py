"""What the table says: which chats have something to send, and what a chat's lane holds."""

from collections.abc import AsyncIterator
from functools import partial

from openparallax.clock import Clock
from openparallax.errors import NotStored
from openparallax.model.parcel import Parcel, ParcelState
from openparallax.storage import Connection, Database, held_parcels, open_parcels, parcels
from openparallax.storage.database import execute
from openparallax.storage.window import WINDOW_MARGIN_S

PAGE = 500
RETRY_S = 1.0
_TO_MEND = (ParcelState.SENDING, ParcelState.HELD)


async def chats_with_work(database: Database, clock: Clock) -> AsyncIterator[int]:
    """Every chat with something to send, by rising id; patient with a file that cannot be read."""
    above = 0
    while True:
        open_after = clock.now() + WINDOW_MARGIN_S
        try:
            page = await database.read(
                partial(open_parcels.chats_with_work, above=above, most=PAGE, open_after=open_after)
            )
        except NotStored:
            await clock.sleep(RETRY_S)
            continue
        for chat in page:
            yield chat
        if len(page) < PAGE:
            return
        above = page[-1]


async def read_lane(database: Database, chat: int, now: float) -> tuple[list[Parcel], bool]:
    """What is to be sent to a chat, in order; and whether there is more that a closed window holds.

    To be called only while nothing of the chat is being sent: a send that was begun and never heard
    of again (by an earlier process, or before a surprise in this one) becomes ``UNKNOWN`` here.
    What was held is let go where the window is open after all: our clock was wrong, or the person
    wrote in the moment in which it was being held.

    Raises:
        NotStored: The file could not be read or written now; may be repeated.
    """
    found = await database.read(lambda c: open_parcels.of_chat(c, chat))
    if any(parcel.state in _TO_MEND for parcel in found):
        found = await database.unit(lambda c: _mend(c, chat, now))
    is_held = any(parcel.state is ParcelState.HELD for parcel in found)
    return [parcel for parcel in found if parcel.state is not ParcelState.HELD], is_held


async def is_settled(database: Database, parcel: Parcel) -> bool:
    """Whether the table has an outcome of it by now; False where it could not be asked."""
    try:
        known = await database.read(lambda c: parcels.by_number(c, parcel.number))
    except NotStored:
        return False
    return known is None or known.parcel.state >= ParcelState.HELD


def _mend(connection: Connection, chat: int, now: float) -> list[Parcel]:
    found = open_parcels.of_chat(connection, chat)
    for parcel in found:
        if parcel.state is ParcelState.SENDING:
            execute(connection, parcels.unknown(parcel.number))
    window_until = max((parcel.window_until for parcel in found), default=0)
    if window_until - WINDOW_MARGIN_S > now:
        held_parcels.release(connection, chat, window_until, is_late=False)
    return open_parcels.of_chat(connection, chat)
