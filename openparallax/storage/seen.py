"""Which messages have been admitted: eight days of keyed hashes, by the second.

The second is that of Meta's own timestamp, which a repeat carries too: so one look is enough, what
is new lies together at the end of the table (by the hour, random hashes dirtied a page a message),
and what is old goes from its beginning. A timestamp that cannot be true (a clock off by days, a
test) is filed under the day of arrival instead, and looked for on each of the last days.
"""

from hashlib import blake2b

from openparallax.storage.database import Connection

DAY_S = 86400
KEPT_DAYS = 9
"""Meta repeats for seven days; eight are promised; one more bears a clock that jumps by a day."""
PAST_S = 8 * DAY_S
FUTURE_S = 2 * DAY_S
DAYS = -1_000_000_000
"""The days of arrival are filed from here up, far below any second."""


class Hasher:
    """Makes the 64 bits that stand for a message's id, which itself holds a phone number."""

    def __init__(self, key: bytes, account: str) -> None:
        self._begun = blake2b(digest_size=8, key=key, person=account.encode()[:16])

    def __call__(self, wamid: str) -> int:
        hashing = self._begun.copy()
        hashing.update(wamid.encode("utf-8", "replace"))
        return int.from_bytes(hashing.digest(), "big", signed=True)


def note(connection: Connection, hashed: int, sent_at: int, now: float) -> bool:
    """Note a message as seen; False if it had been seen before."""
    if now - PAST_S < sent_at < now + FUTURE_S:
        return (
            connection.execute(
                "INSERT INTO seen VALUES (?, ?) ON CONFLICT DO NOTHING", (sent_at, hashed)
            ).rowcount
            == 1
        )
    today = DAYS + int(now // DAY_S)
    for bucket in (sent_at, *range(today - KEPT_DAYS, today + 2)):
        if connection.execute(
            "SELECT 1 FROM seen WHERE bucket = ? AND hash = ?", (bucket, hashed)
        ).fetchone():
            return False
    connection.execute("INSERT INTO seen VALUES (?, ?)", (today, hashed))
    return True


def forget_old(connection: Connection, now: float, most: int) -> int:
    """Delete at most ``most`` hashes that are past their time; return how many there were."""
    deleted = 0
    for low, high in (
        (0, int(now - KEPT_DAYS * DAY_S)),
        (DAYS, DAYS + int(now // DAY_S) - KEPT_DAYS),
    ):
        deleted += connection.execute(
            "DELETE FROM seen WHERE (bucket, hash) IN "
            "(SELECT bucket, hash FROM seen WHERE bucket >= ? AND bucket < ? LIMIT ?)",
            (low, high, most - deleted),
        ).rowcount
    return deleted
