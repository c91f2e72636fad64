"""What becomes of parcels, for whoever waits to hear it."""

from collections.abc import Callable, Sequence
from contextlib import suppress

from openparallax.clock import Clock
from openparallax.errors import NotStored
from openparallax.model.parcel import Parcel, ParcelState
from openparallax.outbox.outbox import Outbox
from openparallax.storage import Connection, Database, parcels

FIRST_LOOK_S = 0.05
LOOK_EVERY_S = 0.5
TEMPLATES = "until they write, Meta takes nothing but templates, and those are not sent from here"


class Watch:
    """Looks at parcels until they are settled; see `settled`."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        is_draining: Callable[[], bool],
        advise: Callable[[int | None], str],
        clock: Clock,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._is_draining = is_draining
        self._advise = advise
        self._clock = clock

    async def settled(self, posted: Sequence[Parcel], wait_s: float) -> tuple[str, int | None, str]:
        """Look again and again until all is settled, or is held, or the time is over.

        Not while the daemon stops: nobody keeps it from that by waiting.
        """
        numbers = [parcel.number for parcel in posted]
        deadline = self._clock.monotonic() + wait_s
        pause_s = FIRST_LOOK_S
        found: list[tuple[ParcelState, int | None]] = []
        while True:
            with suppress(NotStored):  # posted it is, whatever can be seen of it
                found = await self._database.read(lambda c: _states(c, numbers))
            states = [state for state, _ in found]
            is_over = found and all(state >= ParcelState.HELD for state in states)
            left_s = deadline - self._clock.monotonic()
            if is_over or left_s <= 0 or self._is_draining():
                return self._verdict(found, posted[0].account)
            await self._clock.sleep(min(pause_s, left_s))
            pause_s = min(pause_s * 2, LOOK_EVERY_S)

    def _verdict(
        self, found: Sequence[tuple[ParcelState, int | None]], account: str
    ) -> tuple[str, int | None, str]:
        """The first part that was not accepted says how it is."""
        left = [one for one in found if one[0] is not ParcelState.ACCEPTED]
        if found and not left:
            return "accepted", None, ""
        state, code = next(
            (one for one in left if one[0] > ParcelState.ACCEPTED),
            left[0] if left else (ParcelState.WAITING, None),
        )
        if state is ParcelState.FAILED:
            return "failed", code, self._advise(code)
        if state in _ENDS:
            return "failed", code, _ENDS[state]
        paused = self._outbox.account(account)
        if state is ParcelState.WAITING and paused.is_paused:
            hint = "sending is paused for this number, and the message waits: "
            return "waiting", paused.code, hint + self._advise(paused.code)
        return "waiting", code, _WAITS.get(state, "")


_ENDS = {
    ParcelState.LOST: "its words were off the record and went with a restart",
    ParcelState.WITHDRAWN: "it was withdrawn before it was sent: somebody answered from the phone, "
    "or the person was forgotten",
    ParcelState.UNCONFIRMED: "Meta never said whether it took it; look at the phone",
}
_WAITS = {
    ParcelState.UNKNOWN: "Meta has not said whether it took it: it is asked for, do not send again",
    ParcelState.HELD: f"the window is closed, so it is kept until they write: {TEMPLATES}",
}


def _states(connection: Connection, numbers: Sequence[int]) -> list[tuple[ParcelState, int | None]]:
    """State and Meta's code of each; of what is gone long since nobody knows any more."""
    found: list[tuple[ParcelState, int | None]] = []
    for number in numbers:
        known = parcels.by_number(connection, number)
        if known is None:
            found.append((ParcelState.UNCONFIRMED, None))
        else:
            *_, code = parcels.spelling_of(connection, known.parcel)
            found.append((known.parcel.state, code))
    return found
