"""Meta's ids of messages, which hold a phone number: so a hash stands for them wherever it can."""

from hashlib import blake2b


def id_hash(wamid: str) -> int:
    """64 bits that stand for Meta's id of a message of ours."""
    digest = blake2b(wamid.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
