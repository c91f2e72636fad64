"""A send that arrived at Graph, and what Graph does with it."""

import asyncio
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """One request to send something, as far as it could be read.

    Attributes:
        number: Counts from 0 in the order of arrival.
        to: The recipient's digits without ``+``, or the business-scoped id.
        body: The text, caption or interactive body; "" where there is none.
        callback: ``biz_opaque_callback_data``, or "".
        token: The bearer token, or "".
        at: Monotonic seconds of the emulator's clock.
        request: The whole JSON body.
        wamid: The id that the message gets if Graph takes it.
        path: The request's path.
        person: Key of the person it is for; None where nobody is known by that address.
    """

    number: int
    to: str = field(repr=False)
    body: str = field(repr=False)
    callback: str
    phone_number_id: str
    token: str = field(repr=False)
    at: float
    request: dict[str, Any] = field(repr=False)
    wamid: str = field(repr=False)
    path: str
    person: str | None = None


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What Graph does with a call, instead of what it should.

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
    answer: bytes | None = field(default=None, repr=False)
    cuts: bool = False
    waits_for: asyncio.Event | None = None
    location: str | None = None
