"""What a closed customer service window holds until the person writes."""

from collections.abc import Collection

from openparallax.model.parcel import Parcel, ParcelState
from openparallax.storage import open_parcels, parcels
from openparallax.storage.database import Connection, Write

_LATEST = 1000
"""Envelopes looked at, the newest first."""


def hold(connection: Connection, parcel: Parcel, *, code: int | None = None) -> bool:
    """The customer service window is closed: keep the parcel until the person writes.

    Args:
        connection: Inside a unit.
        parcel: Leaves the state that it has here.
        code: Meta's error code where Meta said so; what our clock believes of the window counts no
            more then, for this turn and older ones, and for all that were posted under no newer
            message: else they would let this one go at once, again and again.

    Returns:
        False if the parcel had left its state; nothing was changed.
    """
    is_held = parcels.change(
        connection,
        Write(
            "UPDATE parcels SET state = 3, code = coalesce(?, code) WHERE number = ? AND state = ?",
            (code, parcel.number, int(parcel.state)),
        ),
    )
    if not is_held:
        return False
    if code is not None:
        connection.execute(
            "UPDATE parcels SET state = 3, window_until = 0 "
            "WHERE chat = ? AND state < 10 AND state IN (0, 3) "
            "AND (turn <= ? OR window_until <= ?)",
            (parcel.chat, parcel.turn, parcel.window_until),
        )
    return True


def latest_window(connection: Connection, parcel: Parcel) -> int:
    """Until when the window is open by the newest message of the chat that is not settled.

    That is one whose answer is on its way, or one that nobody has answered yet. A parcel that
    waited long was posted under an older message than the newest; where that one keeps the window
    open, the parcel is told so. Of a backlog only the latest are looked at: who wrote in the last
    moment is among them, and envelopes have no index by chat.
    """
    (latest,) = connection.execute(
        "SELECT max(window_until) FROM ("
        "SELECT window_until FROM parcels WHERE chat = ?1 AND state < 10 "
        "UNION ALL SELECT window_until FROM ("
        "SELECT chat, window_until FROM envelopes ORDER BY number DESC LIMIT ?2) WHERE chat = ?1)",
        (parcel.chat, _LATEST),
    ).fetchone()
    if latest is None or latest <= parcel.window_until:
        return parcel.window_until
    connection.execute(
        "UPDATE parcels SET window_until = ? WHERE number = ?", (latest, parcel.number)
    )
    return int(latest)


def before_newest(connection: Connection, chat: int) -> list[Parcel]:
    """What is held for the chat and is of an older turn than the newest that is."""
    held = [one for one in open_parcels.of_chat(connection, chat) if one.state is ParcelState.HELD]
    newest = max((one.turn for one in held), default=0)
    return [one for one in held if one.turn < newest]


def release(
    connection: Connection,
    chat: int,
    window_until: int,
    *,
    is_late: bool = True,
    keeps: Collection[int] = (),
) -> list[Parcel]:
    """Let go what was held for the chat; return that, in order.

    Args:
        connection: Inside a unit.
        chat: Whose window is open.
        window_until: Until when.
        is_late: It was closed meanwhile, so that only the newest turn's are kept; False where it
            only seemed so.
        keeps: Older turns whose parcels are kept all the same.
    """
    if is_late:
        for one in before_newest(connection, chat):
            if one.turn not in keeps:
                withdraw = parcels.settle(one.number, one.state, ParcelState.WITHDRAWN)
                parcels.change(connection, withdraw)
    numbers = {
        row[0]
        for row in connection.execute(
            "UPDATE parcels SET state = 0, not_before = 0, window_until = ? "
            "WHERE chat = ? AND state < 10 AND state = 3 RETURNING number",
            (window_until, chat),
        ).fetchall()
    }
    if not numbers:
        return []
    return [parcel for parcel in open_parcels.of_chat(connection, chat) if parcel.number in numbers]
