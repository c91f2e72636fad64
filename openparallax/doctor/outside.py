"""The public address from outside in: what Meta would meet there.

Asked are our own callback's handshake with the right and a wrong word, and its door for messages
with a right and a wrong signature; what is signed holds no message, so the daemon keeps nothing.

Source:
    facts page, sections 3 (what Meta expects of a callback) and 14, check 10.
"""

import asyncio
import secrets
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Final

import aiohttp
from yarl import URL

from openparallax import __version__
from openparallax.doctor.calling import (
    FORWARD,
    PATIENCE_S,
    REQUEST_TOO_LARGE,
    Caller,
    LookUp,
    Met,
    about,
    is_public,
    look_up,
    see_large,
)
from openparallax.doctor.certificate import see_end
from openparallax.doctor.daemon import Running, ask_counts
from openparallax.doctor.finding import Finding, Group, Notes
from openparallax.doctor.hooks import shown
from openparallax.doctor.subject import Subject

LARGE_PATIENCE_S: Final = 30.0
"""For three megabytes, which take their time over a household's line."""
LARGE: Final = 3 * 1024 * 1024
SLOW_S: Final = 1.0
_EMPTY: Final = b'{"object":"whatsapp_business_account","entry":[]}'
_SILENT: Final = "No message of a person reaches the daemon."


class Outside:
    """Examines the public address of one number.

    Args:
        trust: What certificates are judged by; None: as the system does.
        now: Our own clock, unix seconds.
    """

    def __init__(
        self,
        subject: Subject,
        running: Running,
        *,
        now: Callable[[], float] = time.time,
        trust: ssl.SSLContext | None = None,
        look_up: LookUp = look_up,
    ) -> None:
        self._subject = subject
        self._running = running
        self._now = now
        self._trust = trust or ssl.create_default_context()
        self._look_up = look_up
        self.notes = Notes(Group.OUTSIDE, subject.phone_number_id)

    async def see(self) -> list[Finding]:
        """All of it; the handshake decides whether there is more to ask."""
        notes, url = self.notes, self._subject.callback_url
        if not url:
            notes.note(
                "outside.address",
                "What Meta meets at the public address could not be examined: public_url is not"
                " configured.",
                to_do=f"Write public_url: https://... into {self._subject.place}.",
            )
            return notes.found
        parts = URL(url)
        if not await self._see_address(parts):
            return notes.found
        connector = aiohttp.TCPConnector(ssl=self._trust)
        async with aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": f"openparallax/{__version__} (doctor)"},
        ) as session:
            self._caller = Caller(session, url)
            before = await ask_counts(self._running)
            if await self._see_handshake(url):
                await self._see_certificate(parts)
                await asyncio.gather(self._see_wrong_word(url), self._see_signatures(url))
                await self._see_whose(before)
                self._see_latency()
        return notes.found

    # -- the way there --------------------------------------------------------------------------

    async def _see_address(self, url: URL) -> bool:
        host, port = url.host or "", url.port or 443
        try:
            async with asyncio.timeout(PATIENCE_S):
                addresses = await self._look_up(host, port)
        except (OSError, TimeoutError, UnicodeError):
            addresses = []
        if not addresses:
            self.notes.failure(
                "outside.address",
                f"The name {host} of public_url has no address.",
                why=_SILENT,
                to_do="Set its A or AAAA record where your domain's DNS is kept, or mend the name.",
                command=f"getent hosts {host}",
            )
            return False
        inside = [one for one in addresses if not is_public(one)]
        if host in inside or (host == "localhost" and "127.0.0.1" in inside):
            self.notes.failure(
                "outside.address",
                f"Meta cannot reach {host}: it is not of the internet.",
                why=_SILENT,
                to_do="Set public_url to the name of your proxy or tunnel on the internet.",
            )
            return False
        if inside:
            self.notes.warning(
                "outside.address",
                f"Here the name {host} has the address {inside[0]}, which is not of the internet.",
                why="If it is so for Meta too, nothing comes; and what is examined below is seen"
                " from inside your network.",
                to_do="Ask a resolver outside, too.",
                command=f"dig +short {host} @1.1.1.1",
            )
        return True

    async def _see_certificate(self, url: URL) -> None:
        """It was trusted, name and chain, or there would have been no handshake."""
        if url.scheme != "https":
            return
        writer = None
        try:
            async with asyncio.timeout(PATIENCE_S):
                _, writer = await asyncio.open_connection(
                    url.host, url.port or 443, ssl=self._trust, server_hostname=url.host
                )
            secured = writer.get_extra_info("ssl_object")
            der = secured.getpeercert(binary_form=True) or b""
        except (OSError, TimeoutError):
            return
        finally:
            if writer is not None:
                writer.transport.abort()
        see_end(self.notes, "outside.certificate", "the certificate", der, self._now())

    # -- the handshake --------------------------------------------------------------------------

    async def _see_handshake(self, url: str) -> bool:
        challenge = secrets.token_hex(8)
        met = await self._caller.shake_hands(self._subject.verify_token, challenge)
        if met.status == 200 and met.text == challenge:
            self.notes.ok("outside.handshake", f"{shown(url)} answers Meta's handshake.")
            return True
        if met.status == 0:
            self._not_reached(url, met)
            return False
        if self._is_down() and met.status >= 500:
            self._none_yet(url)
            return False
        says, to_do = about(met)
        self.notes.failure("outside.handshake", says, why=_SILENT, to_do=to_do)
        return False

    def _is_down(self) -> bool:
        """No daemon runs on this machine, so that nothing could have answered."""
        return not self._running.is_running and not self._running.trouble

    def _not_reached(self, url: str, met: Met) -> None:
        if met.distrust is not None:
            what, to_do = met.distrust
            self.notes.failure(
                "outside.certificate",
                f"The certificate of {shown(url)} {what}.",
                why=f"Meta calls nobody whose certificate it does not trust. {_SILENT}",
                to_do=to_do,
            )
            return
        if self._is_down():
            self._none_yet(url)
            return
        self.notes.failure(
            "outside.reachable",
            f"{shown(url)} {met.trouble}.",
            why=_SILENT,
            to_do="See that the proxy or tunnel runs and the firewall lets port 443 in. Some"
            " routers do not let a machine call its own public address: then try from elsewhere.",
            command=f"curl -sS -o /dev/null -w '%{{http_code}}\\n' {url}",
        )

    def _none_yet(self, url: str) -> None:
        self.notes.note(
            "outside.reachable",
            f"Nothing answers at {shown(url)}, since the daemon does not run.",
            to_do="Start it, and run the doctor again.",
        )

    async def _see_wrong_word(self, url: str) -> None:
        challenge = secrets.token_hex(8)
        met = await self._caller.shake_hands(f"wrong-{secrets.token_hex(8)}", challenge)
        if met.status == 200 and challenge in met.text:
            self.notes.failure(
                "outside.verify",
                f"{shown(url)} answers the handshake to any verify token.",
                why="Something else than this daemon answers there, or answers in its place.",
                to_do=FORWARD,
            )
        elif met.status:
            self.notes.ok("outside.verify", "A wrong verify token is refused.")

    # -- messages -------------------------------------------------------------------------------

    async def _see_signatures(self, url: str) -> None:
        if not self._subject.app_secrets:
            return  # that nothing is signed is told elsewhere
        wrong = await self._caller.post(_EMPTY, secrets.token_hex(16))
        if 200 <= wrong.status < 300:
            self.notes.failure(
                "outside.signature",
                f"{shown(url)} accepts what is wrongly signed ({wrong.status}).",
                why="Anybody can pose as Meta; or something else than this daemon answers there.",
                to_do=FORWARD,
            )
            return
        right = await self._caller.post(_EMPTY, self._subject.app_secrets[0])
        if right.status != 200:
            self._not_taken(url, right)
            return
        self.notes.ok(
            "outside.signature", "What is signed is taken, what is wrongly signed is not."
        )
        body, secret = _EMPTY + b" " * (LARGE - len(_EMPTY)), self._subject.app_secrets[0]
        large = await self._caller.post(body, secret, patience_s=LARGE_PATIENCE_S)
        if not large.status:
            # Who refuses it may have closed before all was sent, and its answer is lost.
            told = await self._caller.post(body, secret, asks_first=True)
            large = told if told.status == REQUEST_TOO_LARGE else large
        see_large(self.notes, large)

    def _not_taken(self, url: str, met: Met) -> None:
        if met.status in (401, 403):
            self.notes.failure(
                "outside.signature",
                f"{shown(url)} refuses what is rightly signed ({met.status}).",
                why=f"It refuses Meta's messages for the same. {_SILENT}",
                to_do="If the app secret was changed, have the daemon read it (openparallax reload,"
                " or restart it). Else something on the way changes the body or takes the header"
                " X-Hub-Signature-256 away, or wants a login.",
            )
        elif met.status == 503:
            self.notes.failure(
                "outside.signature",
                f"{shown(url)} answers 503: the daemon cannot store, or nothing stands behind the"
                " proxy.",
                why="Meta brings its messages again for some days, then they are lost.",
                to_do="See openparallax status and the daemon's log.",
            )
        else:
            says, to_do = about(met) if met.status else (f"{shown(url)} {met.trouble}.", FORWARD)
            self.notes.failure("outside.signature", says, why=_SILENT, to_do=to_do)

    # -- whose answers they were ----------------------------------------------------------------

    async def _see_whose(self, before: Mapping[str, float] | None) -> None:
        """Our daemon counts what comes: it must have counted ours."""
        after = await ask_counts(self._running) if before is not None else None
        if before is None or after is None:
            return
        if after.get("verified", 0) > before.get("verified", 0):
            self.notes.ok("outside.ours", "It is this machine's daemon that answers there.")
        else:
            self.notes.failure(
                "outside.ours",
                "Another daemon answers at public_url, not the one that runs here.",
                why="Messages go to that one; it knows the same verify token.",
                to_do="Point the proxy or tunnel at this machine, or look after the other one.",
            )

    def _see_latency(self) -> None:
        ms = self._caller.quickest_s * 1000
        if self._caller.quickest_s > SLOW_S:
            self.notes.warning(
                "outside.latency",
                f"It takes {ms:.0f} ms to answer.",
                why="Meta wants most answers within 250 ms and hardly any after a second; it brings"
                " again what it gave up on.",
                to_do="See the proxy, the tunnel and the disk.",
            )
        else:
            self.notes.ok("outside.latency", f"It answers within {ms:.0f} ms.")
