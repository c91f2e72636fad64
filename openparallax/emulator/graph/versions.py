"""Which version of Graph answers where another one is asked for."""

from datetime import UTC, datetime
from typing import Final


def _day(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


ENDS: Final = {
    "v19.0": _day("2026-05-21"),
    "v20.0": _day("2026-09-24"),
    "v21.0": _day("2027-01-21"),
    "v22.0": _day("2027-05-20"),
    "v23.0": _day("2027-10-08"),
    "v24.0": _day("2028-02-18"),
    "v25.0": _day("2028-07-29"),
}
"""Unix seconds at which each is over. Source: facts, section 1."""
NEWEST: Final = "v26.0"
"""Its end is not known."""


def answering(version: str, now: float) -> str:
    """The version that answers, as the header ``facebook-api-version`` names it.

    One that is over is answered by the oldest that is not. What Graph says to one that is not out
    yet is unsure: here it is taken for what it says.

    Args:
        version: As it was asked for, ``v25.0``; "": none was. Unsure: then Meta takes the oldest
            that the app may still use.
        now: Unix seconds.
    """
    if not version:
        return NEWEST
    major = int(version[1:].partition(".")[0])
    oldest_known = int(next(iter(ENDS))[1:].partition(".")[0])
    if major >= oldest_known and ENDS.get(version, now + 1) > now:
        return version
    return next((one for one, end in ENDS.items() if end > now), NEWEST)
