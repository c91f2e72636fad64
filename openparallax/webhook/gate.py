"""Who gets a body in, and for whom: it must be signed, whole, in time and not too long."""

import asyncio
from collections.abc import Sequence

from aiohttp import hdrs, web
from multidict import istr

from openparallax.errors import OpenParallaxError
from openparallax.webhook.room import Room
from openparallax.webhook.signature import Key, speaks_for
from openparallax.webhook.way import came_from_outside

MAX_BODY = 4 * 1024 * 1024
"""Largest body taken, in bytes; Meta's own are up to 3 MB."""
MOST_ARRIVING = 64 * 1024 * 1024
"""Of all bodies that are not whole yet, together, in bytes."""

SIGNATURE = istr("X-Hub-Signature-256")


class Refused(OpenParallaxError):  # noqa: N818 - what the gate did, no fault
    """The request was not let in.

    Attributes:
        status: What to answer.
        label: Short name for counts.
        reason: What was wrong, for the log, or "".
        is_read: Whether all of the request was read, so that its connection may go on.
    """

    def __init__(self, status: int, label: str, reason: str = "", *, is_read: bool = False) -> None:
        super().__init__()
        self.status = status
        self.label = label
        self.reason = reason
        self.is_read = is_read


class Gate:
    """Checks requests before anything looks into them.

    Args:
        keys: What requests are signed with; none means that signatures are not checked.
        accounts: The phone number ids of all accounts, also of those without a key.
        allow_unsigned: Without keys, take also what came through a proxy.
        body_timeout_s: How long a body may take to arrive; less while too many others do.

    Attributes:
        is_public: Others than this machine can reach the listener: unsigned, nothing gets in
            unless ``allow_unsigned``. A start refuses that; a reload may bring it about.
    """

    is_public = False

    def __init__(
        self,
        *,
        keys: Sequence[Key],
        accounts: frozenset[str],
        allow_unsigned: bool,
        body_timeout_s: float,
    ) -> None:
        self._body_timeout_s = body_timeout_s
        self._room = Room(MOST_ARRIVING)
        self.go_by(keys, accounts, allow_unsigned=allow_unsigned)

    def go_by(self, keys: Sequence[Key], accounts: frozenset[str], *, allow_unsigned: bool) -> None:
        """Check by these from now on, also what has begun to arrive."""
        self._keys = _by_secret(keys)
        self._everybody = accounts.union(*(key.accounts for key in keys))
        self._refuses_proxied = not keys and not allow_unsigned

    def others(self, accounts: frozenset[str] | None) -> frozenset[str]:
        """Our accounts that a request which speaks for ``accounts`` may not speak for."""
        return frozenset() if accounts is None else self._everybody - accounts

    def check_way(self, request: web.BaseRequest) -> None:
        """Refuse, without a secret, what a proxy or tunnel may have brought in from outside.

        Raises:
            Refused: It came through a proxy.
        """
        if self._refuses_proxied and (self.is_public or came_from_outside(request)):
            raise Refused(401, "proxied_unsigned")

    def signer(self, raw: bytes, signature: str | None) -> frozenset[str] | None:
        """Whom a body speaks for; None where it is not rightly signed, or nothing is checked."""
        return speaks_for(raw, signature, self._keys)

    async def body(self, request: web.BaseRequest) -> tuple[bytes, frozenset[str] | None]:
        """The raw body of ``request``; a request without any signature is not waited for.

        With it come the phone number ids that it may speak for; None if signatures are not checked.

        Raises:
            Refused: Not signed, too long, too slow, cut off, or brought by a proxy; or there is no
                memory for it.
        """
        self.check_way(request)
        signature = request.headers.get(SIGNATURE)
        if self._keys and signature is None:
            raise Refused(401, "bad_signature", "missing")
        try:
            content = request.content
            raw = content.read_nowait() if content.is_eof() else await self._wait_for(request)
        except Refused:
            raise
        except TimeoutError:
            raise Refused(408, "slow_body") from None
        except MemoryError:  # ours that there is none, not the sender's: it may come again
            raise Refused(503, "failed") from None
        except Exception as error:  # noqa: BLE001 - whatever broke, it broke before the body was here
            # The request keeps it, and with a traceback it keeps the request, and what had come.
            error.with_traceback(None)
            raise Refused(400, "broken_body") from None
        if not self._keys:
            return raw, None
        accounts = self.signer(raw, signature)
        if accounts is None:
            raise Refused(401, "bad_signature", "wrong", is_read=True)
        return raw, accounts

    async def _wait_for(self, request: web.BaseRequest) -> bytes:
        if (request.content_length or 0) > MAX_BODY:
            raise Refused(413, "too_large")
        patience = asyncio.timeout(self._body_timeout_s)
        async with patience:
            if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
                await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            # Pieces of one size leave no holes in memory, as buffers that grow do.
            pieces, size = list[bytes](), 0
            with self._room.taken(patience) as take:
                while piece := await request.content.readany():
                    pieces.append(piece)
                    size += len(piece)
                    if size > MAX_BODY:
                        raise Refused(413, "too_large")
                    take(len(piece))
                    await asyncio.sleep(0)  # what has come already would be read without a pause
        return b"".join(pieces)


def _by_secret(keys: Sequence[Key]) -> tuple[Key, ...]:
    """``keys`` with one for each secret: most often all numbers are of one app."""
    accounts: dict[bytes, frozenset[str]] = {}
    for key in keys:
        accounts[key.secret] = accounts.get(key.secret, frozenset()) | key.accounts
    return tuple(Key(secret, whose) for secret, whose in accounts.items())
