"""``POST /{phone_number_id}/messages``: what a bot says, and what it marks as read."""

import asyncio
import itertools
from collections import deque
from collections.abc import Callable
from typing import Any

from openparallax.emulator.account import Number
from openparallax.emulator.calls import Behaviour, Call
from openparallax.emulator.faults import Faults
from openparallax.emulator.graph.accepting import Accepting
from openparallax.emulator.graph.asked import Answer, Asked, Routes
from openparallax.emulator.graph.behaving import Playing, follow
from openparallax.emulator.graph.bodies import Said, parse_message, parse_read
from openparallax.emulator.graph.dialling import dial
from openparallax.emulator.graph.errors import GraphError
from openparallax.emulator.graph.fields import no_object
from openparallax.emulator.graph.reading_marks import ReadMarks
from openparallax.emulator.graph.rules import Gate
from openparallax.emulator.ids import new_wamid
from openparallax.emulator.people import Person
from openparallax.emulator.recent import Recent
from openparallax.emulator.webhooks.statuses import Statuses
from openparallax.emulator.world import World

MOST_CALLS = 10_000
MOST_KEPT_BYTES = 64 * 1024 * 1024
"""Of the bodies of all calls that are kept, and of all read marks."""


class Sending:
    """Takes, refuses or loses sends.

    A call is judged in this order: token (in ``api``), number, body, rules, `plan`, faults.

    Attributes:
        calls: Every send that arrived and was well-formed enough to be read, in order of arrival.
        accepted: Those that were taken, in order.
        reads: Bodies of requests that mark as read or show typing; they are no sends.
        presence: Well-formed read marks: phone number id, wamid, whether typing is shown.
        plan: Decides what happens to each call beside rules and faults; None: nothing.
        presence_plan: The same for read marks and typing, asked before the message is looked for.
        on_call: Told of each call once it is decided.
        on_presence: Told of each read mark once it is decided.
    """

    def __init__(self, world: World, gate: Gate, faults: Faults, statuses: Statuses) -> None:
        self.calls: Recent[Call] = Recent(MOST_CALLS, MOST_KEPT_BYTES)
        self.accepted: Recent[Call] = Recent(MOST_CALLS, MOST_KEPT_BYTES)
        self.reads: Recent[dict[str, Any]] = Recent(MOST_CALLS, MOST_KEPT_BYTES)
        self.presence: deque[tuple[str, str, bool]] = deque(maxlen=MOST_CALLS)
        self.plan: Callable[[Call], Behaviour | None] | None = None
        self.presence_plan: Callable[[dict[str, Any]], Behaviour | None] | None = None
        self.on_call: Callable[[Call], None] = lambda _: None
        self.on_presence: Callable[[], None] = lambda: None
        self.released = asyncio.Event()
        self._world = world
        self._gate = gate
        self._playing = Playing(world, faults)
        self._accepting = Accepting(world, statuses)
        self._marks = ReadMarks(world)
        self._numbers = itertools.count()

    def routes(self) -> Routes:
        return {("POST", "messages"): self._messages}

    async def _messages(self, asked: Asked) -> Answer:
        said = asked.json()
        if "status" in said:
            return await self._read(asked, said)
        return await self._send(asked, said)

    def release(self) -> None:
        """Answer what hangs; later calls hang again."""
        self.released.set()
        self.released = asyncio.Event()
        self._playing.release()

    # a message

    async def _send(self, asked: Asked, request: dict[str, Any]) -> Answer:
        number = self._world.account.number(asked.node)
        to, person, address = dial(request, number, self._world)
        call = self._call(asked, request, to, person)
        asked.exchange.what = f"messages · {_kind_of(request)}"
        asked.exchange.person = call.person
        self.calls.keep(call, len(asked.body))
        try:
            number = self._number(asked)
            said = parse_message(request, self._world, number)
            self._see_scoped(said)
            fails_with = self._gate.check(number, person, address, said.kind)
            behaviour = self.plan(call) if self.plan is not None else None
            if behaviour is None:
                behaviour, asked.exchange.note = self._playing.decide(call.person)
        except GraphError:
            self.on_call(call)
            raise
        good: dict[str, Any] = {}
        if behaviour.accepts:
            good = self._accepting.accept(
                call, said, number, person, address, fails_with=fails_with
            )
            self.accepted.keep(call, len(asked.body))
        self.on_call(call)
        return await follow(behaviour, good, asked.request)

    def _number(self, asked: Asked) -> Number:
        number = self._world.account.number(asked.node)
        if number is None or number.status == "DELETED":
            raise no_object(asked.method, asked.node)
        targets = asked.token.target_ids if asked.token is not None else ()
        owner = number.waba_id or self._world.account.waba_id
        if targets and {number.id, owner}.isdisjoint(targets):
            raise GraphError(200)
        return number

    def _call(self, asked: Asked, request: dict[str, Any], to: str, person: Person | None) -> Call:
        """What can be read of a request, well-formed or not."""
        callback = request.get("biz_opaque_callback_data")
        return Call(
            number=next(self._numbers),
            to=to,
            body=_body_of(request),
            callback=callback if isinstance(callback, str) else "",
            phone_number_id=asked.node,
            token=asked.token_value,
            at=self._world.clock.monotonic(),
            request=request,
            wamid=new_wamid(to if person is None else person.address, is_ours=True),
            path=asked.request.path,
            person=person.key if person is not None else None,
        )

    @staticmethod
    def _see_scoped(said: Said) -> None:
        """Source: facts, section 4: codes to copy or to tap go to numbers only."""
        category = str((said.template or {}).get("category", "")).upper()
        if said.is_scoped and category == "AUTHENTICATION":
            raise GraphError(131062)

    # a read mark

    async def _read(self, asked: Asked, said: dict[str, Any]) -> Answer:
        asked.exchange.what = "read and typing" if said.get("typing_indicator") else "read"
        self.reads.keep(said, len(asked.body))
        try:
            number = self._number(asked)
            self._playing.see_other()
            wamid, is_typing = parse_read(said)
            self.presence.append((number.id, wamid, is_typing))
            behaviour = self.presence_plan(said) if self.presence_plan is not None else None
            if behaviour is None:
                asked.exchange.person = self._marks.mark(number.id, wamid, is_typing=is_typing)
        finally:
            self.on_presence()
        return await follow(behaviour or Behaviour(), {"success": True}, asked.request)


def _kind_of(request: dict[str, Any]) -> str:
    kind = request.get("type", "text")
    return kind[:32] if isinstance(kind, str) else "?"


def _body_of(request: dict[str, Any]) -> str:
    """The text, caption or interactive body; "" where there is none that can be read."""
    kind = _kind_of(request)
    content = request.get(kind)
    if not isinstance(content, dict):
        return ""
    if kind == "interactive":
        body = content.get("body")
        content, name = (body if isinstance(body, dict) else {}), "text"
    else:
        name = "body" if kind == "text" else "caption"
    found = content.get(name)
    return found if isinstance(found, str) else ""
