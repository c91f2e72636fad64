"""How fast, and how many at once."""

import asyncio
from pathlib import Path

import pytest

from tests.fakes import meta
from tests.fakes.behaviours import Behaviour, Call, ok
from tests.flow.sending import TurnedTown, is_idle
from tests.town import ANN, BOB

PEOPLE = [str(4915100000000 + n) for n in range(500)]


class Crowd:
    """Counts how many sends Graph has at once, and keeps each for a moment."""

    def __init__(self, town: TurnedTown, *, holds_s: float) -> None:
        self.now = 0
        self.most = 0
        self._holds_s = holds_s
        town.plan_with(self)

    def __call__(self, call: Call) -> Behaviour:
        del call
        self.now += 1
        self.most = max(self.most, self.now)
        answered = asyncio.Event()

        def answer() -> None:
            self.now -= 1
            answered.set()

        asyncio.get_running_loop().call_later(self._holds_s, answer)
        return Behaviour(waits_for=answered)


async def test_sends_in_flight_are_bounded_under_500_chats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = {"max_in_flight": 7, "messages_per_second": None, "pair_burst": None}
    async with TurnedTown(tmp_path, monkeypatch, changes={"outbox": limits}) as town:
        crowd = Crowd(town, holds_s=0.005)
        await town.post(*(meta.text(person, person) for person in PEOPLE))
        await town.graph.wait_for(len(PEOPLE), 120)
        assert crowd.most == 7
        for person in PEOPLE:
            assert town.heard(person) == [person]
        await town.until(lambda: not town.up.outbox.in_flight)
        assert town.up.outbox.places._free == 7


async def test_hanging_sends_to_one_person_do_not_hold_up_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {
        "outbox": {"max_in_flight": 2},
        "conversation": {"coalesce": "none"},
        "channels": {"whatsapp": {"graph_timeout_seconds": 60}},
    }
    async with TurnedTown(tmp_path, monkeypatch, changes=changes) as town:
        hanging = town.graph.hang()
        town.plan_with(lambda call: hanging if call.to == ANN else ok())
        await town.post(*(meta.text(ANN, f"{n}") for n in range(10)))
        await town.graph.wait_for_calls(1)
        for n in range(20):
            await town.say(BOB, f"{n}")
        await town.until(lambda: "\n".join(town.heard(BOB)) == "\n".join(map(str, range(20))), 50)
        assert len([call for call in town.graph.calls if call.to == ANN]) == 1
        assert hanging.waits_for is not None
        hanging.waits_for.set()


async def test_as_many_hanging_as_may_be_in_flight_hold_up_others_no_longer_than_a_time_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {
        "outbox": {"max_in_flight": 5},
        "channels": {"whatsapp": {"graph_timeout_seconds": 1.5}},
    }
    async with TurnedTown(tmp_path, monkeypatch, changes=changes) as town:
        hanging = town.graph.hang(accepts=True)
        town.plan_with(lambda call: ok() if call.to == BOB else hanging)
        await town.post(*(meta.text(person, "hi") for person in PEOPLE[:5]))
        await town.graph.wait_for_calls(5)
        await town.say(BOB, "hello")
        assert await town.hears(BOB, 1) == ["hello"]
        # A status frees its send at once.
        await town.turn(11)
        await town.graph.wait_for_calls(11)
        for call in town.graph.calls[:5]:
            await town.report(call, "sent")
        await town.until(lambda: not town.up.outbox.in_flight, 1.3)


async def test_the_pace_of_the_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = {"outbox": {"messages_per_second": 20}}
    async with TurnedTown(tmp_path, monkeypatch, changes=changes) as town:
        await town.post(*(meta.text(person, "hi") for person in PEOPLE[:100]))
        await town.until(lambda: len(town.graph.calls) == 20)
        await town.turn_until(lambda: len(town.graph.calls) == 100)
        assert len(town.graph.accepted) == 100
        for at in town.sent_at:
            assert len([one for one in town.sent_at if at <= one < at + 0.999]) <= 20
        assert town.sent_at[-1] == pytest.approx(4, abs=0.3)
        await town.until(lambda: is_idle(town))


async def test_the_pace_of_a_chat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = {
        "outbox": {"pair_burst": 3, "pair_interval_seconds": 6},
        "conversation": {"coalesce": "none"},
    }
    async with TurnedTown(tmp_path, monkeypatch, changes=changes) as town:
        await town.post(*(meta.text(ANN, f"{n}") for n in range(6)))
        assert await town.hears(ANN, 3) == ["0", "1", "2"]
        await town.settle()
        await town.say(BOB, "meanwhile")
        await town.hears(BOB, 1)
        assert len(town.heard(ANN)) == 3
        await town.turn_until(lambda: len(town.heard(ANN)) == 6)
        ann = [
            at for at, call in zip(town.sent_at, town.graph.calls, strict=True) if call.to == ANN
        ]
        assert ann == pytest.approx([0, 0, 0, 6, 12, 18], abs=0.01)
        assert town.heard(ANN) == ["0", "1", "2", "3", "4", "5"]


async def test_what_waits_for_its_time_costs_no_pace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking whether a parcel may go yet is no send."""
    async with TurnedTown(
        tmp_path, monkeypatch, changes={"outbox": {"pair_burst": 2, "receipt_wait_seconds": 5}}
    ) as town:
        town.graph.queue(Behaviour(accepts=False, cuts=True))
        await town.say(ANN, "hello")
        await town.until(lambda: bool(town.logged("send_unanswered")))
        for _ in range(4):
            town.up.outbox.reload(1)
            await town.turn(1)
        await town.turn(2)
        assert await town.hears(ANN, 1) == ["hello"]
        assert town.sent_at == pytest.approx([5], abs=0.01)


async def test_to_is_plus_and_digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with TurnedTown(tmp_path, monkeypatch) as town:
        await town.say(ANN, "hello")
        await town.say("5511987654321", "olá")
        await town.graph.wait_for(2)
        assert {call.request["to"] for call in town.graph.calls} == {f"+{ANN}", "+5511987654321"}
