"""What Graph does with a call instead of what it should: faults, and behaviours of a plan."""

import asyncio
from typing import Any, Final

from aiohttp import web

from openparallax.emulator.calls import Behaviour
from openparallax.emulator.faults import Fault, Faults
from openparallax.emulator.feed import Change
from openparallax.emulator.graph.asked import Answer
from openparallax.emulator.graph.errors import GraphError
from openparallax.emulator.world import World

DAY_S: Final = 86_400.0
LONGEST_HANG_S: Final = 300.0
"""After that even a call that hangs is answered: no client waits for it any more."""


class Playing:
    """Plays the switches that concern sends."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self._hanging: list[tuple[Fault, asyncio.Event]] = []
        world.feed.call(self._heed)

    def decide(self, person: str | None) -> tuple[Behaviour, str]:
        """What happens to a send to this person, and a note of it for the wire.

        Raises:
            GraphError: The send is refused, by switch.
        """
        if (fault := self._faults.take("refuse", person)) is not None:
            raise refusal(fault)
        if (fault := self._faults.take("error_after_accepting", person)) is not None:
            status = min(max(int(fault.value), 500), 599)
            answer = b"<html><body>Sorry, something went wrong.</body></html>"
            return Behaviour(status=status, answer=answer), f"accepted, answered with {status}"
        if self._faults.take("cut_after_accepting", person) is not None:
            return Behaviour(cuts=True), "accepted, connection cut"
        if (fault := self._faults.take("hang", person)) is not None:
            return Behaviour(waits_for=self._hang(fault)), "accepted, not answered"
        return Behaviour(), ""

    def see_other(self) -> None:
        """Pass a call that sends nothing.

        Raises:
            GraphError: It is refused, by switch.
        """
        if (fault := self._faults.take("refuse_other", None)) is not None:
            raise refusal(fault)

    def release(self) -> None:
        """Answer what hangs."""
        for _, event in self._hanging:
            event.set()
        self._hanging.clear()

    def _hang(self, fault: Fault) -> asyncio.Event:
        event = asyncio.Event()
        entry = (fault, event)
        self._hanging.append(entry)

        def end() -> None:
            event.set()
            if entry in self._hanging:
                self._hanging.remove(entry)

        self._world.clock.call_later(_seconds(fault.value), end)
        return event

    def _heed(self, change: Change) -> None:
        """Answer what hung until its switch was off; one that was used up hangs on."""
        if change["kind"] != "faults" or not self._hanging:
            return
        ended = [
            (fault, event)
            for fault, event in self._hanging
            if (fault.times is None or fault.times > 0)
            and self._faults.look("hang", fault.person) is not fault
        ]
        for entry in ended:
            entry[1].set()
            self._hanging.remove(entry)


def refusal(fault: Fault) -> GraphError:
    """What a switch makes Graph say."""
    return GraphError(
        fault.code, "refused by a switch of the emulator", retry_after_s=fault.retry_after_s
    )


def _seconds(value: str) -> float:
    try:
        seconds = float(value or LONGEST_HANG_S)
    except ValueError:
        return LONGEST_HANG_S
    return seconds if 0 <= seconds <= DAY_S else LONGEST_HANG_S


async def follow(behaviour: Behaviour, good: dict[str, Any], request: web.BaseRequest) -> Answer:
    """Answer as the behaviour says; ``good`` where it says nothing else."""
    if behaviour.waits_for is not None:
        await behaviour.waits_for.wait()
    if behaviour.cuts:
        if request.transport is not None:
            request.transport.abort()
        return Answer(None, 0, response=web.Response())
    if behaviour.answer is not None:
        # Graph's error answers do not always say what they are.
        headers = {"Content-Type": "text/javascript; charset=UTF-8"}
        if behaviour.location is not None:
            headers["Location"] = behaviour.location
        return Answer(behaviour.answer, behaviour.status, headers)
    if not behaviour.accepts:
        raise GraphError(1, message="An unknown error has occurred.")
    return Answer(good, behaviour.status)
