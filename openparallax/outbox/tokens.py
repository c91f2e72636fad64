"""What a send carries and its statuses bring back: which attempt of which parcel it was."""

import secrets

from openparallax.storage.parcels import TOKEN_DIGITS

_AT_ONCE = 64
_unused: list[str] = []


def new_token() -> str:
    """A random 128-bit token, hex; never the same twice.

    Drawn many at a time: asking the kernel for each costs more than the rest of a send's claim.
    """
    if not _unused:
        _unused.extend(split_tokens(secrets.token_bytes(_AT_ONCE * TOKEN_DIGITS // 2).hex()))
    return _unused.pop()


def callback_data(number: int, token: str) -> str:
    """The ``biz_opaque_callback_data`` of an attempt; other apps of the account may see it."""
    return f"{number:x}.{token}"


def parse_callback(callback: str | None) -> tuple[int, str]:
    """Number and token of a callback of ours; (0, "") if it is none."""
    if callback is None or len(callback) > 64:
        return 0, ""
    number, dot, token = callback.partition(".")
    if not dot or len(token) != TOKEN_DIGITS:
        return 0, ""
    try:
        parsed = int(number, 16)
    except ValueError:
        return 0, ""
    return (parsed, token) if 0 < parsed < 1 << 62 else (0, "")


def split_tokens(joined: str) -> list[str]:
    """The tokens of a parcel, the latest first; those of attempts that failed in capitals."""
    return [joined[i : i + TOKEN_DIGITS] for i in range(0, len(joined), TOKEN_DIGITS)]
