"""What was spent: tokens by day, chat, model and kind. No words, in either mode."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from openparallax.storage.database import Connection, Write

MOST_KINDS = 16
MOST_TOKENS = 2**53
"""A count above this is no count, and no sum grows beyond it."""
_KIND = re.compile(r"[a-z0-9_]+")
_KIND_CHARACTERS = 32
_MODEL_CHARACTERS = 64
_SECONDS_A_DAY = 86400


@dataclass(frozen=True, slots=True)
class Spent:
    """Tokens of one kind.

    Attributes:
        model: As the engine named it, or "".
        kind: As the engine named it, such as ``input`` or ``cache_read``.
    """

    model: str
    kind: str
    tokens: int


def day_of(now: float) -> int:
    """The day (UTC, since 1970) of ``now``, unix seconds."""
    return int(now // _SECONDS_A_DAY)


def add(day: int, chat: int, model: str, usage: Mapping[str, int]) -> list[Write]:
    """Add ``usage`` to what the chat spent that day, as `counts_in` reads it.

    Nothing to write if nothing was spent.
    """
    counts = counts_in(usage)
    if not counts:
        return []
    named = _printable(model)
    values: list[int | str] = []
    for kind, tokens in counts.items():
        values += [day, chat, named, kind, min(tokens, MOST_TOKENS)]
    rows = ", ".join(["(?, ?, ?, ?, ?)"] * len(counts))
    return [
        Write(
            f"INSERT INTO usage (day, chat, model, kind, tokens) VALUES {rows} "
            "ON CONFLICT (day, chat, model, kind) "
            f"DO UPDATE SET tokens = min(tokens + excluded.tokens, {MOST_TOKENS})",
            tuple(values),
        )
    ]


def counts_in(usage: Mapping[str, int]) -> dict[str, int]:
    """Tokens by kind, as far as ``usage`` can be believed.

    It comes from a plugin: what is no count (an int of 1 to 2**53) under a plain name (small
    letters, digits, underscores) is left out, and so is all beyond the first 16 kinds. Long names
    are cut.
    """
    counts: dict[str, int] = {}
    for name, tokens in _items(usage):
        if len(counts) == MOST_KINDS:
            break
        if type(tokens) is not int or not 0 < tokens <= MOST_TOKENS:
            continue
        if isinstance(name, str) and _KIND.fullmatch(name):
            kind = name[:_KIND_CHARACTERS]
            counts[kind] = counts.get(kind, 0) + tokens
    return counts


_DAYS = """
WITH RECURSIVE days (this) AS (
  SELECT min(day) FROM usage UNION ALL
  SELECT (SELECT min(day) FROM usage WHERE day > this) FROM days WHERE this IS NOT NULL
) SELECT this FROM days WHERE this IS NOT NULL"""


def of_chat(
    connection: Connection, chat: int, first_day: int = 0, last_day: int = MOST_TOKENS
) -> list[Spent]:
    """What ``chat`` spent from ``first_day`` to ``last_day``, both included."""
    # Day by day: a row is found by day and chat, and there are fewer days than rows by far.
    return _read(
        connection,
        f"JOIN ({_DAYS}) ON day = this WHERE chat = ? AND day BETWEEN ? AND ?",
        (chat, first_day, last_day),
    )


def of_day(connection: Connection, day: int) -> list[Spent]:
    """What all chats spent on ``day``."""
    return totals(connection, day, day)


def totals(connection: Connection, first_day: int = 0, last_day: int = MOST_TOKENS) -> list[Spent]:
    """What all chats spent from ``first_day`` to ``last_day``, both included."""
    return _read(connection, "WHERE day BETWEEN ? AND ?", (first_day, last_day))


def _read(connection: Connection, where: str, values: tuple[int, ...]) -> list[Spent]:
    # Summed here: the sum of many rows need not fit into SQLite's integers.
    sums: dict[tuple[str, str], int] = {}
    rows = connection.execute(f"SELECT model, kind, tokens FROM usage {where}", values)
    for model, kind, tokens in rows:
        sums[model, kind] = sums.get((model, kind), 0) + tokens
    return [Spent(model, kind, tokens) for (model, kind), tokens in sorted(sums.items())]


def _items(usage: object) -> Iterable[tuple[object, object]]:
    if type(usage) is dict:
        return usage.items()
    try:
        return list(usage.items()) if isinstance(usage, Mapping) else []
    except Exception:  # noqa: BLE001 - a plugin's mapping may do anything; a figure is not worth it
        return []


def _printable(model: object) -> str:
    characters = model if isinstance(model, str) else ""
    return "".join(one for one in characters if one.isprintable())[:_MODEL_CHARACTERS]
