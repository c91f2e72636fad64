"""Whether a request is Meta's, and for whom it speaks: HMAC-SHA256 over the bytes that came."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field

_PREFIX = "sha256="
_LENGTH = len(_PREFIX) + 64


@dataclass(frozen=True, slots=True)
class Key:
    """An app secret and whom it may speak for.

    Attributes:
        secret: Of the app that owns the webhook subscription. During a rotation an account has two
            keys.
        accounts: The phone number ids of the accounts that name this secret.
    """

    secret: bytes = field(repr=False)
    accounts: frozenset[str]
    _begun: "hmac.HMAC" = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # A copy of one that was begun takes half the time of beginning anew.
        object.__setattr__(self, "_begun", hmac.new(self.secret, digestmod="sha256"))

    def sign(self, raw: bytes) -> str:
        """What Meta sends in ``X-Hub-Signature-256`` with this body."""
        signing = self._begun.copy()
        signing.update(raw)
        return _PREFIX + signing.hexdigest()


def speaks_for(raw: bytes, header: str | None, keys: Sequence[Key]) -> frozenset[str] | None:
    """The accounts of all ``keys`` with which ``header`` signs ``raw``; None if there is no such.

    Takes the same time whichever key it is, and whichever character is wrong.

    Args:
        raw: The body exactly as it came; parsing and writing it again gives other bytes.
        header: ``X-Hub-Signature-256``: ``sha256=`` and 64 lower-case hex digits; any other value
            signs nothing.
        keys: Each is tried, also after one has matched. None sign nothing.

    Source:
        Cloud API, webhooks, "validate payloads".
    """
    # compare_digest refuses text outside ASCII
    if header is None or len(header) != _LENGTH or not header.isascii():
        return None
    accounts: frozenset[str] | None = None
    for key in keys:
        if hmac.compare_digest(key.sign(raw), header):
            accounts = key.accounts if accounts is None else accounts | key.accounts
    return accounts
