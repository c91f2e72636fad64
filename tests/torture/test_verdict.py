"""The oracle: a right history passes, and each sort of wrong one is found."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from openparallax.model.parcel import ParcelState
from openparallax.session.notices import SENTENCES
from tests.fakes.behaviours import Call
from tests.flow.kill.daemon import Life
from tests.flow.kill.moods import Attempt
from tests.flow.kill.records import Records, Row
from tests.torture.book import Book
from tests.torture.canary import Canary
from tests.torture.daemon import NUMBERS
from tests.torture.engine import answer_words
from tests.torture.people import number_of
from tests.torture.playing import Asked, Played
from tests.torture.programme import ECHO, FORGET, WORDS, Message, Programme, Step
from tests.torture.verdict import Sessions, judge

CANARY = Canary.of(1)
ANN = number_of(0)
ON, BENEATH, OFF = (False, 0, None), (False, 1, None), (True, 2, 0)


class Story:
    """What happened, as a test tells it; by default all is well.

    Ann says 1 and 2, goes off the record with 3, comes back, and asks for a long answer to 5.
    """

    def __init__(self) -> None:
        said = [
            Message(1, 0, WORDS, 1),
            Message(2, 0, WORDS, 2),
            Message(3, 0, "/otr words", 3),
            Message(4, 0, "/otr off", 4),
            Message(5, 0, WORDS, 5, mood="long"),
            Message(6, 0, WORDS, 6, mood="raise"),
        ]
        self.programme = Programme(1, 1, tuple(Step("post", ((one,),)) for one in said))
        self.sessions: Sessions = [ON, OFF]
        self.open = 0
        self.rows: list[Row] = []
        self.attempts: list[Attempt] = []
        self.told: dict[int, set[str]] = {}
        self.lives = [Life(0.0, 0.1, 100.0)]
        self.asked: list[Asked] = []
        self.deaths: list[float] = []
        self.failed: set[int] = set()
        self.reloads: list[float] = []
        self.lag_s = 0.0
        self.taken: dict[int, float] = {}
        self.part(2, "otr", SENTENCES["otr"], turn=3)
        self.part(1, "", self.answer(1, 2), turn=2)
        self.part(3, "", self.answer(3), turn=4)
        self.part(4, "otr_off", SENTENCES["otr_off"], turn=5)
        words = self.answer(5, mood="long")
        self.part(5, "", words[: len(words) // 2], turn=6)
        self.part(6, "", words[len(words) // 2 :], turn=6)
        self.part(7, "engine_failed", SENTENCES["engine_failed"], turn=7)
        self.rows.sort(key=lambda row: row.number)
        self.ask("on", 1, 2)
        self.ask("off", 3)
        self.ask("on", 5, history=(1, 2))

    def answer(self, *numbers: int, mood: str = "quick") -> str:
        words = answer_words(CANARY.core, list(numbers), mood)
        half = len(words) // 2  # so that a cut in the middle cuts no word
        return " ".join(words[:half]).ljust(len(" ".join(words[half:]))) + " ".join(words[half:])

    def part(self, number: int, notice: str, body: str, *, turn: int) -> None:
        self.rows.append(
            Row(
                number, 1, ANN, NUMBERS[0], turn, notice, ParcelState.ACCEPTED, 1, 0, is_twice=False
            )
        )
        self.send(number, body, at=10.0 + number)

    def send(
        self, number: int, body: str, *, at: float, mood: str = "clean", taken: bool = True
    ) -> None:
        wamid = f"wamid.{len(self.attempts)}"
        call = Call(
            len(self.attempts), ANN, body, f"{number:x}.t", NUMBERS[0], "", at, {}, wamid, ""
        )
        answered = at if mood == "clean" else None
        self.attempts.append(Attempt(call, number, taken, mood, answered, told=None))
        self.attempts.sort(key=lambda one: one.at)
        if taken:
            self.told.setdefault(number, set()).add(wamid)

    def ask(self, mode: str, *numbers: int, history: tuple[int, ...] = ()) -> None:
        text, before = (
            " ".join(CANARY.asked(number) for number in some) for some in (numbers, history)
        )
        self.asked.append(Asked(20.0, mode, text, [before]))

    def change(self, number: int, **changes: object) -> None:
        self.rows = [
            replace(row, **changes) if row.number == number else row  # type: ignore[arg-type]
            for row in self.rows
        ]

    def drop(self, number: int) -> None:
        self.rows = [row for row in self.rows if row.number != number]
        self.attempts = [one for one in self.attempts if one.parcel != number]
        self.told.pop(number, None)

    def take_over(self, at: int) -> None:
        """Ann says 7, and at ``at`` a person of ours writes 8, which is taken at second 30."""
        said = [Message(7, 0, WORDS, 7), Message(8, 0, ECHO, at)]
        more = tuple(Step("post", ((one,),)) for one in said)
        self.programme = replace(self.programme, steps=(*self.programme.steps, *more))
        self.taken[8] = 30.0

    def findings(self) -> list[str]:
        book = Book(self.programme)
        for group in book.groups:
            for posted in group:
                taken = self.taken.get(posted.request[0].number, 2.0)
                posted.sent, posted.taken, posted.tries = taken - 1.0, taken, 1
        played = Played(book, CANARY)
        played.attempts, played.told, played.lives = self.attempts, self.told, self.lives
        played.asked, played.deaths, played.failed = self.asked, self.deaths, self.failed
        played.reloads, played.lag_s = self.reloads, self.lag_s
        played.records = Records("ok", 0, self.rows, {}, [])
        return judge(played, {(0, 0): (self.sessions, self.open)}).findings


def test_a_right_history_passes() -> None:
    assert Story().findings() == []


def _no_answer(story: Story) -> None:
    story.drop(3)


def _answered_twice(story: Story) -> None:
    story.part(9, "", story.answer(1), turn=9)


def _another_order(story: Story) -> None:
    story.drop(1)
    story.part(9, "", story.answer(1, 2), turn=9)


def _two_sessions_in_one_answer(story: Story) -> None:
    story.drop(1)
    story.drop(3)
    story.part(1, "", story.answer(1, 2, 3), turn=4)
    story.rows.sort(key=lambda row: row.number)


def _a_part_is_missing(story: Story) -> None:
    story.drop(6)


def _parts_are_swapped(story: Story) -> None:
    five, six = (next(a for a in story.attempts if a.parcel == n) for n in (5, 6))
    for attempt, other in ((five, six), (six, five)):
        place = story.attempts.index(attempt)
        story.attempts[place] = replace(attempt, call=replace(attempt.call, body=other.call.body))


def _no_confirmation(story: Story) -> None:
    story.drop(2)


def _another_notice(story: Story) -> None:
    story.change(4, notice="otr_off_idle")


def _an_apology_for_nothing(story: Story) -> None:
    story.change(3, notice="engine_failed")


def _lost_without_a_death(story: Story) -> None:
    story.lives[0].ended = 0.5
    story.drop(3)
    story.part(3, "lost", SENTENCES["lost"], turn=4)
    story.rows.sort(key=lambda row: row.number)


def _lost_on_the_record(story: Story) -> None:
    story.drop(1)
    story.part(1, "lost", SENTENCES["lost"], turn=2)
    story.rows.sort(key=lambda row: row.number)


def _killed_without_deaths(story: Story) -> None:
    story.drop(1)
    story.part(1, "killed", SENTENCES["killed"], turn=2)
    story.rows.sort(key=lambda row: row.number)


def _still_off(story: Story) -> None:
    story.sessions, story.open = [BENEATH, (True, 0, 0)], 1


def _a_session_too_many(story: Story) -> None:
    story.sessions = [*story.sessions, (False, 2, None)]


def _asked_on_the_record(story: Story) -> None:
    story.ask("on", 3)


def _asked_off_the_record(story: Story) -> None:
    story.ask("off", 1)


def _history_of_another_session(story: Story) -> None:
    story.ask("off", 3, history=(1,))


def _sent_again_though_answered(story: Story) -> None:
    story.send(1, story.answer(1, 2), at=30.0)
    story.change(1, is_twice=True)
    story.attempts = [one for one in story.attempts if one.parcel == 1]


def _sent_again_too_early(story: Story) -> None:
    story.attempts = [
        replace(one, mood="cut after", answered=None) if one.parcel == 7 else one
        for one in story.attempts
    ]
    story.send(7, SENTENCES["engine_failed"], at=17.2)
    story.change(7, is_twice=True)


def _twice_and_not_counted(story: Story) -> None:
    _sent_again_too_early(story)
    story.change(7, is_twice=False)


def _counted_and_not_twice(story: Story) -> None:
    story.change(1, is_twice=True)


def _taken_and_given_up(story: Story) -> None:
    story.change(1, state=ParcelState.UNCONFIRMED)


def _given_up_at_once(story: Story) -> None:
    story.attempts = [
        replace(one, is_taken=False, mood="cut before", answered=None) if one.parcel == 7 else one
        for one in story.attempts
    ]
    story.told.pop(7)
    story.change(7, state=ParcelState.UNCONFIRMED, ambiguous=1)


def _behind_its_turn(story: Story) -> None:
    story.send(3, story.answer(3), at=40.0, mood="slow: pair", taken=False)


def _somebody_else_s(story: Story) -> None:
    story.change(3, address=number_of(7))


@pytest.mark.parametrize(
    ("breaks", "sort"),
    [
        (_no_answer, "outcome"),
        (_answered_twice, "outcome"),
        (_another_order, "outcome"),
        (_two_sessions_in_one_answer, "outcome"),
        (_a_part_is_missing, "outcome"),
        (_parts_are_swapped, "outcome"),
        (_no_confirmation, "outcome"),
        (_another_notice, "outcome"),
        (_an_apology_for_nothing, "outcome"),
        (_lost_without_a_death, "outcome"),
        (_lost_on_the_record, "outcome"),
        (_killed_without_deaths, "outcome"),
        (_somebody_else_s, "outcome"),
        (_still_off, "session"),
        (_a_session_too_many, "session"),
        (_asked_on_the_record, "asked"),
        (_asked_off_the_record, "asked"),
        (_history_of_another_session, "asked"),
        (_sent_again_though_answered, "repeat"),
        (_sent_again_too_early, "repeat"),
        (_behind_its_turn, "repeat"),
        (_twice_and_not_counted, "twice"),
        (_counted_and_not_twice, "twice"),
        (_taken_and_given_up, "parcel"),
        (_given_up_at_once, "parcel"),
    ],
)
def test_a_wrong_history_is_found(breaks: Callable[[Story], None], sort: str) -> None:
    story = Story()
    breaks(story)
    assert sort in {finding.partition(":")[0] for finding in story.findings()}


def test_words_that_went_with_a_death_are_excused() -> None:
    story = Story()
    story.drop(3)
    story.part(3, "lost", SENTENCES["lost"], turn=4)
    story.rows.sort(key=lambda row: row.number)
    assert story.findings() == []


def test_a_turn_that_kills_is_excused_after_three_deaths() -> None:
    story = Story()
    story.drop(1)
    story.part(1, "killed", SENTENCES["killed"], turn=2)
    story.rows.sort(key=lambda row: row.number)
    story.deaths = [3.0, 4.0, 5.0]
    assert story.findings() == []


def test_of_two_that_were_taken_one_failed_so_none_is_counted() -> None:
    story = Story()
    _twice_and_not_counted(story)
    story.failed = {7}
    assert not [finding for finding in story.findings() if finding.startswith("twice")]


def _refused_for_the_token(story: Story) -> None:
    story.send(3, story.answer(3), at=12.95, mood="slow: 190", taken=False)


def test_what_was_refused_goes_at_once_only_where_another_way_was_taken() -> None:
    story = Story()
    _refused_for_the_token(story)
    assert [found for found in story.findings() if "too early" in found]
    story.reloads = [12.96]
    assert not [found for found in story.findings() if "too early" in found]
    story.reloads = [14.0]
    assert [found for found in story.findings() if "too early" in found]
    story.lag_s = 2.0  # whoever noted it stood still
    assert not [found for found in story.findings() if "too early" in found]


def test_what_a_process_sent_as_it_died_may_arrive_in_the_next_one_s_time() -> None:
    story = Story()
    story.send(3, story.answer(3), at=10.0, mood="cut before", taken=False)
    story.lives = [Life(0.0, 0.1, 12.8), Life(12.9, 13.5, 100.0)]
    assert not [found for found in story.findings() if "too early" in found]
    story.lives = [Life(0.0, 0.1, 11.8), Life(12.9, 13.5, 100.0)]
    assert [found for found in story.findings() if "too early" in found]


def test_what_a_person_of_ours_took_over_may_have_been_answered_before() -> None:
    story = Story()
    story.take_over(at=8)
    assert story.findings() == []
    story.part(9, "", story.answer(7), turn=9)
    assert story.findings() == []
    story.change(9, state=ParcelState.WITHDRAWN)
    story.attempts = [one for one in story.attempts if one.parcel != 9]
    story.told.pop(9)
    assert story.findings() == []


def _asked_later(story: Story) -> None:
    story.asked.append(Asked(31.5, "on", CANARY.asked(7), []))


def _answered_later(story: Story) -> None:
    story.part(21, "", story.answer(7), turn=9)  # at second 31


def _answered_what_came_later(story: Story) -> None:
    more = Step("post", ((Message(9, 0, WORDS, 9),),))
    story.programme = replace(story.programme, steps=(*story.programme.steps, more))
    story.part(9, "", story.answer(9), turn=9)


def _asked_what_came_later(story: Story) -> None:
    more = Step("post", ((Message(9, 0, WORDS, 9),),))
    story.programme = replace(story.programme, steps=(*story.programme.steps, more))
    story.ask("on", 9)


def _withdrew_an_answer_to_a_command(story: Story) -> None:
    story.change(4, state=ParcelState.WITHDRAWN)
    story.attempts = [one for one in story.attempts if one.parcel != 4]
    story.told.pop(4)


@pytest.mark.parametrize(
    ("breaks", "sort"),
    [
        (_asked_later, "silence"),
        (_answered_later, "silence"),
        (_answered_what_came_later, "outcome"),
        (_asked_what_came_later, "silence"),
        (_withdrew_an_answer_to_a_command, "parcel"),
    ],
)
def test_whoever_does_not_leave_it_to_them_is_found(
    breaks: Callable[[Story], None], sort: str
) -> None:
    story = Story()
    story.take_over(at=8)
    breaks(story)
    assert sort in {finding.partition(":")[0] for finding in story.findings()}


def test_what_had_been_tried_before_they_took_over_may_be_sent_again() -> None:
    story = Story()
    story.take_over(at=8)
    _answered_later(story)
    story.change(21, attempts=2)
    assert story.findings() == []


def _limited(story: Story) -> None:
    """1, 2 and 3 are enough, 5 and 6 are too many; of that there is one notice."""
    story.programme = replace(story.programme, limit=3)
    for number in (5, 6, 7):
        story.drop(number)
    story.part(5, "rate_limited", SENTENCES["rate_limited"], turn=6)
    story.asked = story.asked[:-1]


def test_too_much_is_not_answered_and_no_engine_is_shown_it() -> None:
    story = Story()
    _limited(story)
    assert story.findings() == []
    story.ask("on", 6)
    assert [one.partition(":")[0] for one in story.findings()] == ["silence"]


@pytest.mark.parametrize("times", [0, 2])
def test_of_too_much_there_is_one_notice(times: int) -> None:
    story = Story()
    _limited(story)
    story.drop(5)
    for number in range(times):
        story.part(5 + number, "rate_limited", SENTENCES["rate_limited"], turn=6 + number)
    assert [one.partition(":")[0] for one in story.findings()] == ["outcome"]


def test_a_limit_that_does_nothing_is_found() -> None:
    story = Story()
    story.programme = replace(story.programme, limit=3)
    assert [one.partition(":")[0] for one in story.findings()] == ["outcome"]


def _forgotten(story: Story) -> None:
    """At second 30; then Ann says 8 and is answered."""
    said = [Message(7, 0, FORGET, 7), Message(8, 0, WORDS, 8)]
    more = tuple(Step("post", ((one,),)) for one in said)
    story.programme = replace(story.programme, steps=(*story.programme.steps, *more))
    story.taken |= {7: 30.0, 8: 31.0}
    story.sessions, story.open = [(False, 2, None), OFF, ON], 2
    story.part(21, "", story.answer(8), turn=9)


def _shown_what_is_forgotten(story: Story) -> None:
    story.asked.append(Asked(31.5, "on", CANARY.asked(8), [CANARY.asked(2)]))


def _answered_what_is_forgotten(story: Story) -> None:
    story.part(22, "", story.answer(6), turn=10)


def _in_the_old_session(story: Story) -> None:
    story.sessions, story.open = [ON, OFF], 0


@pytest.mark.parametrize(
    ("breaks", "sort"),
    [
        (_shown_what_is_forgotten, "asked"),
        (_answered_what_is_forgotten, "outcome"),
        (_in_the_old_session, "session"),
    ],
)
def test_words_that_were_forgotten_come_back_nowhere(
    breaks: Callable[[Story], None], sort: str
) -> None:
    story = Story()
    _forgotten(story)
    assert story.findings() == []
    breaks(story)
    assert [one.partition(":")[0] for one in story.findings()] == [sort]


def test_of_a_forgotten_chat_nothing_need_be_sent() -> None:
    story = Story()
    _forgotten(story)
    story.change(7, state=ParcelState.WITHDRAWN)
    story.attempts = [one for one in story.attempts if one.parcel != 7]
    story.told.pop(7)
    story.drop(1)
    assert story.findings() == []
