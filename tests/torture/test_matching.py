"""What was revoked may have been in a turn before, and then the engine saw its mood too."""

import pytest

from openparallax.model.parcel import ParcelState
from openparallax.session.notices import SENTENCES
from tests.flow.kill.records import Row
from tests.torture.canary import Canary
from tests.torture.matching import Facts, Matching, Part, Reply
from tests.torture.model import Heard, Where
from tests.torture.programme import WORDS

SAID = 1
"""The message that must have an outcome."""


def failed() -> Reply:
    row = Row(1, 1, "1", "2", 1, "engine_failed", ParcelState.ACCEPTED, 1, 0, is_twice=False)
    return Reply((Part(row, SENTENCES["engine_failed"]),))


def fault(heard: list[Heard], moods: dict[int, str], *replies: Reply) -> str | None:
    facts = Facts(
        canary=Canary.of(1),
        moods=moods,
        where=dict.fromkeys(moods, Where.ON),
        session=dict.fromkeys(moods, 1),
        ends=lambda _: 0,
        deaths=lambda _: 0,
    )
    return Matching(heard, replies, facts).fault()


@pytest.mark.parametrize(
    ("mood", "replies"), [("silent", ()), ("raise", (failed(),))], ids=["silent", "failed"]
)
def test_a_revoked_message_may_have_shaped_the_answer_of_its_neighbour(
    mood: str, replies: tuple[Reply, ...]
) -> None:
    heard = [Heard(SAID, WORDS, must=True), Heard(2, WORDS, must=False)]
    assert fault(heard, {SAID: "quick", 2: mood}, *replies) is None
    assert fault(heard, {SAID: "quick", 2: "quick"}, *replies) is not None
    assert fault(heard[:1], {SAID: "quick"}, *replies) is not None
