"""What arrives at the fake Graph, and the moods it can meet it with."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """One request that arrived.

    Attributes:
        number: Counts from 0 in the order of arrival.
        to: The recipient's digits without ``+``, or the business-scoped id.
        body: The text.
        callback: ``biz_opaque_callback_data``, or "".
        token: The bearer token, or "".
        at: Monotonic seconds.
        request: The whole JSON body.
        wamid: The id that Graph gives the message if it accepts it.
        path: The request's path.
    """

    number: int
    to: str
    body: str
    callback: str
    phone_number_id: str
    token: str
    at: float
    request: dict[str, Any]
    wamid: str
    path: str


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What Graph does with a call; made by the functions below.

    Attributes:
        accepts: The message is taken, whatever the answer says.
        status: HTTP status of the answer.
        answer: Body of the answer; None is the one that fits ``accepts``.
        cuts: The connection is cut instead of answering.
        waits_for: Taken or not at once, answered when this is set.
        location: Where a redirect leads.
    """

    accepts: bool = True
    status: int = 200
    answer: bytes | None = None
    cuts: bool = False
    waits_for: asyncio.Event | None = None
    location: str | None = None


def ok() -> Behaviour:
    return Behaviour()


def error(code: int, http_status: int = 400, /, **more: Any) -> Behaviour:
    """Graph's own error answer; ``more`` goes into the error object."""
    said = {
        "message": f"(#{code}) made up",
        "type": "OAuthException",
        "code": code,
        "error_data": {"messaging_product": "whatsapp", "details": "made up"},
        "fbtrace_id": "AbCdEfTrace",
        **more,
    }
    return Behaviour(accepts=False, status=http_status, answer=json.dumps({"error": said}).encode())


def http_500_after_accepting(status: int = 500) -> Behaviour:
    return Behaviour(status=status, answer=b"<html>Sorry, something went wrong.</html>")


def http_500_before_accepting(status: int = 500) -> Behaviour:
    return Behaviour(accepts=False, status=status, answer=b"<html>Sorry.</html>")


def cut_after_accepting() -> Behaviour:
    return Behaviour(cuts=True)


def cut_before_accepting() -> Behaviour:
    return Behaviour(accepts=False, cuts=True)


def garbage(answer: bytes = b"<html>ok</html>", status: int = 200) -> Behaviour:
    """Accepted, and answered with something that is not Graph's."""
    return Behaviour(status=status, answer=answer)


def slow(event: asyncio.Event) -> Behaviour:
    """Accepted at once, answered when ``event`` is set."""
    return Behaviour(waits_for=event)
