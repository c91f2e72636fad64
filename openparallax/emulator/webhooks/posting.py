"""One request to the bot: built, signed, sent, and put on the wire."""

import asyncio
import copy
import ssl
import time
from collections.abc import Mapping, Sequence

import aiohttp
import yarl

from openparallax.emulator.callers import is_loopback
from openparallax.emulator.faults import Faults
from openparallax.emulator.webhooks.envelope import BAD_SECRET, dump, envelope, sign
from openparallax.emulator.webhooks.update import Update
from openparallax.emulator.wire import MOST_BODY, Exchange, Wire
from openparallax.emulator.world import World

TIMEOUT_S = 20.0
"""Real seconds until a try has failed; Meta's own is not documented (unsure)."""
MOST_AT_ONCE = 100
FOREIGN_NUMBER = "999999999999999"
HEADERS = {
    "Content-Type": "application/json",
    "Accept": "*/*",
    "User-Agent": "facebookexternalua",  # as servers' logs in public issues have it; unsure
}


def check_address(url: str) -> str:
    """``url``, if the emulator may post there; "" is nobody's.

    Raises:
        ValueError: It is no address of this machine: what people of the emulator say would go out
            into the world, to whoever a real configuration names.
    """
    if not url:
        return url
    try:
        parts = yarl.URL(url)
        is_ours = parts.scheme in ("http", "https") and is_loopback(parts.host_subcomponent or "")
        port = parts.port
    except ValueError:
        is_ours, port = False, None
    if not is_ours or port is None:
        raise ValueError(
            "webhooks go to this machine only: an http or https address with the host 127.0.0.1, "
            "::1 or localhost"
        )
    return url


class Posting:
    """Makes requests, each once."""

    def __init__(self, world: World, wire: Wire, faults: Faults) -> None:
        self.ssl: ssl.SSLContext | None = None
        self.timeout_s = TIMEOUT_S
        self._world = world
        self._wire = wire
        self._faults = faults
        self._session: aiohttp.ClientSession | None = None
        self._free = asyncio.Semaphore(MOST_AT_ONCE)

    async def open(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def secret_for(self, update: Update) -> str:
        """What it is signed with; "": not at all."""
        account = self._world.account
        number = account.number(update.number_id or "")
        return (number.app_secret if number is not None else "") or account.app_secret

    async def post(
        self,
        url: str,
        updates: Sequence[Update],
        attempt: int,
        note: str,
        *,
        is_apart: bool = False,
    ) -> bool:
        """Post ``updates``, all signed alike, together once; whether the answer was 200."""
        async with self._free:
            person = _same([update.person for update in updates])
            notes = [note] if note else []
            secret = self.secret_for(updates[0])
            if self._faults.take("wrong_number", person):
                updates = [_with_foreign_number(update) for update in updates]
                notes.append("wrong_number")
            waba_id = self._world.account.waba_id
            body = dump(envelope(updates, waba_id, spread=is_apart))
            is_right = self._faults.take("bad_signature", person) is None
            if not is_right:
                notes.append("bad_signature")
            headers = dict(HEADERS)
            if secret or not is_right:
                headers["X-Hub-Signature-256"] = sign(body, secret if is_right else BAD_SECRET)
            status = await self.request(
                url,
                body,
                headers,
                is_signed=bool(secret) and is_right,
                what=_what(updates),
                person=person,
                attempt=attempt,
                note=", ".join(notes),
            )
        return status == 200

    async def request(
        self, url: str, body: bytes, headers: Mapping[str, str], **line: object
    ) -> int:
        """Post these bytes once; the status, 0 where there was no answer.

        ``line`` goes to the exchange on the wire.
        """
        exchange = self._wire.begin(
            "webhook",
            "POST",
            _path(url),
            at=self._world.clock.now(),
            request=body.decode("utf-8", "replace"),
            **line,
        )
        status, _ = await self._ask("POST", url, exchange, data=body, headers=headers)
        return status

    async def get(self, url: str, query: Mapping[str, str], what: str) -> tuple[int, bytes]:
        """Ask once; the status, 0 where there was no answer, and the answer's beginning."""
        exchange = self._wire.begin(
            "webhook", "GET", _path(url), at=self._world.clock.now(), what=what
        )
        asked = yarl.URL(url).update_query(query)
        return await self._ask("GET", asked, exchange, headers={"Accept": "*/*"})

    def leave_out(self, update: Update, why: str) -> None:
        """Put on the wire what is not told, and why."""
        exchange = self._wire.begin(
            "webhook",
            "POST",
            "",
            at=self._world.clock.now(),
            what=_what([update]),
            person=update.person,
            note=why,
        )
        self._wire.end(exchange, 0, "", 0)

    async def _ask(
        self,
        method: str,
        url: str | yarl.URL,
        exchange: Exchange,
        *,
        headers: Mapping[str, str],
        data: bytes | None = None,
    ) -> tuple[int, bytes]:
        begun = time.monotonic()
        status, answer = 0, b""
        try:
            if self._session is None:
                raise ConnectionError("the emulator does not run")
            async with self._session.request(
                method,
                url,
                data=data,
                headers=headers,
                allow_redirects=False,
                ssl=self.ssl if self.ssl is not None else True,
                timeout=aiohttp.ClientTimeout(total=self.timeout_s),
            ) as response:
                answer = await _beginning(response.content)
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as failed:
            exchange.note = ", ".join(filter(None, (exchange.note, _why(failed))))
        finally:
            took_ms = (time.monotonic() - begun) * 1000
            self._wire.end(exchange, status, answer.decode("utf-8", "replace"), took_ms)
        return status, answer


async def _beginning(content: aiohttp.StreamReader) -> bytes:
    """As much as is kept; a bot may say more, or never end."""
    said = b""
    while len(said) < MOST_BODY and (more := await content.read(MOST_BODY - len(said))):
        said += more
    return said


def _why(failed: Exception) -> str:
    if isinstance(failed, TimeoutError):
        return "no answer in time"
    if isinstance(failed, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        return "the certificate is not to be trusted"
    if isinstance(failed, aiohttp.ClientConnectorError | ConnectionRefusedError):
        return "nobody listens there"
    return "the connection broke"


def _path(url: str) -> str:
    return yarl.URL(url).raw_path


def _what(updates: Sequence[Update]) -> str:
    sorts = ["statuses" if update.is_status else update.topic for update in updates]
    said = [f"{sort} · {update.what}" for sort, update in zip(sorts, updates, strict=True)]
    return said[0] if len(said) == 1 else f"{len(said)} updates: {', '.join(dict.fromkeys(said))}"


def _same(people: Sequence[str | None]) -> str | None:
    return people[0] if len(set(people)) == 1 else None


def _with_foreign_number(update: Update) -> Update:
    changed = copy.copy(update)
    about = update.value.get("metadata")
    if isinstance(about, dict):
        changed.value = {**update.value, "metadata": {**about, "phone_number_id": FOREIGN_NUMBER}}
    return changed
