"""How often the business account may be asked about in an hour."""

import json
from typing import Final

from openparallax.emulator.graph.asked import Asked
from openparallax.emulator.graph.errors import GraphError
from openparallax.emulator.graph.rules import Rules
from openparallax.emulator.world import World

HOUR_S: Final = 3600.0
MOST: Final = 5000
MOST_UNREGISTERED: Final = 200
"""For an account without a registered number."""
_EDGES: Final = frozenset(
    {"", "assigned_users", "message_templates", "phone_numbers", "subscribed_apps"}
)


class Hourly:
    """Counts questions about the account.

    Source:
        facts, section 9. Unsure: that an hour begins with its first question, which of 80007 and
        80008 is said, and what stands in the header beside ``call_count``.
    """

    def __init__(self, world: World, rules: Rules) -> None:
        self._world = world
        self._rules = rules
        self._began = -HOUR_S
        self._count = 0

    def count(self, asked: Asked) -> dict[str, str]:
        """Headers of the answer, where it is a question that counts.

        Raises:
            GraphError: 80008: there were too many.
        """
        account = self._world.account
        if asked.node != account.waba_id or asked.edge not in _EDGES or not self._rules.management:
            return {}
        now = self._world.clock.monotonic()
        if now - self._began >= HOUR_S:
            self._began, self._count = now, 0
        is_registered = any(number.status == "CONNECTED" for number in account.numbers)
        most = MOST if is_registered else MOST_UNREGISTERED
        if self._count >= most:
            raise GraphError(80008, "Wait a bit and try again")
        self._count += 1
        return usage(account.waba_id, 100 * self._count // most, 0)


def usage(waba_id: str, percent: int, minutes: int) -> dict[str, str]:
    """The header by which clients see how much is left; minutes until they may come again."""
    entry = {
        "type": "whatsapp",
        "call_count": percent,
        "total_cputime": percent,
        "total_time": percent,
        "estimated_time_to_regain_access": minutes,
    }
    return {"X-Business-Use-Case-Usage": json.dumps({waba_id: [entry]})}
