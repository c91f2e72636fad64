"""Calling our own webhook as Meta does, and what other answers than the daemon's mean."""

import asyncio
import hmac
import io
import ipaddress
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import aiohttp
from yarl import URL

from openparallax.doctor.certificate import distrust
from openparallax.doctor.finding import Notes
from openparallax.doctor.graph import why_unreachable

PATIENCE_S: Final = 10.0
REQUEST_TOO_LARGE: Final = 413
FORWARD: Final = "See that the proxy or tunnel hands this path on to webhook_host:webhook_port."
_MOST_ANSWER: Final = 64 * 1024


LookUp = Callable[[str, int], Awaitable[list[str]]]
"""The addresses of a name."""


@dataclass(frozen=True, slots=True)
class Met:
    """What came back.

    Attributes:
        status: 0: nothing, and ``trouble`` says why.
    """

    status: int = 0
    text: str = ""
    headers: Mapping[str, str] | None = None
    seconds: float = 0.0
    trouble: str = ""
    distrust: tuple[str, str] | None = None


class Caller:
    """Calls one address.

    Attributes:
        quickest_s: How long the quickest answer took.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.quickest_s = PATIENCE_S
        self._session = session
        self._url = URL(url)

    async def shake_hands(self, word: str, challenge: str) -> Met:
        """As Meta does when a callback is typed in."""
        query = {"hub.mode": "subscribe", "hub.verify_token": word, "hub.challenge": challenge}
        return await self._ask("GET", self._url.update_query(query))

    async def post(
        self, body: bytes, secret: str, *, patience_s: float = PATIENCE_S, asks_first: bool = False
    ) -> Met:
        """Bring a notification, signed with ``secret``.

        Args:
            body: The bytes.
            secret: The app's, or a wrong one.
            patience_s: For all of it.
            asks_first: Whether so much is welcome, before it is sent (``Expect: 100-continue``).
        """
        signature = "sha256=" + hmac.new(secret.encode(), body, "sha256").hexdigest()
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": signature}
        return await self._ask(
            "POST", self._url, body, headers, patience_s=patience_s, asks_first=asks_first
        )

    async def _ask(
        self,
        method: str,
        url: URL,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        patience_s: float = PATIENCE_S,
        asks_first: bool = False,
    ) -> Met:
        begun = time.monotonic()
        try:
            async with self._session.request(
                method,
                url,
                # In pieces: three megabytes at once would hold the loop up.
                data=io.BytesIO(body) if body is not None else None,
                expect100=asks_first,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=patience_s),
            ) as answer:
                text = (await answer.content.read(_MOST_ANSWER)).decode("utf-8", "replace")
                took = time.monotonic() - begun
                self.quickest_s = min(self.quickest_s, took)
                return Met(answer.status, text, answer.headers, took)
        except Exception as error:  # noqa: BLE001 - whatever is wrong, it is a finding
            return Met(trouble=why_unreachable(error), distrust=distrust(error))


def about(met: Met) -> tuple[str, str]:
    """A sentence about an answer that the daemon does not give, and what to do."""
    status = met.status
    if 300 <= status < 400:
        return (
            f"The public address redirects ({status}).",
            "Meta follows none: write the address that it leads to into public_url and dashboard.",
        )
    if status == 403:
        return (
            "The public address refuses the handshake (403).",
            (
                "Another daemon may answer there, or the running one has another verify_token:"
                " restart it, and see what a firewall or a login page in front of it says."
            ),
        )
    if status in (401, 407):
        return (
            f"The public address wants a login, or came through a proxy unsigned ({status}).",
            (
                "Take the login away from the webhook's path; without an app secret the daemon"
                " answers nothing that a proxy brings."
            ),
        )
    if status in (404, 405):
        return (f"The public address knows no such path ({status}).", FORWARD)
    if status in (500, 502, 503, 504, 520, 521, 522, 523, 530):
        return (
            f"A proxy or tunnel answers at the public address, and nothing behind it ({status}).",
            f"See that the daemon runs. {FORWARD}",
        )
    if status == 200:
        return (
            "Something answers at the public address that is not the daemon (another page).",
            FORWARD,
        )
    return (f"The public address answers {status} to the handshake.", FORWARD)


async def look_up(host: str, port: int) -> list[str]:
    """Ask the system's resolver."""
    loop = asyncio.get_running_loop()
    rows = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(row[4][0]) for row in rows))


def is_public(address: str) -> bool:
    """Whether it is of the internet, and not of a network inside."""
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_global
    except ValueError:
        return True


def see_large(notes: Notes, met: Met) -> None:
    """What became of as much as Meta may bring at once."""
    if met.status == 200:
        notes.ok("outside.large", "A request of 3 MB is taken.")
    elif met.status == REQUEST_TOO_LARGE:
        notes.failure(
            "outside.large",
            "A request of 3 MB is refused as too large (413).",
            why="Meta puts up to a thousand messages into one request of up to 3 MB.",
            to_do="Let the proxy take 4 MB; in nginx: client_max_body_size 4m;",
        )
    else:
        told = str(met.status) if met.status else f"it {met.trouble}"
        notes.warning(
            "outside.large",
            f"A request of 3 MB did not come through ({told}).",
            why="Meta puts up to a thousand messages into one request of up to 3 MB.",
            to_do="See the limits and time limits of the proxy; a slow line may be the reason.",
        )
