"""One account's way to Graph: a message goes out, what is known about it afterwards comes back."""

import asyncio
import json
import re
from typing import Final

import aiohttp
from yarl import URL

from openparallax import __version__
from openparallax.errors import ConfigError
from openparallax.graph import wire
from openparallax.graph.answers import outcome_of, read_answer
from openparallax.graph.presence import Presence
from openparallax.logs import Logger
from openparallax.metrics import Metrics
from openparallax.model.outcomes import Accepted, NotSent, Outcome, Refused, Unanswered

_CONNECT_S: Final = 10.0
# Filled in with JSON strings: encoding the whole object anew each time costs several times that.
_TEXT: Final = (
    '{"messaging_product": "whatsapp", "recipient_type": "individual", %s: %s, '
    '"type": "text", "text": {"body": %s}, "biz_opaque_callback_data": %s}'
)
_HEADER_SAFE = re.compile(r"[\x21-\x7e]+")
_VERSION = re.compile(r"v[0-9]+\.[0-9]+")
_BUSINESS_SCOPED_ID = re.compile(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}")


class GraphClient:
    """Sends the messages of one access token, at most ``max_in_flight`` at a time.

    More callers than that wait their turn, as long as it takes: ``timeout_s`` begins when a send
    does, so that a queue of our own can never be taken for silence of Graph's.

    Args:
        base_url: Such as ``https://graph.facebook.com``; may carry a path prefix.
        version: Graph's version, such as ``v25.0``.
        access_token: Printable ASCII without spaces; goes into a header and nowhere else.
        timeout_s: Seconds for connecting, sending and reading the answer together. At most half of
            it, and ten seconds, may go into connecting.
        max_in_flight: Sends, and so connections, at the same time.

    Raises:
        ConfigError: The address, the version or the token cannot be used; no value is quoted.
    """

    def __init__(
        self,
        *,
        base_url: str,
        version: str,
        access_token: str,
        timeout_s: float,
        max_in_flight: int,
        log: Logger,
        metrics: Metrics,
    ) -> None:
        problems = _problems(base_url, version, access_token)
        if problems:
            raise ConfigError(problems)
        self._base = URL(base_url.rstrip("/")) / version
        self._urls: dict[str, URL] = {}
        self._headers = {
            "Authorization": f"Bearer {access_token}",
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": f"openparallax/{__version__}",
        }
        # Connecting ends strictly before the whole: only so can an end of time tell which it was.
        self._timeout = aiohttp.ClientTimeout(
            total=timeout_s, connect=min(_CONNECT_S, timeout_s / 2)
        )
        self._slots = asyncio.Semaphore(max_in_flight)
        self._most = max_in_flight
        self._session: aiohttp.ClientSession | None = None
        self._wire: wire.Wire | None = None
        self._log = log
        self._metrics = metrics
        self._presence = Presence(log, metrics)

    async def open(self) -> None:
        """Make ready to send; opens no connection. Nothing happens if it is open already."""
        if self._session is None:
            # The slots bound the connections. A limit here would be a second queue, and the time in
            # it would count against the send.
            connector = aiohttp.TCPConnector(limit=0)
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=self._headers,
                timeout=self._timeout,
            )
            if wire.is_possible():
                self._wire = wire.Wire(self._session, connector, self._timeout)

    async def close(self) -> None:
        """Cut what is open; a send still in flight ends as `Unanswered`. May be called twice."""
        session, self._session, self._wire = self._session, None, None
        if session is not None:
            await session.close()

    async def retire(self) -> None:
        """Close when all that is under way, and all that waits for its turn, has ended.

        To be called when nobody hands it anything any more. A send ends within ``timeout_s``.
        """
        for _ in range(self._most):
            await self._slots.acquire()
        await self._presence.ended()
        await self.close()

    async def send_text(self, *, phone_number_id: str, to: str, body: str, token: str) -> Outcome:
        """Send one text, once.

        Not safe to repeat blindly: Graph has no idempotency key, so only `NotSent` and the codes
        of `ErrorClass.SLOW` say that it was not sent. Never raises, but for being cancelled; it
        may then have been sent.

        Args:
            phone_number_id: Which of our numbers it is sent from.
            to: A number, with or without ``+``, or a business-scoped user id.
            body: 1 to 4096 characters.
            token: Comes back as ``biz_opaque_callback_data`` in every status of the message; at
                most 512 characters, visible to other apps of the account.

        Source:
            Cloud API, POST /{phone_number_id}/messages; business-scoped user ids go into
            ``recipient`` and ``to`` is left out (2026).
        """
        message = _TEXT % tuple(map(json.dumps, (*_address(to), body, token)))
        outcome = await self._post(phone_number_id, message.encode("ascii"))
        self._metrics.count("graph_send", _label(outcome))
        return outcome

    async def show_presence(self, *, phone_number_id: str, wamid: str, is_typing: bool) -> None:
        """Mark a contact's message as read, and with it the earlier ones; perhaps show typing.

        Only for show: it takes no place of a send's, has five seconds, is dropped where too many
        are under way, and never raises but for being cancelled. May be repeated.

        Args:
            phone_number_id: Which of our numbers the message came to.
            wamid: Of the contact's message.
            is_typing: Typing is seen until the answer comes, at most 25 seconds.

        Source:
            Cloud API, mark messages as read, typing indicators; there is none without the other.
        """
        await self._presence.show(
            self._session, self._url(phone_number_id), wamid, is_typing=is_typing
        )

    async def _post(self, phone_number_id: str, data: bytes) -> Outcome:
        async with self._slots:
            if self._session is None:
                return NotSent("client_closed")
            try:
                url = self._url(phone_number_id)
                if self._wire is not None:
                    return outcome_of(*await self._wire.post(url, data))
                # POST is not among the methods that aiohttp repeats by itself on a stale
                # connection. A redirect is not followed: it would carry the token elsewhere.
                answer = await self._session.post(url, data=data, allow_redirects=False)
                return outcome_of(answer.status, await read_answer(answer))
            except (
                aiohttp.ClientConnectorError,
                aiohttp.ConnectionTimeoutError,
                aiohttp.InvalidURL,
            ) as error:
                return NotSent(_reason(error))
            except (aiohttp.ClientError, OSError) as error:
                return Unanswered(_reason(error))
            except Exception as error:  # noqa: BLE001 - whatever it was, the message may be out
                self._log.error("send_broke", account=phone_number_id, exc_info=error)
                return Unanswered(_reason(error))

    def _url(self, phone_number_id: str) -> URL:
        url = self._urls.get(phone_number_id)
        if url is None:
            url = self._urls[phone_number_id] = self._base / phone_number_id / "messages"
        return url


def _reason(error: Exception) -> str:
    # Never the exception's text: it may hold the address, and what could not be parsed.
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return "connect_timeout"
    return "timeout" if isinstance(error, TimeoutError) else type(error).__name__


def _problems(base_url: str, version: str, access_token: str) -> list[str]:
    problems = []
    try:
        url = URL(base_url)
    except ValueError:
        url = URL()
    if url.scheme not in {"http", "https"} or not url.host:
        problems.append("graph_api_url must be an address such as https://graph.facebook.com")
    elif url.user or url.password or url.query_string or url.fragment:
        problems.append("graph_api_url must hold no user, password, query or fragment")
    if not _VERSION.fullmatch(version):
        problems.append("graph_api_version must look like v25.0")
    if not _HEADER_SAFE.fullmatch(access_token):
        problems.append(
            "access_token must be printable ASCII without spaces or line breaks; copy it again"
        )
    return problems


def _address(to: str) -> tuple[str, str]:
    # Without "+" Meta puts the business number's own country code in front.
    if to.isdecimal() and to.isascii():
        return "to", f"+{to}"
    if _BUSINESS_SCOPED_ID.fullmatch(to):
        return "recipient", to
    return "to", to


def _label(outcome: Outcome) -> str:
    match outcome:
        case Accepted():
            return "accepted"
        case Refused(code=code):
            return f"refused_{code}"
        case Unanswered():
            return "unanswered"
        case NotSent():
            return "not_sent"
