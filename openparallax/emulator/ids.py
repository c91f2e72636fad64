"""Ids as Meta makes them. None is a secret but a token, and none is used twice in one process."""

import base64
import itertools
import secrets
import time

_numbers = itertools.count(1)
# So that ids of two processes differ: a daemon's file outlives the emulator that filled it.
_OFFSET = time.time_ns() // 1000


def new_wamid(of: str, *, is_ours: bool = False) -> str:
    """The id of a message: ``wamid.`` and, in base64, who is written with and a number.

    Args:
        of: The person's number, or business-scoped id.
        is_ours: The business sent it.

    Source:
        Read off ids that are quoted in public issues. What stands there for people without a
        number is unsure.
    """
    whose = of.encode("ascii", "replace")[:127]
    if is_ours:
        end = b"\x15\x02\x00\x11\x18\x12" + secrets.token_hex(9).upper().encode()
    else:
        end = b"\x15\x02\x00\x12\x18\x14" + secrets.token_hex(10).upper().encode()
    inside = b"\x1c\x18" + bytes([len(whose)]) + whose + end + b"\x00"
    return "wamid." + base64.b64encode(inside).decode("ascii")


def new_media_id() -> str:
    """Digits, as those of media are."""
    return str(_OFFSET + next(_numbers))


def new_trace_id() -> str:
    """What stands in an error's ``fbtrace_id``."""
    return "A" + base64.urlsafe_b64encode(secrets.token_bytes(16)).decode("ascii").rstrip("=")
