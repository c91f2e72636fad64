"""What may not be said now: the window, the rates, the allow-list of a test number."""

from dataclasses import dataclass
from typing import Final

from openparallax.emulator.account import Number
from openparallax.emulator.graph.errors import GraphError
from openparallax.emulator.people import Person
from openparallax.emulator.world import World

PAIR_BURST: Final = 45
PAIR_EVERY_S: Final = 6.0
COEXISTING_PER_S: Final = 20
"""Throughput of a number that is on a phone as well. Source: facts, section 9."""
MOST_PAIRS: Final = 10_000
"""Pairs whose rates are remembered; the ones that have not spoken for longest are forgotten."""

_ONE: Final = 1 - 1e-6
"""One send, but for what sums of fractions lose."""
_LOCKED: Final = frozenset({"BANNED", "RESTRICTED"})
_SENDING: Final = frozenset({"CONNECTED", "FLAGGED", "RATE_LIMITED"})


@dataclass(slots=True)
class Rules:
    """Which of the platform's rules are kept; each may be switched at any time."""

    window: bool = True
    """131047: free-form messages only within 24 hours of the person's last one."""
    late_window: bool = False
    """131047 comes by status, after a 200: so people meet it. Which comes when is unsure."""
    pair_rate: bool = True
    """131056: a burst of 45, then one in six seconds, to one person."""
    throughput: bool = True
    """130429: `Number.messages_per_second`."""
    allow_list: bool = True
    """131030: only numbers on `Number.allow_list`, where there is one."""
    management: bool = True
    """80008: so many questions about the business account in an hour."""


class _Bucket:
    """Sends that are left, and when that was so."""

    __slots__ = ("at", "left")

    def __init__(self, at: float, left: float) -> None:
        self.at = at
        self.left = left

    def fill(self, now: float, per_s: float, most: float) -> None:
        self.left = min(self.left + max(now - self.at, 0.0) * per_s, most)
        self.at = now


class Gate:
    """Remembers what the rates need."""

    def __init__(self, world: World, rules: Rules) -> None:
        self._world = world
        self._rules = rules
        self._numbers: dict[str, _Bucket] = {}
        self._pairs: dict[tuple[str, str], _Bucket] = {}

    def check(self, number: Number, person: Person | None, address: str, kind: str) -> int | None:
        """Pass, or refuse a send that is well-formed.

        Who has no phone passes here and fails later: WhatsApp tells nobody who is on it. A refusal
        costs nothing of a rate, which is unsure.

        Args:
            number: The sender.
            person: The recipient; None: nobody answers to the address.
            address: Digits as they were dialled, or the business-scoped id.
            kind: The message's ``type``; templates need no window.

        Returns:
            The code with which it will fail later; None: nothing speaks against it.

        Raises:
            GraphError: With the rule's code.

        Source:
            facts, sections 8 to 10 and 12. Unsure: that the window is judged at once; Meta may
            tell of it by status alone (`Rules.late_window`; fabrahaingo/joel#314).
        """
        self._see_number(number)
        if address == number.display_phone_number.lstrip("+"):
            raise GraphError(131021)
        self._see_allowed(number, person, address)
        is_late = False
        if kind != "template" and person is not None and person.is_reachable:
            is_late = self._is_late(number, person)
        if is_late and not self._rules.late_window:
            raise GraphError(
                131047,
                "Message failed to send because more than 24 hours have passed since the customer"
                " last replied to this number.",
            )
        self._see_rates(number, person.key if person is not None else address)
        return 131047 if is_late else None

    def _see_number(self, number: Number) -> None:
        """Unsure: which code each state meets, beside CONNECTED."""
        if number.status in _LOCKED:
            raise GraphError(131031, "Business Account locked")
        if number.status not in _SENDING:
            raise GraphError(133010, "The number is not registered with the Cloud API")
        if number.display_phone_number.startswith("1555") and number.name_status not in (
            "APPROVED",
            "AVAILABLE_WITHOUT_REVIEW",
        ):
            raise GraphError(131037)

    def _see_allowed(self, number: Number, person: Person | None, address: str) -> None:
        """The list is held against the digits that were dialled, not against whose they are.

        So a number of Argentina, Brazil or Mexico that stands there in one of its spellings is
        refused in the other: measured by people with test numbers (facts, section 12).
        """
        if not self._rules.allow_list or number.allow_list is None:
            return
        spellings = {address}
        if person is not None and person.user_id == address and person.wa_id is not None:
            spellings.add(person.wa_id)
        if spellings.isdisjoint(number.allow_list):
            raise GraphError(131030)

    def _is_late(self, number: Number, person: Person) -> bool:
        """The person's window is closed."""
        if not self._rules.window:
            return False
        chat = self._world.chats.get((number.id, person.key))
        return chat is None or chat.open_until <= self._world.clock.now()

    def _see_rates(self, number: Number, whose: str) -> None:
        """Sends alone are counted; of the throughput Meta counts what comes in as well."""
        now = self._world.clock.monotonic()
        of_number = of_pair = None
        if self._rules.throughput:
            most = float(max(number.messages_per_second, 1))
            if number.is_on_biz_app:
                most = min(most, float(COEXISTING_PER_S))
            of_number = self._numbers.setdefault(number.id, _Bucket(now, most))
            of_number.fill(now, most, most)
            if of_number.left < _ONE:
                raise GraphError(130429, "Message failed to send because the throughput is reached")
        if self._rules.pair_rate:
            of_pair = self._pair((number.id, whose), now)
            if of_pair.left < _ONE:
                raise GraphError(
                    131056,
                    "Message failed to send because there were too many messages sent from this"
                    " phone number to the same recipient in a short period of time.",
                )
        for bucket in (of_number, of_pair):
            if bucket is not None:
                bucket.left -= 1

    def _pair(self, pair: tuple[str, str], now: float) -> _Bucket:
        bucket = self._pairs.pop(pair, None) or _Bucket(now, PAIR_BURST)
        bucket.fill(now, 1 / PAIR_EVERY_S, PAIR_BURST)
        self._pairs[pair] = bucket
        if len(self._pairs) > MOST_PAIRS:
            del self._pairs[next(iter(self._pairs))]
        return bucket
