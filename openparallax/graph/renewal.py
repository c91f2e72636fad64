"""What Meta says of an access token, and a fresh one in its place.

Asked with the id of the app and its secret where they are given, else with the token itself.
Neither tokens nor the secret leave this file: what went wrong is told in words of our own.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
from yarl import URL

from openparallax import __version__
from openparallax.graph.answers import code_and_trace, parse_answer, read_answer
from openparallax.graph.errors import meaning

SIXTY_DAYS_S: Final = 60 * 86_400
SYSTEM_USER: Final = "SYSTEM_USER"
_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,4096}")
_WRONG_SECRET: Final = frozenset({1, 101})
_OF_TOKEN: Final = frozenset({0, 102, 190, 467})
_MOST_TIME: Final = 253_402_300_799
"""The last second of the year 9999."""


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """What Meta knows of a token.

    Attributes:
        is_valid: Graph takes it.
        kind: ``SYSTEM_USER``, ``USER``, ``PAGE`` and the like; "" where that was not said.
        app_id: Whose token it is; "" where that was not said.
        expires_at: Unix seconds; 0: never.
        issued_at: Unix seconds; 0: not known.
    """

    is_valid: bool
    kind: str = ""
    app_id: str = ""
    expires_at: int = 0
    issued_at: int = 0


@dataclass(frozen=True, slots=True)
class Fresh:
    """A token in place of another one, which goes on until it expires.

    Attributes:
        token: Printable ASCII without spaces.
        lasts_s: For how many seconds; 0 where that was not said.
    """

    token: str = field(repr=False)
    lasts_s: int


class RenewalError(Exception):
    """Meta did not answer, or did not as was hoped for.

    Attributes:
        reason: The end of a sentence that begins "Meta ..."; no secret is in it.
        code: Meta's code, where there was one.
        is_of_token: Whoever asked was refused, or the token that was asked about.
        is_of_app: The app's id with its secret was refused.
    """

    def __init__(self, reason: str, *, code: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.is_of_token = code in _OF_TOKEN
        self.is_of_app = code in _WRONG_SECRET


class TokenDesk:
    """Asks about tokens, one question at a time and over a connection of its own.

    Args:
        base_url: Such as ``https://graph.facebook.com``; may carry a path prefix.
        version: Graph's version, such as ``v25.0``.
        app_id: Of the app; None: not given.
        app_secrets: Its secret, or two of them while it is exchanged: whichever is right.
        timeout_s: For one question.
    """

    def __init__(
        self,
        *,
        base_url: str,
        version: str,
        app_id: str | None,
        app_secrets: Sequence[str],
        timeout_s: float,
    ) -> None:
        self._base = URL(base_url.rstrip("/")) / version
        self._app_id = app_id
        self._secrets = list(app_secrets) if app_id else []
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    @property
    def can_renew(self) -> bool:
        """Whether the app's id and its secret are given."""
        return bool(self._secrets)

    async def look(self, token: str) -> TokenFacts:
        """What Meta says of ``token``; changes nothing.

        Raises:
            RenewalError: It could not be found out.

        Source:
            Graph API, ``GET /debug_token``; facts page, section 14. ``expires_at`` 0: never. With
            the wrong secret the call itself is refused. A token may ask about itself.
        """
        # A token that may not even ask about itself is none.
        asked = [f"{self._app_id}|{secret}" for secret in self._secrets] + [token]
        try:
            said = await self._first_of(
                [("debug_token", {"input_token": token}, bearer) for bearer in asked]
            )
        except RenewalError as error:
            if error.is_of_token:
                return TokenFacts(is_valid=False)
            raise
        data = said.get("data")
        if not isinstance(data, Mapping) or not isinstance(data.get("is_valid"), bool):
            raise RenewalError("answered with something that says nothing of the token")
        return TokenFacts(
            is_valid=data["is_valid"],
            kind=_word(data.get("type")),
            app_id=_word(data.get("app_id")),
            expires_at=_time(data.get("expires_at")),
            issued_at=_time(data.get("issued_at")),
        )

    async def renew(self, token: str) -> Fresh:
        """Have Meta give a token of sixty days in place of ``token``, which must still be good.

        May be repeated: each time there is one more token, and none is withdrawn.

        Raises:
            RenewalError: There is none.

        Source:
            Graph API, "Refresh a system user access token"; facts page, section 14.
        """
        said = await self._first_of(
            [
                (
                    "oauth/access_token",
                    {
                        "grant_type": "fb_exchange_token",
                        "client_id": str(self._app_id),
                        "client_secret": secret,
                        "set_token_expires_in_60_days": "true",
                        "fb_exchange_token": token,
                    },
                    "",
                )
                for secret in self._secrets
            ]
        )
        fresh = said.get("access_token")
        if not isinstance(fresh, str) or not _TOKEN.fullmatch(fresh):
            raise RenewalError("answered without a token that could be used")
        return Fresh(fresh, _time(said.get("expires_in")))

    async def _first_of(
        self, calls: Sequence[tuple[str, Mapping[str, str], str]]
    ) -> dict[str, Any]:
        """The first call that is not refused for who asks: of two secrets one may be the old."""
        refusal = RenewalError("was not asked: the app's id or its secret is not given")
        for path, params, bearer in calls:
            try:
                return await self._ask(path, params, bearer)
            except RenewalError as error:
                refusal = error
                if not (error.is_of_app or (bearer and error.is_of_token)):
                    break
        raise refusal

    async def _ask(self, path: str, params: Mapping[str, str], bearer: str) -> dict[str, Any]:
        headers = {"User-Agent": f"openparallax/{__version__}"}
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        try:
            # A redirect is not followed: it would carry the token elsewhere.
            async with (
                aiohttp.ClientSession(
                    cookie_jar=aiohttp.DummyCookieJar(), headers=headers, timeout=self._timeout
                ) as session,
                session.get(
                    (self._base / path).with_query(params), allow_redirects=False
                ) as answer,
            ):
                status, said = answer.status, parse_answer(await read_answer(answer))
        except Exception as error:  # noqa: BLE001 - whatever it was, there is no answer
            # Never the exception's text, nor the exception: the address holds the token.
            raise RenewalError(_unreachable(error)) from None
        if status == 200 and said and "error" not in said:
            return said
        code, trace = code_and_trace(said)
        if code is None:
            raise RenewalError(f"did not answer; something in front of it said {status}")
        told = f" (trace {trace})" if trace else ""
        if path.startswith("oauth") and code in _WRONG_SECRET:
            raise RenewalError(
                f"does not take the app's id with its secret (code {code}{told})", code=code
            )
        raise RenewalError(f"refused: {meaning(code)} (code {code}{told})", code=code)


def _unreachable(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "did not answer in time"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "could not be reached"
    return f"could not be asked ({type(error).__name__})"


def _word(given: object) -> str:
    text = str(given) if isinstance(given, str | int) and not isinstance(given, bool) else ""
    return text if re.fullmatch(r"[A-Za-z0-9_]{1,40}", text) else ""


def _time(given: object) -> int:
    if isinstance(given, bool) or not isinstance(given, int | float):
        return 0
    return int(given) if 0 <= given <= _MOST_TIME else 0
