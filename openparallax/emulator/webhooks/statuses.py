"""How a message that was accepted becomes sent, delivered and read, and how the bot is told."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from openparallax.clock import Timer
from openparallax.emulator.faults import Faults
from openparallax.emulator.graph.errors import GraphError
from openparallax.emulator.webhooks import payloads
from openparallax.emulator.webhooks.delivery import Delivery
from openparallax.emulator.world import Message, Status, World

UNDELIVERABLE = 131026


@dataclass(slots=True)
class Ladder:
    """What becomes of a message by itself, and when: seconds after it was accepted.

    ``read`` is not in it by default: somebody must look at the chat (`Statuses.read`).
    """

    steps: Sequence[tuple[float, Status]] = ((0.05, "sent"), (0.3, "delivered"))


class Statuses:
    """Climbs the ladder for each accepted message."""

    def __init__(self, world: World, delivery: Delivery, faults: Faults, ladder: Ladder) -> None:
        self.ladder = ladder
        self.plan: Callable[[Message], Sequence[tuple[float, Status]]] | None = None
        """Decides the steps of each message instead of the ladder, if set; told as they are, even
        those that are no step up. ``failed`` says 131026, unless `Message.errors` says more."""
        self._world = world
        self._delivery = delivery
        self._faults = faults
        self._timers: dict[int, Timer] = {}
        self._last = 0
        self._settling: list[asyncio.Future[None]] = []

    def begin(self, message: Message, *, fails_with: int | None = None) -> None:
        """Start climbing. Nobody can be reached who has no phone: 131026 follows instead.

        Args:
            message: One that was accepted.
            fails_with: The code with which it will fail, where that is known already.
        """
        if self.plan is not None:
            for after_s, name in self.plan(message):
                self._later(after_s, lambda name=name: self._tell(message, name))  # type: ignore[misc]
            return
        steps = self.ladder.steps
        first_s = steps[0][0] if steps else 0.0
        fault = self._faults.take("fail", message.person)
        person = self._world.people.get(message.person)
        if fault is not None:
            code = int(fault.value)
            self._later(first_s, lambda: self.fail(message, code))
        elif fails_with is not None:
            self._later(first_s, lambda: self.fail(message, fails_with))
        elif person is None or not person.is_reachable:
            self._later(first_s, lambda: self.fail(message, UNDELIVERABLE))
        else:
            for after_s, name in steps:
                # Meta tells of reactions only that they were sent.
                if message.kind != "reaction" or name == "sent":
                    self._later(after_s, lambda name=name: self._climb(message, name))  # type: ignore[misc]

    def fail(self, message: Message, code: int) -> None:
        """It could not be delivered, for this reason; the bot is told by status.

        A message that has been delivered has not failed.
        """
        if message.status not in ("accepted", "sent"):
            return
        message.errors = [GraphError(code).as_status_error()]
        self._tell(message, "failed")

    def read(self, number_id: str, person: str) -> None:
        """The person looks at the chat: everything delivered in it is read.

        Meta tells ``read`` alone of what had only been sent: the chat was open when it came.
        """
        for message in self._world.chat(number_id, person).messages:
            is_there = message.status in ("sent", "delivered")
            if message.is_ours and not message.echo and message.kind != "reaction" and is_there:
                self._climb(message, "read")

    def played(self, message: Message) -> None:
        """The person listened to a voice note.

        Raises:
            LookupError: It is none of the business's voice notes.
        """
        if not message.is_ours or message.kind != "audio":
            raise LookupError("this is no voice note of the business")
        if message.status in ("sent", "delivered"):
            self._climb(message, "read")
        if message.status == "read":
            self._climb(message, "played")

    async def settled(self) -> None:
        """Return once nobody is on the ladder."""
        if self._timers:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._settling.append(future)
            await future

    @property
    def waiting(self) -> int:
        """Steps that are still to come."""
        return len(self._timers)

    async def close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._look_whether_settled()

    def _climb(self, message: Message, name: Status) -> None:
        if self._world.move_up(message, name):
            self._post(message, name)

    def _tell(self, message: Message, name: Status) -> None:
        """Set it if it is a step up, and tell of it in any case."""
        if name != "failed":
            self._world.move_up(message, name)
        else:
            message.errors = message.errors or [GraphError(UNDELIVERABLE).as_status_error()]
            if message.status in ("accepted", "sent"):
                message.status = "failed"
            self._world.tell(message)
        self._post(message, name)

    def _post(self, message: Message, name: Status) -> None:
        update = payloads.status(self._world, message, name)
        dropped = self._faults.look("drop_status", message.person)
        if dropped is not None and dropped.value in ("", name):
            self._faults.take("drop_status", message.person)
            self._delivery.leave_out(update, "drop_status")
        else:
            self._delivery.post(update)

    def _later(self, after_s: float, call: Callable[[], None]) -> None:
        self._last += 1
        number = self._last

        def fire() -> None:
            del self._timers[number]
            call()
            self._look_whether_settled()

        self._timers[number] = self._world.clock.call_later(after_s, fire)

    def _look_whether_settled(self) -> None:
        if self._timers:
            return
        for future in self._settling:
            if not future.done():
                future.set_result(None)
        self._settling.clear()
