"""Strangers attack; Meta is acknowledged in her usual time, and the daemon stays what it was."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from openparallax.webhook.crowd import MOST_CONNECTIONS
from tests.faults.net import floods, many, slow
from tests.faults.net.figures import FIGURES
from tests.faults.net.siege import Besieged, besieged
from tests.faults.net.strangers import Attack

WORST_S = 5.0
"""No acknowledgement may take longer, unless the machine is slow without attackers too."""
SLOWER = 15.0
"""How many times as long as without attackers they may take, who have a processor of their own."""
FAST_S = 0.25
"""What is faster than this is not slow, whatever it is compared with: Meta asks for it."""
META_WAITS_S = 10.0
"""What is judged on any machine: an acknowledgement after this is one that Meta gave up on. Where
one takes seconds without attackers too, the machine is too busy to say more than `SLOWER`."""
TRIES = 3
OTHER_DESCRIPTORS = 150
"""What the daemon may have open besides strangers' connections."""


@dataclass(frozen=True)
class Case:
    """An attack, and what it may cost.

    Attributes:
        listener: ``public``, ``admin`` or ``socket``.
        most_mb: By how much memory may grow.
        met_with: What the attackers must have seen, by the names of their tally; " or " stands
            between those of which one will do.
        descriptors: How many the daemon may have.
        leaves_time: Acknowledgements must be in time. Not beside who sends as much as the machine
            can carry: there they wait in line, and none is lost.
    """

    attack: Attack
    listener: str = "public"
    is_secured: bool = False
    seconds: float = 5.0
    most_mb: float = 60.0
    met_with: tuple[str, ...] = ()
    descriptors: int | None = None
    leaves_time: bool = True

    @property
    def most_descriptors(self) -> int:
        room = MOST_CONNECTIONS if self.descriptors is None else self.descriptors // 2
        return room + OTHER_DESCRIPTORS

    @property
    def name(self) -> str:
        where = "tls" if self.is_secured else self.listener
        limit = f", {self.descriptors} fds" if self.descriptors else ""
        return f"{self.attack.__name__} ({where}{limit})"


SHORT = (
    Case(slow.dripping_bodies, seconds=13, met_with=("408",)),
    Case(many.idle_connections, met_with=("closed", "still open"), descriptors=1024),
    Case(many.cut_anywhere),
    Case(many.stalled_handshakes, is_secured=True, most_mb=250, met_with=("closed",)),
    Case(floods.bodies_almost_whole, most_mb=500, met_with=("408",), leaves_time=False),
    Case(floods.tiny_chunks, met_with=("401 or 408 or cut",)),
    Case(slow.answers_not_read, met_with=("cut",)),
)
LONG = (
    Case(slow.dripping_headers, seconds=136, met_with=("closed",)),
    Case(slow.dripping_header_lines, seconds=136, met_with=("closed",)),
    Case(slow.dripping_chunks, seconds=13, met_with=("408",)),
    Case(slow.endless_extensions, seconds=13, met_with=("408",)),
    Case(slow.endless_trailers, seconds=13, met_with=("408",)),
    Case(slow.half_sent_bodies, seconds=13, met_with=("408",)),
    Case(slow.half_closed, met_with=("closed",)),
    Case(slow.dripping_bodies, is_secured=True),
    Case(slow.metrics_not_read, listener="admin"),
    Case(slow.metrics_not_read, listener="socket"),
    Case(slow.dripping_headers, listener="admin", seconds=35, met_with=("closed",)),
    Case(many.idle_connections, most_mb=120, met_with=("closed", "still open")),
    Case(many.idle_connections, listener="admin", met_with=("closed", "still open")),
    Case(many.idle_connections, listener="socket", met_with=("closed", "still open")),
    Case(many.waiting_bodies, most_mb=150, met_with=("closed",)),
    Case(many.idle_after_a_request, most_mb=120, met_with=("closed", "200")),
    Case(many.opened_and_closed),
    Case(many.opened_and_closed, listener="admin"),
    Case(many.opened_and_closed, is_secured=True),
    Case(many.garbage_for_a_handshake, is_secured=True, met_with=("closed",)),
    Case(many.handshakes, is_secured=True),
    Case(many.cut_anywhere, is_secured=True),
    Case(floods.largest_bodies, most_mb=200, met_with=("401",), leaves_time=False),
    Case(floods.larger_bodies, most_mb=200, met_with=("413",), leaves_time=False),
    Case(floods.many_headers, met_with=("400",)),
    Case(floods.huge_headers, met_with=("200",)),
    Case(floods.huge_headers, listener="admin", met_with=("200",)),
    Case(floods.one_endless_header, met_with=("400",)),
    Case(floods.bombs, met_with=("401",)),
    Case(floods.pipelines, met_with=("401",)),
    Case(floods.forged_messages, met_with=("401",)),
)
CASES = [
    *(pytest.param(case, id=case.name) for case in SHORT),
    *(pytest.param(case, id=case.name, marks=pytest.mark.long) for case in LONG),
]


@pytest.mark.parametrize("case", CASES)
async def test_meta_is_acknowledged_beside_an_attack(
    case: Case,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
    pytestconfig: pytest.Config,
) -> None:
    in_time = (
        in_usual_time
        if pytestconfig.getoption("--judge-times", default=False)
        else before_meta_gives_up
    )
    async with besieged(
        tmp_path, is_secured=case.is_secured, descriptors=case.descriptors
    ) as siege:
        listener = siege.listener(case.listener)
        for left in reversed(range(TRIES)):
            found = await siege.attacked(case.attack, listener, case.seconds)
            if not left or in_time(found) or not case.leaves_time:
                break
        record_property(FIGURES, [case.name, *found.figures])
        assert in_time(found) or not case.leaves_time, found.figures
        before, peak = found.memory_mb
        assert peak - before < case.most_mb, found.figures
        for wanted in case.met_with:
            assert set(wanted.split(" or ")) & set(found.tally), found.tally
        assert found.descriptors[1] < case.most_descriptors, found.figures
        assert len(found.lines) < 10, found.lines[:20]
        status, _ = await siege.daemon.readiness()
        assert status == 200


def before_meta_gives_up(found: Besieged) -> bool:
    """Whether each acknowledgement was in time to be one, however busy the machine is."""
    most_s = max(META_WAITS_S, SLOWER * found.before.worst)
    return not found.during.in_vain and found.during.worst < most_s


def in_usual_time(found: Besieged) -> bool:
    """Whether acknowledgements took what they usually take. Says something on a quiet machine."""
    pairs = ((found.before.p50, found.during.p50), (found.before.p99, found.during.p99))
    return found.during.worst < max(WORST_S, SLOWER * found.before.worst) and all(
        during < max(FAST_S, SLOWER * before) for before, during in pairs
    )
