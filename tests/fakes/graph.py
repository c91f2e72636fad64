"""The emulator as a test of the daemon holds it: everybody can be written to, no rule is kept.

    async with FakeGraph() as graph:
        ...                                    # graph.url is the base address
        await graph.wait_for(2)
        assert graph.bodies("491701234567") == ["hello", "world"]

By default everything well-formed is accepted. `FakeGraph.queue` gives the next calls another
behaviour, `FakeGraph.plan` decides call by call. With `FakeGraph.report_to` the statuses of what
was accepted are posted as signed webhooks, again and again until they are answered with 200, as
Meta does.
"""

import asyncio
from collections import UserDict, deque
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, cast

from openparallax.emulator import Account, Emulator, Message, Number, Rules, Token
from openparallax.emulator.graph.errors import GraphError
from openparallax.emulator.webhooks import payloads
from openparallax.emulator.world import Status
from tests.fakes.behaviours import (
    Behaviour,
    Call,
    cut_after_accepting,
    cut_before_accepting,
    error,
    garbage,
    http_500_after_accepting,
    http_500_before_accepting,
    ok,
    slow,
)

__all__ = [
    "Behaviour",
    "Call",
    "FakeGraph",
    "cut_after_accepting",
    "cut_before_accepting",
    "error",
    "garbage",
    "http_500_after_accepting",
    "http_500_before_accepting",
    "ok",
    "slow",
]


class AnyAccount(Account):
    """Has every number that is asked for, unless it is said whose token is whose."""

    def number(self, number_id: str) -> Number | None:
        found = super().number(number_id)
        if found is None and not self.tokens and number_id.isdecimal():
            found = Number(id=number_id, display_phone_number="15550001111")
            self.numbers.append(found)
        return found


class Tokens(UserDict[str, str]):
    """By phone number id the token that sends for it; told to the account with each change."""

    def __init__(self, account: Account, tokens: Mapping[str, str]) -> None:
        self._account = account
        super().__init__(tokens)

    def __setitem__(self, number_id: str, token: str) -> None:
        super().__setitem__(number_id, token)
        self._account.tokens = {}
        self._account.number(number_id)  # it is there from now on
        self._account.tokens = {
            value: Token(value=value, target_ids=tuple(one for one in self if self[one] == value))
            for value in self.values()
        }


class FakeGraph:
    """Graph on loopback; all lists may be read and cleared by the test.

    Attributes:
        emulator: What really answers.
        calls: Every send that arrived, in order of arrival.
        accepted: Those that Graph took, in order: what people have on their phones.
        reads: Bodies of the requests that mark as read or show typing; they are no sends.
        presence: Of those that were well-formed, in order of arrival: phone number id, wamid of the
            contact's message, and whether typing is shown.
        presence_mood: How requests for presence fare; None is well.
        plan: Decides the behaviour of each call that `queue` says nothing about.
    """

    def __init__(self) -> None:
        self._account = AnyAccount(numbers=[])
        self.emulator = Emulator(
            account=self._account,
            people=[],
            rules=Rules(window=False, pair_rate=False, throughput=False, allow_list=False),
            meets_strangers=True,
        )
        self.url = ""
        self.calls: list[Call] = []
        self.accepted: list[Call] = []
        self.reads: list[dict[str, Any]] = []
        self.presence: list[tuple[str, str, bool]] = []
        self.presence_mood: Behaviour | None = None
        self.plan: Callable[[Call], Behaviour] | None = None
        self._tokens = Tokens(self._account, {})
        self._queue: deque[Behaviour] = deque()
        self._held: list[asyncio.Event] = []
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        sending = self.emulator.sending
        sending.plan = self._behaviour
        sending.presence_plan = lambda _: self.presence_mood or ok()
        sending.on_call = self._note_call
        sending.on_presence = self._note_presence
        self.emulator.statuses.plan = lambda _: ()

    async def __aenter__(self) -> Self:
        await self.emulator.start()
        self.url = self.emulator.url
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.emulator.close()
        assert list(self.emulator.graph.broken) == []

    async def stop_listening(self) -> None:
        """Nobody answers any more at `url`."""
        await self.emulator._server.close()

    async def listen_again(self) -> None:
        """Answer at `url` as before."""
        await self.emulator._server.start(int(self.url.rpartition(":")[2]))

    # what a test says

    @property
    def tokens(self) -> Tokens:
        """By phone number id the token that sends for it; empty lets every token in.

        Another token meets 190, that of another number 200, another number 33.
        """
        return self._tokens

    @tokens.setter
    def tokens(self, tokens: Mapping[str, str]) -> None:
        self._account.tokens = {}
        self._tokens = Tokens(self._account, tokens)

    def queue(self, *behaviours: Behaviour) -> None:
        """The next calls, one behaviour each, before `plan` is asked again."""
        self._queue.extend(behaviours)

    def hang(self, *, accepts: bool = False) -> Behaviour:
        """No answer until `release` is called or the fake is closed."""
        return Behaviour(accepts=accepts, waits_for=self.emulator.sending.released)

    def release(self) -> None:
        """Answer what hangs; later calls hang again."""
        self.emulator.sending.release()

    def report_to(
        self,
        url: str,
        app_secret: str,
        statuses: Callable[[Call], Sequence[str]] = lambda _: ("sent", "delivered"),
        *,
        pause_s: float = 0.05,
    ) -> None:
        """From now on post the statuses of accepted messages to ``url``, each until it gets 200.

        Args:
            statuses: Which, in this order; ``failed:131026`` is a failure with that code.
            pause_s: Between two tries of one status, at first; no pause is longer than ten of
                these: who was away for a while is told soon after.

        Said again, as after a restart on another port, it holds for what is under way too.
        """
        self._account.app_secret = app_secret
        self.emulator.delivery.pause_s = pause_s
        self.emulator.delivery.longest_pause_s = 10 * pause_s
        self.emulator.delivery.url = url

        def plan(message: Message) -> list[tuple[float, Status]]:
            names = [name.partition(":") for name in statuses(self._call_of(message))]
            for _, _, code in names:
                if code:
                    message.errors = [GraphError(int(code)).as_status_error()]
            return [(0.0, cast("Status", name)) for name, _, _ in names]

        self.emulator.statuses.plan = plan

    # what a test sees

    @property
    def strays(self) -> list[str]:
        """Paths of requests that Graph has no answer for."""
        return [path for _, path in self.emulator.graph.strays]

    @property
    def hanging(self) -> int:
        """How many calls have no answer because the test holds it back."""
        return sum(not event.is_set() for event in self._held)

    def bodies(self, to: str, *, phone_number_id: str | None = None) -> list[str]:
        """The texts that ``to`` really got, in order; from one of our numbers only, if named."""
        return [
            call.body
            for call in self.accepted
            if call.to == to.removeprefix("+") and phone_number_id in (None, call.phone_number_id)
        ]

    async def wait_for(self, count: int, timeout_s: float = 25) -> None:
        """Return once ``count`` messages have been accepted in all; fail loudly after a time."""
        await self._until(lambda: len(self.accepted) >= count, timeout_s)

    async def wait_for_calls(self, count: int, timeout_s: float = 25) -> None:
        """Return once ``count`` sends have arrived in all, accepted or not."""
        await self._until(lambda: len(self.calls) >= count, timeout_s)

    async def reported(self, timeout_s: float = 25) -> None:
        """Return once every status so far has been answered with 200."""
        await asyncio.wait_for(self.emulator.settled(), timeout_s)

    def statuses(self, call: Call, *names: str) -> list[dict[str, Any]]:
        """Entries for ``statuses[]`` of a webhook, as Meta writes them, in this order."""
        message = self.emulator.world.message(call.wamid)
        assert message is not None
        updates = [payloads.status(self.emulator.world, message, name) for name in names]
        return [update.value["statuses"][0] for update in updates]

    async def _until(self, is_so: Callable[[], bool], timeout_s: float) -> None:
        if is_so():
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((is_so, future))
        try:
            await asyncio.wait_for(future, timeout_s)
        except TimeoutError:
            seen = f"{len(self.calls)} calls, {len(self.accepted)} accepted"
            raise AssertionError(f"after {timeout_s} s: {seen}") from None

    # what the emulator asks and tells

    def _behaviour(self, call: Call) -> Behaviour:
        behaviour = self._next(call)
        if behaviour.waits_for is not None:
            self._held.append(behaviour.waits_for)
        return behaviour

    def _next(self, call: Call) -> Behaviour:
        if self._queue:
            return self._queue.popleft()
        return self.plan(call) if self.plan is not None else ok()

    def _call_of(self, message: Message) -> Call:
        calls = reversed(self.emulator.sending.calls)
        return next(call for call in calls if call.wamid == message.wamid)

    def _note_call(self, call: Call) -> None:
        self.calls.append(call)
        accepted = self.emulator.sending.accepted
        if accepted and accepted[-1] is call:
            self.accepted.append(call)
        self._tell()

    def _note_presence(self) -> None:
        sending = self.emulator.sending
        self.reads.extend(sending.reads)
        self.presence.extend(sending.presence)
        sending.reads.clear()
        sending.presence.clear()
        self._tell()

    def _tell(self) -> None:
        for is_so, future in self._waiting:
            if not future.done() and is_so():
                future.set_result(None)
        self._waiting = [(is_so, future) for is_so, future in self._waiting if not future.done()]
