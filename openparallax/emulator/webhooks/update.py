"""One thing to be told."""

from dataclasses import dataclass, field
from typing import Any

from openparallax.emulator.webhooks.envelope import Change


@dataclass(slots=True, kw_only=True)
class Update(Change):
    """One thing to be told; several may travel in one request.

    Attributes:
        topic: The webhook's field: ``messages``, ``smb_message_echoes``, …
        value: The change's value for this update alone; neighbours of one topic and number are
            put together when they travel in one request.
        what: A word for the panel: ``text``, ``delivered``.
        person: Key of the person it is about.
        wamid: Of the message it is about.
    """

    value: dict[str, Any] = field(repr=False)
    what: str = ""
    person: str | None = None
    wamid: str | None = field(default=None, repr=False)

    @property
    def is_status(self) -> bool:
        return "statuses" in self.value

    @property
    def number_id(self) -> str | None:
        """Which of the numbers it is about; None: the account as a whole."""
        about = self.value.get("metadata")
        found = about.get("phone_number_id") if isinstance(about, dict) else None
        return found if isinstance(found, str) else None
