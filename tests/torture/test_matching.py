"""What was answered together shares its fate, also where one of them went elsewhere later."""

from dataclasses import replace

import pytest

from openparallax.model.parcel import ParcelState
from openparallax.session.notices import SENTENCES
from tests.flow.kill.records import Row
from tests.torture.canary import Canary
from tests.torture.engine import answer_words
from tests.torture.matching import Facts, Matching, Part, Reply
from tests.torture.model import Heard, Where
from tests.torture.programme import WORDS

SAID = 1
"""The message that must have an outcome."""


def reply(notice: str, sentence: str) -> Reply:
    row = Row(1, 1, "1", "2", 1, notice, ParcelState.ACCEPTED, 1, 0, is_twice=False)
    return Reply((Part(row, SENTENCES[sentence]),))


def fault(
    heard: list[Heard],
    moods: dict[int, str],
    *replies: Reply,
    off: tuple[int, ...] = (),
    deaths: tuple[int, ...] = (0, 0, 0),
) -> str | None:
    facts = Facts(
        canary=Canary.of(1),
        moods=moods,
        where={one: Where.OFF if one in off else Where.ON for one in moods},
        session={},
        ends=lambda _: 1,
        deaths=deaths.__getitem__,
    )
    return Matching(heard, replies, facts).fault()


@pytest.mark.parametrize(
    ("mood", "replies"),
    [("silent", ()), ("raise", (reply("engine_failed", "engine_failed"),))],
    ids=["silent", "failed"],
)
def test_a_revoked_message_may_have_shaped_the_answer_of_its_neighbour(
    mood: str, replies: tuple[Reply, ...]
) -> None:
    heard = [Heard(SAID, WORDS, must=True), Heard(2, WORDS, must=False)]
    assert fault(heard, {SAID: "quick", 2: mood}, *replies) is None
    assert fault(heard, {SAID: "quick", 2: "quick"}, *replies) is not None
    assert fault(heard[:1], {SAID: "quick"}, *replies) is not None


def test_what_a_late_command_moved_off_the_record_takes_the_shared_answer_with_it() -> None:
    heard = [Heard(SAID, WORDS), Heard(2, WORDS)]
    moods = {SAID: "quick", 2: "quick"}
    assert fault(heard, moods, reply("", "lost"), off=(2,)) is None
    assert fault(heard, moods, reply("", "lost")) is not None


def test_who_waited_with_a_turn_that_kills_is_told_with_it() -> None:
    heard, moods = [Heard(SAID, WORDS), Heard(2, WORDS)], {SAID: "quick", 2: "die"}
    told = reply("killed", "killed")
    assert fault(heard, moods, told, deaths=(0, 3, 2)) is None
    assert fault(heard, moods, told, deaths=(0, 2, 2)) is not None


def test_a_part_that_was_withdrawn_may_have_answered_others_that_were_taken_over() -> None:
    canary = Canary.of(1)
    moods = {SAID: "slow", 2: "long"}
    row = Row(1, 1, "1", "2", 1, "", ParcelState.ACCEPTED, 1, 0, is_twice=False)
    words = answer_words(canary.core, [SAID, 2], "long")
    begun = Part(row, " ".join(words[:40]))
    never = Part(replace(row, number=2, state=ParcelState.WITHDRAWN), None)
    for must in (False, True):
        heard = [Heard(SAID, WORDS, must=must), Heard(2, WORDS, must=must)]
        assert fault(heard, moods, Reply((begun, never))) is None
        assert fault(heard, moods, Reply((begun,))) is not None
        assert fault(heard[:1], moods, Reply((begun, never))) is not None
    swapped = Part(row, " ".join(words[:40][::-1]))
    assert fault(heard, moods, Reply((swapped, never))) is not None
