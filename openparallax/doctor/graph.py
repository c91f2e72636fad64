"""Asking Graph: one question, one answer, never an exception.

`Reader.get` changes nothing at Meta. `Reader.post` does, is used by `mending` alone, and is told
apart by its name so that a reviewer finds it.
"""

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Self

import aiohttp
from yarl import URL

from openparallax import __version__
from openparallax.doctor.answer import Answer
from openparallax.graph.answers import parse_answer, read_answer

__all__ = ["PATIENCE_S", "Answer", "Reader", "why_unreachable"]

PATIENCE_S: Final = 10.0
"""How long one question may take, connecting and reading together."""
_CONNECT_S: Final = 5.0
_AT_ONCE: Final = 8
_MOST_PAGES: Final = 20
_PER_PAGE: Final = 100


class Reader:
    """Asks Graph with one token. To be used as ``async with Reader(...) as graph``.

    Args:
        base_url: Such as ``https://graph.facebook.com``; may carry a path prefix.
        version: Such as ``v25.0``.
        token: Goes into a header and nowhere else; "": none is sent.
        timeout_s: For one question.
        now: Our own clock, unix seconds.
    """

    def __init__(
        self,
        base_url: str,
        version: str,
        token: str,
        *,
        timeout_s: float = PATIENCE_S,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._base = base_url.rstrip("/")
        self._version = version
        self._token = token
        self._now = now
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, connect=min(_CONNECT_S, timeout_s))
        self._session: aiohttp.ClientSession | None = None
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def __aenter__(self) -> Self:
        # No proxy of the environment: the daemon takes none either, and asks from the same place.
        self._session = aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": f"openparallax/{__version__} (doctor)"},
            timeout=self._timeout,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def speaking_as(self, token: str) -> "Reader":
        """The same way to Graph with another token; closes with this one."""
        other = Reader(self._base, self._version, token, now=self._now)
        other._session, other._slots = self._session, self._slots
        return other

    async def get(self, path: str, **params: str | int) -> Answer:
        """Read; changes nothing.

        Args:
            path: Behind the version, such as ``1234567890123456/phone_numbers``.
            params: Of the query, such as ``fields="id,status"``.
        """
        return await self._ask("GET", path, params, None)

    async def node(self, path: str, fields: Sequence[str]) -> Answer:
        """Read fields of one thing; those that this version of Graph does not know are left out."""
        wanted = list(fields)
        while True:
            answer = await self.get(path, fields=",".join(wanted))
            unknown = answer.unknown_field
            if unknown not in wanted or len(wanted) == 1:
                return answer
            wanted.remove(unknown)

    async def rows(self, path: str, **params: str | int) -> tuple[list[Mapping[str, Any]], Answer]:
        """Read a list, with the pages that follow; the answer is the last one.

        At most 2000 rows; where a page cannot be had, those before it and the refusal.
        """
        found: list[Mapping[str, Any]] = []
        answer = await self.get(path, limit=_PER_PAGE, **params)
        for _ in range(_MOST_PAGES):
            data = answer.body.get("data") if answer.is_ok else None
            if not isinstance(data, list):
                if answer.is_ok:
                    answer = replace(answer, body={}, trouble="answered without a list")
                break
            found += [row for row in data if isinstance(row, Mapping)]
            after = _next_page(answer.body)
            if not after:
                break
            answer = await self.get(path, limit=_PER_PAGE, after=after, **params)
        return found, answer

    async def post(self, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """Change something at Meta: never while only looking."""
        return await self._ask("POST", path, {}, body or {})

    async def _ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, str | int],
        body: Mapping[str, Any] | None,
    ) -> Answer:
        begun = time.monotonic()
        if self._session is None:
            return Answer(trouble="was not asked: the way to it is closed")
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        try:
            url = (URL(self._base) / self._version / path).with_query(
                {name: str(value) for name, value in params.items()}
            )
            async with (
                self._slots,
                # A redirect is not followed: it would carry the token elsewhere.
                self._session.request(
                    method, url, headers=headers, json=body, allow_redirects=False
                ) as answer,
            ):
                raw = await read_answer(answer)
                return Answer(
                    answer.status,
                    parse_answer(raw),
                    {name.lower(): value for name, value in answer.headers.items()},
                    seconds=time.monotonic() - begun,
                    at=self._now(),
                )
        except Exception as error:  # noqa: BLE001 - whatever is wrong, it is a finding
            # Never the exception's text: it may hold the address and with it a token.
            return Answer(
                trouble=why_unreachable(error), seconds=time.monotonic() - begun, at=self._now()
            )


def why_unreachable(error: BaseException) -> str:
    """Why no answer came, as the end of a sentence that begins with who was asked."""
    # Of the kinds below each is also one of those that follow it.
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "could not be found: the name of its machine has no address here (DNS)"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "showed a certificate that is not trusted here"
    if isinstance(error, aiohttp.ClientSSLError):
        return "does not speak https as it should"
    if isinstance(error, TimeoutError):
        return "did not answer in time"
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno or 0
        what = os.strerror(number).lower() if number > 0 else "no connection"
        return f"could not be reached ({what})"
    if isinstance(error, aiohttp.InvalidURL | ValueError):
        return "has an address that cannot be asked"
    if isinstance(error, aiohttp.ClientError | OSError):
        return f"broke the connection off ({type(error).__name__})"
    return f"could not be asked ({type(error).__name__})"


def _next_page(body: Mapping[str, Any]) -> str:
    paging = body.get("paging")
    if not isinstance(paging, Mapping) or not paging.get("next"):
        return ""
    cursors = paging.get("cursors")
    after = cursors.get("after") if isinstance(cursors, Mapping) else None
    return after if isinstance(after, str) else ""
