"""What the emulator may know of a daemon that runs beside it, and ask of it; told by ``app``."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from openparallax.emulator.feed import Feed

State = Literal["starting", "up", "stopping", "down", "ended"]


@dataclass(slots=True, kw_only=True)
class DaemonSide:
    """The daemon, as the page shows it.

    Attributes:
        kill: End it as a power cut does; returns when it is gone.
        stop: End it in order; returns when it is gone.
        start: Start it; returns when it answers. Raises `OSError` with a sentence if it cannot.
        state: ``ended``: it ended by itself, and ``note`` says why.
        modes: By person's key: ``on_the_record`` or ``off_the_record``, as the daemon itself says;
            of the business's further numbers by ``key@number_id``.
        facts: What the page shows beside it: engine, folder, version.
    """

    kill: Callable[[], Awaitable[None]]
    stop: Callable[[], Awaitable[None]]
    start: Callable[[], Awaitable[None]]
    feed: Feed
    state: State = "down"
    pid: int | None = None
    starts: int = 0
    note: str = ""
    modes: dict[str, str] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)

    def tell(self, **changes: Any) -> None:
        """Change attributes and tell the feed: kind ``daemon`` with everything."""
        if all(getattr(self, name) == value for name, value in changes.items()):
            return
        for name, value in changes.items():
            setattr(self, name, value)
        self.feed.tell("daemon", daemon=self.as_data())

    def as_data(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "pid": self.pid,
            "starts": self.starts,
            "note": self.note,
            "modes": dict(self.modes),
            "facts": dict(self.facts),
        }
