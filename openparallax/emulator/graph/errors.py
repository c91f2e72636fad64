"""Meta's errors: code, words and shape."""

from typing import Any

from openparallax.emulator.graph.kinds import KINDS, Kind
from openparallax.emulator.ids import new_trace_id

__all__ = ["KINDS", "GraphError", "Kind"]


class GraphError(Exception):
    """A request is refused.

    Args:
        code: One of `KINDS`, or any other: then the title says that nobody knows it.
        details: What ``error_data.details`` says; never words of a person.
        subcode: ``error_subcode``, where Meta gives one.
        message: Instead of the kind's own.
        type: The same.
        retry_after_s: What the header ``Retry-After`` says; Meta promises none (unsure), and
            clients heed it where it comes.
    """

    def __init__(
        self,
        code: int,
        details: str = "",
        *,
        subcode: int | None = None,
        message: str | None = None,
        http_status: int | None = None,
        type: str | None = None,  # noqa: A002 - Meta's own name for it
        retry_after_s: int | None = None,
    ) -> None:
        self.kind = KINDS.get(code) or Kind(code, "An unknown error has occurred")
        self.type = type or self.kind.type
        self.details = details
        self.subcode = subcode
        self.retry_after_s = retry_after_s
        self.message = message or f"(#{code}) {self.kind.title}"
        self.http_status = http_status or self.kind.http_status
        super().__init__(self.message)

    @property
    def code(self) -> int:
        return self.kind.code

    def as_answer(self) -> dict[str, Any]:
        """The body of the answer."""
        error: dict[str, Any] = {
            "message": self.message,
            "type": self.type,
            "code": self.code,
        }
        if self.kind.is_transient:
            error["is_transient"] = True
        if self.details:
            error["error_data"] = {"messaging_product": "whatsapp", "details": self.details}
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        error["fbtrace_id"] = new_trace_id()
        return {"error": error}

    def as_status_error(self) -> dict[str, Any]:
        """What stands in ``statuses[].errors[]``."""
        return {
            "code": self.code,
            "title": self.kind.title,
            "message": self.kind.title,
            "error_data": {"details": self.details or self.kind.title},
            "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
        }
