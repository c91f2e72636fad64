"""Whether a request is Meta's: HMAC-SHA256 over the bytes that came."""

import hmac
from collections.abc import Sequence

_PREFIX = "sha256="
_LENGTH = len(_PREFIX) + 64


def is_signed(raw: bytes, header: str | None, secrets: Sequence[bytes]) -> bool:
    """Whether ``header`` signs ``raw`` with one of ``secrets``.

    Takes the same time whichever secret it is, and whichever character is wrong.

    Args:
        raw: The body exactly as it came; parsing and writing it again gives other bytes.
        header: ``X-Hub-Signature-256``: ``sha256=`` and 64 lower-case hex digits; any other value
            signs nothing.
        secrets: Secrets of the app that owns the subscription; two during a rotation. None sign
            nothing.

    Source:
        Cloud API, webhooks, "validate payloads".
    """
    # compare_digest refuses text outside ASCII
    if header is None or len(header) != _LENGTH or not header.isascii():
        return False
    signed = False
    for secret in secrets:
        expected = _PREFIX + hmac.digest(secret, raw, "sha256").hex()
        signed |= hmac.compare_digest(expected, header)
    return signed
