"""What the disk refuses: said for people at once and then once a minute, and when it is over."""

import time
from pathlib import Path

from openparallax.logs import Logger

QUIET_S = 60.0
"""Between two lines about the same: Meta brings everything again, many times a second."""
DAMAGED_FOR_S = 900.0
"""How long damage that was found speaks for the file; who meets it again prolongs that."""

_ADVICE = {
    "SQLITE_FULL": "the disk is full: make room, and it goes on by itself",
    "SQLITE_IOERR": "the disk fails, or is full: see the machine's own log; have a backup at hand",
    "SQLITE_NOMEM": "there is no memory left: see what the machine, or the unit, allows",
    "SQLITE_BUSY": "another program holds the file: end what has it open",
    "SQLITE_LOCKED": "another program holds the file: end what has it open",
    "SQLITE_READONLY": "the file may not be written to: see its rights, and its disk's",
    "SQLITE_CANTOPEN": "the file cannot be opened: see that it is there, and its folder's rights",
    "SQLITE_CORRUPT": "the file is damaged: stop, keep a copy of it, and restore a backup",
    "SQLITE_NOTADB": "the file is damaged: stop, keep a copy of it, and restore a backup",
}
_DAMAGE = frozenset({"SQLITE_CORRUPT", "SQLITE_NOTADB"})


def advice_on(reason: str) -> str:
    """Advice for an error of SQLite's, by its name; "" where there is none."""
    return _ADVICE.get(_kind(reason), "")


def is_damage(reason: str) -> bool:
    """Whether the file itself is broken, which trying again does not mend."""
    return _kind(reason) in _DAMAGE


class Trouble:
    """Tells the log of a disk that refuses.

    Attributes:
        is_on: Something was refused, and nothing has been written since.
        reason: Why, the last time.
    """

    def __init__(self, path: Path, log: Logger) -> None:
        self._path = path
        self._log = log
        self.is_on = False
        self.reason = ""
        self._since = 0.0
        self._is_told = False
        self._counts: dict[str, int] = {}
        self._quiet_until: dict[str, float] = {}
        self._damaged_until = float("-inf")

    def happened(self, reason: str, count: int) -> None:
        """So many units were refused for this reason, a name of SQLite's."""
        now = time.monotonic()
        self.reason = reason
        if is_damage(reason):
            self._damaged_until = now + DAMAGED_FOR_S
        if not self.is_on:
            self.is_on, self._since = True, now
        self._counts[reason] = self._counts.get(reason, 0) + count
        if now < self._quiet_until.get(reason, now):
            return
        self._quiet_until[reason] = now + QUIET_S
        self._is_told = True
        hint = advice_on(reason)
        self._log.error(
            "storage_failed",
            reason=reason,
            count=self._counts.pop(reason),
            path=str(self._path),
            **({"hint": hint} if hint else {}),
        )

    def passed(self) -> None:
        """Something was written again."""
        self.is_on = False
        if self._is_told:
            self._is_told = False
            seconds = round(time.monotonic() - self._since, 1)
            self._log.info("storage_recovered", seconds=seconds, count=sum(self._counts.values()))
            self._counts.clear()

    @property
    def is_damaged(self) -> bool:
        """Whether the file was found to be damaged in the last minutes."""
        return time.monotonic() < self._damaged_until


def _kind(reason: str) -> str:
    """``SQLITE_IOERR`` of ``SQLITE_IOERR_WRITE``: the advice is the same."""
    return "_".join(reason.split("_", 2)[:2])
