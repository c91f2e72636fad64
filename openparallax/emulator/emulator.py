"""All of it together: what ``openparallax dev``, scenarios and tests hold in their hands."""

import re
from types import TracebackType
from typing import Self

from openparallax.clock import Clock, SystemClock
from openparallax.emulator.account import Account
from openparallax.emulator.acts import Acts
from openparallax.emulator.clock import MovableClock
from openparallax.emulator.daemon_side import DaemonSide
from openparallax.emulator.faults import Faults
from openparallax.emulator.graph.api import GraphApi
from openparallax.emulator.graph.management import Management
from openparallax.emulator.graph.media import Media
from openparallax.emulator.graph.rules import Gate, Rules
from openparallax.emulator.graph.sending import Sending
from openparallax.emulator.people import Person, cast
from openparallax.emulator.phone.page import PATHS, Page
from openparallax.emulator.server import Server
from openparallax.emulator.webhooks.delivery import Delivery
from openparallax.emulator.webhooks.statuses import Ladder, Statuses
from openparallax.emulator.wire import Wire, as_data
from openparallax.emulator.world import World


class Emulator(Acts):
    """WhatsApp for one business, on this machine.

    ::

        async with Emulator() as emulator:
            emulator.delivery.url = "http://127.0.0.1:9443/webhook"
            emulator.say("ann", "hello")                 # posts a signed webhook
            emulator.url                                 # what a bot takes for Graph's address

    Attributes:
        world: Everything that is known.
        sending: What the bot sent.
        delivery: Where webhooks go, and what waits to go there.
        statuses: What becomes of the bot's messages.
        faults: Switches.
        rules: Which of the platform's rules are kept.
        clock: May be moved.
        daemon: Told by whoever runs one; None: the bot is somebody else's.
    """

    def __init__(
        self,
        *,
        account: Account | None = None,
        people: list[Person] | None = None,
        clock: Clock | None = None,
        rules: Rules | None = None,
        ladder: Ladder | None = None,
        meets_strangers: bool = False,
    ) -> None:
        self.clock = MovableClock(clock or SystemClock())
        world = World(
            account or Account(),
            cast() if people is None else people,
            self.clock,
            meets_strangers=meets_strangers,
        )
        self.rules = rules or Rules()
        self.faults = Faults()
        self.wire = Wire()
        delivery = Delivery(world, self.wire, self.faults)
        statuses = Statuses(world, delivery, self.faults, ladder or Ladder())
        super().__init__(world, delivery, statuses, Media(world))
        self.sending = Sending(self.world, Gate(self.world, self.rules), self.faults, self.statuses)
        self.management = Management(self.world, self.delivery, self.media)
        self.graph = GraphApi(
            self.world,
            self.wire,
            self.sending.routes(),
            self.media.routes(),
            self.management.routes(),
            faults=self.faults,
            rules=self.rules,
        )
        self.daemon: DaemonSide | None = None
        self.page = Page(self)
        self._server = Server(self.graph.answer, self.page.answer, _is_of_page)
        feed = self.world.feed
        self.wire.on_change = lambda exchange: feed.tell("wire", exchange=as_data(exchange))
        self.faults.on_change = lambda: feed.tell("faults", faults=self.faults.as_data())
        self.clock.on_move = self._tell_moved

    @property
    def url(self) -> str:
        """The address that stands in place of ``https://graph.facebook.com``."""
        return self._server.url

    async def start(self, port: int = 0) -> None:
        """Listen on loopback; 0: any free port.

        Raises:
            OSError: The port is not to be had.
        """
        await self._server.start(port)
        self.media.base_url = self.url
        await self.delivery.start()

    async def close(self) -> None:
        """End everything; what is in memory stays to be looked at."""
        self.sending.release()
        self.world.feed.close()
        await self.page.close()
        await self.statuses.close()
        await self.delivery.close()
        await self._server.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def _tell_moved(self) -> None:
        self.world.feed.tell("clock", now=self.clock.now())
        self.delivery.hurry()

    async def settled(self) -> None:
        """Return once no status is to come and every webhook was taken.

        May never return while the bot is down, or the clock stands.
        """
        while self.statuses.waiting or self.delivery.waiting:
            await self.statuses.settled()
            await self.delivery.settled()


_PAGE = re.compile("|".join(f"{re.escape(path)}(/.*)?" for path in PATHS if path != "/"))


def _is_of_page(path: str) -> bool:
    return path == "/" or _PAGE.fullmatch(path) is not None
