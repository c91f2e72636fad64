"""Posting webhooks: signed, together or alone, again and again until the answer is 200."""

import asyncio
import json
import secrets
from collections.abc import Iterator
from ssl import SSLContext

from openparallax.emulator.faults import Faults
from openparallax.emulator.webhooks.holding import Holding
from openparallax.emulator.webhooks.lanes import Lanes, Notification
from openparallax.emulator.webhooks.posting import Posting, check_address
from openparallax.emulator.webhooks.update import Update
from openparallax.emulator.wire import Wire
from openparallax.emulator.world import Message, World

__all__ = ["Delivery", "Update"]

LONGEST_PAUSE_S = 60.0
GIVEN_UP_AFTER_S = 7 * 86_400.0
MOST_WAITING = 20_000
OVERRIDABLE = frozenset(
    {
        "messages",
        "message_echoes",
        "calls",
        "consumer_profile",
        "messaging_handovers",
        "group_lifecycle_update",
        "group_participants_update",
        "group_settings_update",
        "group_status_update",
        "smb_message_echoes",
        "smb_app_state_sync",
        "history",
        "account_settings_update",
    }
)
"""Topics that go to the address of the number or business account, where they have one."""


class Delivery:
    """Posts updates to the bot.

    A try that is not answered with 200 is repeated at once, then after 1, 2, 4, … up to 60 seconds
    of the emulator's clock, for seven days. What is told of one person keeps its order; people do
    not wait for one another. What the bot was not subscribed to when it happened is never told.

    Attributes:
        pause_s: The first pause between two tries; the next are twice as long each.
        longest_pause_s: No pause is longer.
        timeout_s: Real seconds until a try has failed.

    Source:
        Meta's pages on webhooks; its own intervals are not published (unsure).
    """

    def __init__(self, world: World, wire: Wire, faults: Faults) -> None:
        self.pause_s = 1.0
        self.longest_pause_s = LONGEST_PAUSE_S
        self._url = ""
        self._world = world
        self._faults = faults
        self._posting = Posting(world, wire, faults)
        self._lanes = Lanes(self._carry)
        self._lanes.on_end = self._look_whether_settled
        self._holding = Holding(world.clock, faults, self._way_of, self._lanes.put)
        self._pausing: set[asyncio.Future[None]] = set()
        self._hurries = 0
        self._settling: list[asyncio.Future[None]] = []

    @property
    def url(self) -> str:
        """Where the bot listens; "" while nobody does: what there is waits.

        Raises:
            ValueError: When it is set: it is not on this machine.
        """
        return self._url

    @url.setter
    def url(self, url: str) -> None:
        self._url = check_address(url)
        self.hurry()

    @property
    def ssl(self) -> SSLContext | None:
        """How its certificate is checked; None: as usual.

        Meta wants a public one; a bot on this machine may have its own.
        """
        return self._posting.ssl

    @ssl.setter
    def ssl(self, context: SSLContext | None) -> None:
        self._posting.ssl = context

    @property
    def timeout_s(self) -> float:
        return self._posting.timeout_s

    @timeout_s.setter
    def timeout_s(self, seconds: float) -> None:
        self._posting.timeout_s = seconds

    async def start(self) -> None:
        await self._posting.open()
        self._lanes.open()

    async def close(self) -> None:
        """Stop; what was not taken is forgotten."""
        self._holding.close()
        await self._lanes.close()
        await self._posting.close()
        self._look_whether_settled()

    def post(self, update: Update) -> None:
        """Put down one update; it is posted as soon as can be, in order, by person.

        Once the bot answered 200 to a message its status is ``delivered``.

        Raises:
            ValueError: It cannot be written as JSON.
        """
        try:
            json.dumps(update.value, allow_nan=False)
        except (TypeError, RecursionError):
            raise ValueError("a webhook holds what JSON can say") from None
        why_not = self._why_not(update)
        if why_not:
            self._posting.leave_out(update, why_not)
            return
        self._holding.put(update)

    def leave_out(self, update: Update, why: str) -> None:
        """Do not tell of it; the wire says why."""
        self._posting.leave_out(update, why)

    async def post_raw(self, body: bytes, headers: dict[str, str]) -> int:
        """Post these bytes once, as they are; the status, 0 where there was no answer."""
        if not self._address():
            return 0
        return await self._posting.request(self._address(), body, headers, what="raw")

    async def settled(self) -> None:
        """Return once nothing waits to be posted. May never return while the bot is down."""
        if self.waiting:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._settling.append(future)
            await future

    @property
    def waiting(self) -> int:
        """Updates that have not been taken yet."""
        return self._lanes.updates + self._holding.updates

    def hurry(self) -> None:
        """Try again now what waits for its next try: the bot is back."""
        self._hurries += 1
        for pause in self._pausing:
            if not pause.done():
                pause.set_result(None)

    async def handshake(
        self, url: str | None = None, verify_token: str | None = None
    ) -> tuple[int, bool]:
        """Ask as the dashboard does; the status and whether the challenge came back unchanged.

        Args:
            url: Another address than the bot's, as for an override.
            verify_token: Another than the account's.

        Raises:
            ValueError: ``url`` is not on this machine.
        """
        address = self._address() if url is None else check_address(url)
        if not address:
            return 0, False
        challenge = str(secrets.randbelow(10**10))
        token = self._world.account.verify_token if verify_token is None else verify_token
        query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": token}
        status, answer = await self._posting.get(address, query, "handshake")
        return status, status == 200 and answer == challenge.encode()

    # the way of one notification

    async def _carry(self, notification: Notification) -> None:
        clock = self._world.clock
        await clock.sleep(notification.due - clock.monotonic())
        while notification.copies:
            if clock.now() - notification.since > GIVEN_UP_AFTER_S:
                self._posting.leave_out(notification.updates[0], "given up after seven days")
                return
            address = self._address(notification.updates[0])
            if not address:
                await self._pause(LONGEST_PAUSE_S)
                continue
            hurries, attempt = self._hurries, notification.failures + 1
            self._begin(notification)
            taken = await self._posting.post(
                address,
                notification.updates,
                attempt,
                notification.note,
                is_apart=notification.is_apart,
            )
            if taken:
                notification.copies -= 1
                self._tell_taken(notification)
            else:
                # Somebody may have hurried while a try was failing: then it is repeated at once.
                if hurries == self._hurries:
                    await self._pause(self._pause_after(notification.failures))
                notification.failures += 1

    def _pause_after(self, failures: int) -> float:
        """Seconds until the next try; the first follows at once."""
        if failures == 0:
            return 0.0
        return float(min(self.pause_s * 2.0 ** min(failures - 1, 30), self.longest_pause_s))

    async def _pause(self, seconds: float) -> None:
        """Wait, or until somebody hurries."""
        if seconds <= 0:
            return
        pause: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pausing.add(pause)
        timer = self._world.clock.call_later(
            seconds, lambda: None if pause.done() else pause.set_result(None)
        )
        try:
            await pause
        finally:
            timer.cancel()
            self._pausing.discard(pause)

    def _begin(self, notification: Notification) -> None:
        """From here on the bot may answer, even before its 200 is here."""
        if not notification.was_taken:
            for message in self._of_people(notification):
                chat = self._world.chat(message.number_id, message.person)
                chat.heard_at = self._world.clock.now()

    def _tell_taken(self, notification: Notification) -> None:
        """Those whose message the bot has now see two ticks."""
        if notification.was_taken:
            return
        notification.was_taken = True
        for message in self._of_people(notification):
            self._world.move_up(message, "delivered")

    def _of_people(self, notification: Notification) -> Iterator[Message]:
        """What people wrote, of what this tells."""
        for update in notification.updates:
            message = self._world.message(update.wamid or "")
            if message is not None and not message.is_ours and not update.is_status:
                yield message

    def _look_whether_settled(self) -> None:
        if self.waiting:
            return
        for future in self._settling:
            if not future.done():
                future.set_result(None)
        self._settling.clear()

    # where to, and whether

    def _address(self, update: Update | None = None) -> str:
        """The address for this update, or the bot's; "" where there is none on this machine."""
        account = self._world.account
        addresses: list[str | None] = [self._url, account.subscription.callback_url]
        if update is not None and update.topic in OVERRIDABLE:
            number = account.number(update.number_id or "")
            overrides = [number.webhook_override if number else None, account.waba_override]
            addresses = [*overrides, *addresses]
        found = next(filter(None, addresses), "")
        try:
            return check_address(found)
        except ValueError:
            return ""

    def _way_of(self, update: Update) -> tuple[str, str]:
        return self._address(update), self._posting.secret_for(update)

    def _why_not(self, update: Update) -> str:
        """Why the bot is not told of it; "" if it is."""
        account = self._world.account
        subscription = account.subscription
        if not account.is_live:
            return "not told: the app is in development mode"
        if account.app_id not in account.subscribed_apps:
            return "not told: the app is not subscribed to the business account"
        if not subscription.is_active:
            return "not told: the app's subscription is not active"
        if update.topic not in subscription.fields:
            return f"not told: the app is not subscribed to {update.topic}"
        if self.waiting >= MOST_WAITING:
            return "not told: too much waits for the bot already"
        return ""
