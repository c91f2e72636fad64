"""Faults as switches: what goes wrong, for whom, how often. All are off until one is set."""

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final

NAMES: Final = {
    "duplicate": "each webhook is posted twice",
    "reorder": "a webhook waits until the next one has overtaken it",
    "batch": "webhooks are held and posted together; value: how many, or how many,apart",
    "delay": "webhooks are late; value: seconds",
    "drop_status": "statuses are never told; value: which (sent, delivered, read), none: all",
    "fail": "accepted, and failed later by status; value: the code",
    "refuse": "sends are refused; value: the code, or code,seconds of Retry-After",
    "refuse_other": "every other call is refused; value: as of refuse",
    "error_after_accepting": "accepted, and answered with a 5xx; value: the status",
    "cut_after_accepting": "accepted, and the connection cut",
    "hang": "accepted, and never answered; value: seconds, none: until it is switched off",
    "bad_signature": "webhooks carry a wrong signature",
    "wrong_number": "webhooks carry a phone number id that is not ours",
}
"""Name -> what happens."""

_NOTHING: Final = re.compile(".{0,40}")
_NUMBER: Final = re.compile("[0-9]{1,7}")
_REFUSAL: Final = re.compile("[0-9]{1,7}(, ?[0-9]{1,5})?")
_SECONDS: Final = re.compile(r"([0-9]{1,7}(\.[0-9]{1,9})?)?")
_VALUES: Final = {
    "refuse": _REFUSAL,
    "refuse_other": _REFUSAL,
    "fail": _NUMBER,
    "error_after_accepting": _NUMBER,
    "batch": re.compile("[0-9]{1,7}(, ?apart)?"),
    "delay": _SECONDS,
    "hang": _SECONDS,
    "drop_status": re.compile("|sent|delivered|read|played|failed"),
}
"""Name -> what its value looks like; for the others nothing is asked."""


@dataclass(slots=True)
class Fault:
    """One switch that is on.

    Attributes:
        person: Key of the one whom it is for; None: everybody.
        value: What the name's line asks for; "" where nothing was given.
        times: How often it still happens; None: until it is switched off.
    """

    name: str
    person: str | None = None
    value: str = ""
    times: int | None = None

    @property
    def code(self) -> int:
        """Of a refusal; how many, of a batch."""
        return int(self.value.partition(",")[0])

    @property
    def is_apart(self) -> bool:
        """Of a batch: each update has an entry of its own."""
        return self.value.endswith("apart")

    @property
    def retry_after_s(self) -> int | None:
        """Of a refusal; None where no seconds were given."""
        seconds = self.value.partition(",")[2].strip()
        return int(seconds) if seconds else None


class Faults:
    """The switches that are on."""

    def __init__(self) -> None:
        self._on: list[Fault] = []
        self.on_change: Callable[[], None] = lambda: None

    def set(
        self, name: str, *, person: str | None = None, value: object = "", times: int | None = None
    ) -> Fault:
        """Switch one on; the same name for the same person replaces the one before.

        Raises:
            ValueError: There is no such fault, or the value does not fit; says which there are.
        """
        if name not in NAMES:
            raise ValueError(f"there is no fault {name!r}: {', '.join(NAMES)}")
        text = str(value if value is not None else "")
        if not _VALUES.get(name, _NOTHING).fullmatch(text):
            raise ValueError(f"this value does not fit fault {name}: {NAMES[name]}")
        if times is not None and times < 1:
            raise ValueError("a fault happens at least once")
        fault = Fault(name, person, text, times)
        self._on = [one for one in self._on if (one.name, one.person) != (name, person)]
        self._on.append(fault)
        self.on_change()
        return fault

    def clear(
        self, name: str | None = None, *, person: str | None = None, everybody: bool = False
    ) -> None:
        """Switch off what has this name, for this person; without either, whatever it is for.

        Args:
            name: None: all of them.
            person: Key of the one that it is on for.
            everybody: Only what is on for everybody; what is on for one stays.
        """
        self._on = [
            one
            for one in self._on
            if name not in (None, one.name)
            or person not in (None, one.person)
            or (everybody and one.person is not None)
        ]
        self.on_change()

    def look(self, name: str, person: str | None) -> Fault | None:
        """The fault that is on for this person, not used up by looking."""
        of_person = (one for one in self._on if one.name == name and one.person == person)
        of_all = (one for one in self._on if one.name == name and one.person is None)
        return next(of_person, None) or next(of_all, None)

    def take(self, name: str, person: str | None) -> Fault | None:
        """The same, and one time of it is used."""
        fault = self.look(name, person)
        if fault is not None and fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                self._on.remove(fault)
            self.on_change()
        return fault

    def as_data(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self._on]
