"""How a programme changes the configuration of the daemon while it runs.

Each change is one that no person who writes may notice: every promise is kept all the same.
"""

from collections.abc import Callable
from typing import Any

from tests.torture.engine import LIMIT_S

GONE = "without the second number"
TOKEN = "another token"
WRONG = "wrong"
WRONG_TEXT = '{"channels": {"whatsapp": {"phone_number_id": 7, "colour": "red"}}, "engine": '
CERTAIN = (GONE, TOKEN)
"""Nothing that needs the change goes on before the daemon has said that it is in force."""

Change = Callable[[dict[str, Any], int], None]
"""Changes what the file says; the number is another one each time."""


def _engine(said: dict[str, Any], turn: int) -> None:
    said["engine"]["made"] = turn


def _engine_off(said: dict[str, Any], turn: int) -> None:
    said["off_the_record"]["engine"] = said["engine"] | {"made": -turn}


def _stages(said: dict[str, Any], turn: int) -> None:
    said["pipeline"] = [{"time_limit": {"seconds": LIMIT_S + turn % 3 / 100}}]


def _turns(said: dict[str, Any], turn: int) -> None:
    said["conversation"]["max_concurrent_turns"] = 1 + turn % 3


def _alone(said: dict[str, Any], _turn: int) -> None:
    said["conversation"]["coalesce"] = "none"


def _history(said: dict[str, Any], turn: int) -> None:
    said["conversation"]["history_messages"] = 2 + turn % 40


def _flight(said: dict[str, Any], turn: int) -> None:
    said["outbox"]["max_in_flight"] = 1 + turn % 3


def _pace(said: dict[str, Any], turn: int) -> None:
    said["outbox"] |= {
        "messages_per_second": 20 + turn,
        "pair_burst": 3,
        "pair_interval_seconds": 0.1,
    }


def _receipts(said: dict[str, Any], turn: int) -> None:
    said["outbox"]["receipt_wait_seconds"] = 1 + turn % 3 / 2


def _keeps_words(said: dict[str, Any], _turn: int) -> None:
    said["storage"]["retention_days"] = None


def _limit(said: dict[str, Any], turn: int) -> None:
    """Out of reach, or, where there is one, by less than a second, which lets in nobody else."""
    limit = said["channels"]["whatsapp"]["rate_limit"]
    if limit is None:
        limit = {"window_seconds": 60, "max_messages": 900 + turn}
    else:
        limit = limit | {"window_seconds": limit["window_seconds"] + (1 + turn % 4) / 10}
    said["channels"]["whatsapp"]["rate_limit"] = limit


def _takeover(said: dict[str, Any], turn: int) -> None:
    """By less than a second, so that nobody is answered who would not have been before."""
    said["channels"]["whatsapp"]["human_takeover_minutes"] += (1 + turn % 4) / 10 / 60


def _nothing(_said: dict[str, Any], _turn: int) -> None:
    """As it is."""


CHANGES: dict[str, Change] = {
    "another engine": _engine,
    "another engine off the record": _engine_off,
    "other stages": _stages,
    "fewer turns": _turns,
    "one by one": _alone,
    "less history": _history,
    "fewer in flight": _flight,
    "another pace": _pace,
    "another wait": _receipts,
    "no retention": _keeps_words,
    "a rate limit": _limit,
    "another takeover": _takeover,
    TOKEN: _nothing,
    GONE: _nothing,
}
"""By name. A second time a change is taken back, save for an engine and a token: there is another
one each time."""
_ANEW = ("another engine", "another engine off the record", TOKEN)


class Changes:
    """What the file says of all that changes.

    Attributes:
        token: What Graph is to be spoken to with.
        is_gone: The second number is not served.
    """

    def __init__(self) -> None:
        self._made: dict[str, int] = {}
        self._turn = 0
        self.token = "made-up"
        self.is_gone = False

    def make(self, name: str) -> None:
        """Make a change, or take it back."""
        self._turn += 1
        if name == TOKEN:
            self.token = f"made-up-{self._turn}"
        elif name == GONE:
            self.is_gone = True
        elif name in self._made and name not in _ANEW:
            del self._made[name]
        elif name in CHANGES:
            self._made[name] = self._turn

    def put_into(self, said: dict[str, Any]) -> None:
        """Have the configuration say so."""
        whatsapp = said["channels"]["whatsapp"]
        whatsapp["access_token"] = self.token
        for name, turn in self._made.items():
            CHANGES[name](said, turn)
        if self.is_gone:
            whatsapp.pop("accounts", None)
