"""For any script of posts, moods, statuses, failures and deaths: nothing lost, nothing twice."""

import asyncio
import tempfile
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openparallax.graph.errors import classify
from openparallax.model.messages import DeliveryStatus
from openparallax.model.outcomes import Accepted, ErrorClass, NotSent, Refused, Unanswered
from openparallax.model.parcel import ParcelState
from tests.outbox.graph import ACCOUNT, OTHER, Sent
from tests.outbox.office import SLOTS, Office

PEOPLE = 3
BRAZIL = ("5511987654321", "551187654321")
"""The number of the second person in both spellings; the first is Meta's."""
Action = tuple[Any, ...]

places = st.integers(0, PEOPLE - 1)
moods = st.sampled_from(
    ["accept", "accept", "hang", "taken", "not_taken", "not_sent", 131056, 130429, 190, 2, 131026]
)
posts = st.tuples(st.just("post"), places, st.integers(1, 3), st.booleans())
others = st.one_of(
    st.tuples(st.just("moods"), st.lists(moods, min_size=1, max_size=6)),
    st.tuples(st.just("turn"), st.sampled_from([0.5, 1, 5, 11, 40])),
    st.tuples(st.just("loops"), st.integers(0, 12)),
    st.tuples(st.just("settle")),
    st.tuples(st.just("reload"), places),
    st.tuples(st.just("release")),
    st.tuples(st.just("refuse"), st.integers(1, 4)),
    st.tuples(st.just("look_again")),
    st.tuples(st.just("configure"), st.booleans()),
    st.tuples(
        st.just("tell"),
        st.integers(0, 5),
        st.sampled_from([DeliveryStatus.SENT, DeliveryStatus.DELIVERED, DeliveryStatus.READ]),
        st.none(),
    ),
)
harsh = st.one_of(
    st.tuples(st.just("die")),
    st.tuples(st.just("write"), places),
    st.tuples(st.just("withdraw"), places),
    st.tuples(st.just("jump"), st.sampled_from([3600.0, -3600.0, 90000.0, -90000.0])),
    st.tuples(st.just("moods"), st.lists(st.just(131047), min_size=1, max_size=2)),
    st.tuples(
        st.just("tell"),
        st.integers(0, 5),
        st.just(DeliveryStatus.FAILED),
        st.sampled_from([131026, 131047, 130429, 131000, 190]),
    ),
)


@dataclass
class Play:
    """One run of a script, with what is needed to judge it.

    Attributes:
        failed: Which calls were told to have failed, and with which code.
        sent: Which were told to have been sent, and how many calls there were then.
        arrived: Which were told to have arrived, and how many calls there were then.
    """

    office: Office
    failed: dict[int, int] = field(default_factory=dict)
    sent: dict[int, int] = field(default_factory=dict)
    arrived: dict[int, int] = field(default_factory=dict)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    locks: list[asyncio.Lock] = field(default_factory=list)

    async def act(self, name: str, *details: Any) -> None:
        office = self.office
        match name:
            case "post":
                self.tasks.append(asyncio.create_task(self._post(*details)))
            case "loops":
                for _ in range(details[0]):
                    await asyncio.sleep(0)
            case "tell":
                await self._tell(*details)
            case "write":
                await self._write(details[0])
            case "withdraw":
                office.disk.refuses = 0
                await office.withdraw(details[0])
            case "turn" | "settle" | "die":
                await getattr(office, name)(*details)
            case _:
                self._poke(name, *details)

    def _poke(self, name: str, *details: Any) -> None:
        office = self.office
        match name:
            case "moods":
                office.graph.moods.extend(details[0])
            case "reload":
                office.outbox.reload(office.chats[details[0]])
            case "release":
                office.graph.release()
            case "refuse":
                office.disk.refuses = details[0]
            case "look_again":
                office.outbox.look_again()
            case "configure":
                office.not_served = set() if details[0] else {OTHER}
                office.outbox.look_again()
            case "jump":
                office.clock.jump(details[0])

    async def _post(self, place: int, count: int, claims: bool) -> None:  # noqa: FBT001 - drawn
        async with self.locks[place]:  # dispatch runs one turn of a chat at a time
            await self.office.post(place, count, claims=claims)

    async def _write(self, place: int) -> None:
        self.office.disk.refuses = 0
        await self.office.write(place)

    async def _tell(self, back: int, status: DeliveryStatus, code: int | None) -> None:
        """Tell of one of the latest calls that Graph took."""
        taken = [call for call in self.office.graph.calls if call.is_taken]
        if len(taken) <= back:
            return
        call = taken[-1 - back]
        self.office.disk.refuses = 0
        place = self.office.graph.calls.index(call)
        is_latest = all(
            later.number != call.number for later in self.office.graph.calls[place + 1 :]
        )
        await self.office.tell(call, status, code)
        told = len(self.office.graph.calls)
        if status > DeliveryStatus.SENT:
            self.arrived.setdefault(place, told)
        elif code is None:
            if place not in self.failed:
                self.sent.setdefault(place, told)
        elif is_latest and place not in self.arrived:
            self.failed.setdefault(place, code)
            self.sent.pop(place, None)

    async def end(self) -> None:
        """All is well from now on, people write, and time passes."""
        office = self.office
        office.disk.refuses = 0
        self._poke("configure", True)
        await asyncio.gather(*self.tasks)
        office.graph.moods.clear()
        for _ in range(40):
            office.graph.release()
            for place in range(PEOPLE):
                await office.write(place)
            await office.turn(100, 25)
            found = await office.parcels()
            if office.is_idle and all(one.state >= ParcelState.ACCEPTED for one in found.values()):
                return
        raise AssertionError("something is still open, or a slot or a lane was left behind")

    # -- judging --------------------------------------------------------------------------------

    def may_repeat(self, place: int, then: int) -> bool:
        """Whether the call at ``place`` allows the next one of its parcel, at ``then``."""
        call = self.office.graph.calls[place]
        if place in self.arrived and self.arrived[place] <= then:
            return False
        elsewhere = self.office.graph.calls[then].chat != call.chat
        if place in self.failed:
            is_over = classify(self.failed[place]) in (ErrorClass.RECIPIENT, ErrorClass.OURS)
            # After a status nobody knows which spelling it went to, so one more is allowed.
            return call.chat in BRAZIL or not is_over
        if place in self.sent and self.sent[place] <= then:
            return False
        match call.outcome:
            case None | Unanswered():
                return self.office.graph.calls[then].at - call.at >= 10
            case NotSent():
                return True
            case Refused(error_class=ErrorClass.AMBIGUOUS):
                return self.office.graph.calls[then].at - call.at >= 10
            case Refused(error_class=ErrorClass.RECIPIENT):
                return elsewhere and call.chat in BRAZIL
            case Refused(error_class=error_class):
                return error_class in (ErrorClass.SLOW, ErrorClass.ACCOUNT, ErrorClass.WINDOW)
            case Accepted():
                return False

    def calls_of(self, number: int) -> list[tuple[int, Sent]]:
        return [
            (place, call)
            for place, call in enumerate(self.office.graph.calls)
            if call.number == number
        ]


def is_ambiguous(call: Sent) -> bool:
    outcome = call.outcome
    return (
        outcome is None
        or isinstance(outcome, Unanswered)
        or (isinstance(outcome, Refused) and outcome.error_class is ErrorClass.AMBIGUOUS)
    )


async def play(script: list[Action], folder: Path) -> Play:
    office = Office(
        folder / "outbox.db",
        people=PEOPLE,
        accounts=(ACCOUNT, OTHER),
        addresses=("491500000000", BRAZIL[0]),
    )
    await office.open()
    run = Play(office, locks=[asyncio.Lock() for _ in range(PEOPLE)])
    try:
        for action in script:
            await run.act(*action)
        await run.end()
        found = await office.parcels()
        assert await office.row(1) in [(BRAZIL[0], 0), (BRAZIL[1], 1), (BRAZIL[0], 2)]
    finally:
        await office.close()
    assert "delivery_broke" not in office.written.getvalue()
    assert "after_commit_failed" not in office.written.getvalue()
    assert office.graph.most_under_way <= SLOTS
    for number, parcel in found.items():
        calls = run.calls_of(number)
        for (place, _), (then, _) in pairwise(calls):
            assert run.may_repeat(place, then), (number, place, then)
        assert len([call for _, call in calls if is_ambiguous(call)]) <= 3
        refused = Refused(131026, ErrorClass.RECIPIENT)
        assert len([call for _, call in calls if call.outcome == refused]) <= 2
        assert parcel.state is not ParcelState.LOST
        if parcel.state is ParcelState.ACCEPTED:
            assert any(call.is_taken for _, call in calls)
    return run


def run_script(script: list[Action]) -> Play:
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(play(script, Path(folder)))


quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(st.lists(st.one_of(posts, others), min_size=3, max_size=25))
def test_nothing_is_lost_and_nothing_goes_twice(script: list[Action]) -> None:
    run = run_script(script)
    found = {call.number for call in run.office.graph.calls}
    assert run.office.metrics.value("parcels", "held") == 0
    for number in found:
        # Without a dead recipient each part arrived, or was tried three times in vain.
        calls = [call for _, call in run.calls_of(number)]
        assert (
            any(call.is_taken for call in calls)
            or len(calls) >= 3
            or any(call.outcome == Refused(131026, ErrorClass.RECIPIENT) for call in calls)
        )


@quick
@given(st.lists(st.one_of(posts, others, harsh), min_size=3, max_size=25))
def test_nor_where_processes_die_and_windows_close(script: list[Action]) -> None:
    run_script(script)


@quick
@given(
    st.lists(st.one_of(posts.map(lambda post: (*post[:3], True)), others), min_size=3, max_size=25)
)
def test_each_chat_gets_its_parts_in_order(script: list[Action]) -> None:
    run = run_script(script)
    firsts: dict[str, list[int]] = {}
    for call in run.office.graph.calls:
        numbers = firsts.setdefault(call.chat, [])
        if call.number not in numbers:
            numbers.append(call.number)
    for numbers in firsts.values():
        assert numbers == sorted(numbers)
