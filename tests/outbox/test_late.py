"""After an outage thousands of answers wait for a pace; who wrote just now goes between."""

import time

from openparallax.clock import SystemClock
from openparallax.model.parcel import Parcel
from openparallax.model.session import Mode, Session
from openparallax.model.text import SessionId
from openparallax.outbox.lanes import LATE_S, Lanes
from openparallax.storage.window import WINDOW_S

ACCOUNT = "1"


def wants_to_send(lanes: Lanes, chat: int, written_ago: float) -> None:
    lane = lanes.open(chat)
    session = Session(SessionId(chat), Mode.ON_THE_RECORD)
    until = int(time.time() - written_ago) + WINDOW_S
    lane.parcels.append(Parcel(chat, chat, ACCOUNT, "", session, chat, 1, window_until=until))
    lanes.make_ready(lane)


def taken(lanes: Lanes) -> list[int]:
    found = []
    while (line := lanes.next_line) is not None:
        first = line.first
        lane = lanes.take()
        assert lane is first
        assert lane.line is None
        found.append(lane.chat)
    return found


def test_two_rows_take_turns_and_each_keeps_its_order() -> None:
    lanes = Lanes(SystemClock())
    for chat in range(1, 5):
        wants_to_send(lanes, chat, LATE_S + 5)
    for chat in (10, 11):
        wants_to_send(lanes, chat, 0)
    assert lanes.is_waiting(ACCOUNT)
    assert taken(lanes) == [10, 1, 11, 2, 3, 4]
    assert not lanes.is_waiting(ACCOUNT)


def test_a_lane_that_turns_cold_leaves_either_row() -> None:
    lanes = Lanes(SystemClock())
    for chat, written_ago in ((1, LATE_S + 5), (2, LATE_S + 5), (3, 0), (4, 0)):
        wants_to_send(lanes, chat, written_ago)
    for chat in (1, 3):
        lane = lanes.get(chat)
        assert lane is not None
        lane.is_cold = True
        lanes.make_ready(lane)
    assert sorted(taken(lanes)) == [1, 2, 3, 4]
