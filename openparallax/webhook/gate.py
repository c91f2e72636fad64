"""Who gets a body in: it must be signed, whole, in time and not too long."""

import asyncio
from collections.abc import Sequence

from aiohttp import hdrs, web
from multidict import istr

from openparallax.errors import OpenParallaxError
from openparallax.webhook.signature import is_signed

MAX_BODY = 4 * 1024 * 1024
"""Largest body taken, in bytes; Meta's own are up to 3 MB."""

_SIGNATURE = istr("X-Hub-Signature-256")


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
        secrets: What requests are signed with; none means that signatures are not checked.
        allow_unsigned: Without secrets, take also what came through a proxy.
        body_timeout_s: How long a body may take to arrive.
    """

    def __init__(
        self, *, secrets: Sequence[bytes], allow_unsigned: bool, body_timeout_s: float
    ) -> None:
        self._secrets = tuple(secrets)
        self._refuses_proxied = not secrets and not allow_unsigned
        self._body_timeout_s = body_timeout_s

    def check_way(self, request: web.BaseRequest) -> None:
        """Refuse, without a secret, what a proxy or tunnel may have brought in from outside.

        Raises:
            Refused: It came through a proxy.
        """
        if self._refuses_proxied and _is_proxied(request):
            raise Refused(401, "proxied_unsigned")

    async def body(self, request: web.BaseRequest) -> bytes:
        """The raw body of ``request``; a request without any signature is not waited for.

        Raises:
            Refused: Not signed, too long, too slow, cut off, or brought by a proxy.
        """
        self.check_way(request)
        signature = request.headers.get(_SIGNATURE)
        if self._secrets and signature is None:
            raise Refused(401, "bad_signature", "missing")
        try:
            content = request.content
            raw = content.read_nowait() if content.is_eof() else await self._wait_for(request)
        except Refused:
            raise
        except TimeoutError:
            raise Refused(408, "slow_body") from None
        except Exception:  # noqa: BLE001 - whatever broke, it broke before the body was here
            raise Refused(400, "broken_body") from None
        if self._secrets and not is_signed(raw, signature, self._secrets):
            raise Refused(401, "bad_signature", "wrong", is_read=True)
        return raw

    async def _wait_for(self, request: web.BaseRequest) -> bytes:
        if (request.content_length or 0) > MAX_BODY:
            raise Refused(413, "too_large")
        async with asyncio.timeout(self._body_timeout_s):
            if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
                await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = bytearray()
            while chunk := await request.content.readany():
                body += chunk
                if len(body) > MAX_BODY:
                    raise Refused(413, "too_large")
        return bytes(body)


def _is_proxied(request: web.BaseRequest) -> bool:
    for name in request.headers:
        lower = name.lower()
        if lower in {"forwarded", "via"} or lower.startswith("x-forwarded-"):
            return True
    return False
