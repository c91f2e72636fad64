"""Any script of words and commands, in any order of arrival, against the plain model."""

import asyncio
import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from random import Random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from openparallax.model.session import Session
from tests.inbox.doorway import Doorway, message
from tests.inbox.model import ChatModel, Talk

T0 = 1_789_999_000

what = st.sampled_from(["words", "words", "words", "/otr", "/otr off", "/new"])
step = st.tuples(what, st.integers(0, 12))
between = st.sampled_from(["", "", "", "answer", "answer one", "restart", "drop"])
script = st.lists(st.tuples(step, between), max_size=14)

Script = Sequence[tuple[tuple[str, int], str]]


def told(script: Script) -> list[tuple[str, int, str]]:
    """The script with a word of its own for each message that has words."""
    return [
        (f"w{place:03d}w" if what == "words" else what, T0 + at, then)
        for place, ((what, at), then) in enumerate(script)
    ]


@settings(max_examples=40, deadline=None)
@given(script)
@example([(("words", 5), "answer"), (("/otr", 9), ""), (("/otr", 1), "")])
@example([(("words", 5), ""), (("words", 2), "answer"), (("/otr", 3), "")])
@example([(("words", 5), "answer"), (("/new", 6), ""), (("/otr", 1), "")])
@example([(("/otr", 1), ""), (("/otr", 5), ""), (("/otr off", 3), ""), (("words", 6), "answer")])
def test_words_lie_where_the_rules_say(script: Script) -> None:
    asyncio.run(_compare(script))


async def _compare(script: Script) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with Doorway(Path(folder)) as doorway:
            model = ChatModel()
            alike: dict[Session, Talk] = {}
            for words, at, then in told(script):
                await doorway.admit(message(words, at))
                model.hear(words, at)
                written = doorway.written()
                for said in model.said:
                    if said.talk.is_off:
                        assert said.words.encode() not in written
                await _check_open(doorway, model, alike)
                if then == "answer":
                    await doorway.answer()
                elif then == "answer one":
                    await doorway.answer(1)
                elif then == "restart":
                    await doorway.restart()
                elif then == "drop":
                    doorway.door.drop()
            await doorway.answer()
            written = doorway.written()
            for said in model.said:
                assert (said.words.encode() in written) == (not said.talk.is_off)


async def _check_open(doorway: Doorway, model: ChatModel, alike: dict[Session, Talk]) -> None:
    """The waiting envelopes lie in the sessions of the model, one to one."""
    where = {said.words: said.talk for said in model.said}
    for envelope in await doorway.waiting():
        transcript = doorway.transcripts[envelope.session.mode]
        text = await transcript.read(envelope.session, envelope.number, 0)
        if text is None:
            continue
        talk = where[text.words]
        assert bool(envelope.session.mode) == talk.is_off
        assert alike.setdefault(envelope.session, talk) is talk
    assert len(set(map(id, alike.values()))) == len(alike)


@settings(max_examples=40, deadline=None)
@given(script=script, order=st.randoms(use_true_random=False))
def test_what_was_said_off_the_record_by_the_clock_is_written_nowhere(
    script: Script, order: Random
) -> None:
    """Whatever the order of arrival.

    Said strictly after an ``/otr`` and strictly before the next command that ends it, by Meta's
    timestamps: when all has arrived, it is nowhere on disk.
    """
    timed = sorted(told(script), key=lambda one: one[1])
    arriving = list(timed)
    order.shuffle(arriving)
    asyncio.run(_arrive(arriving, _off_by_the_clock(timed)))


def _off_by_the_clock(timed: Sequence[tuple[str, int, str]]) -> list[str]:
    off = []
    for words, at, _ in timed:
        if words.startswith("/"):
            continue
        commands = [
            (other, when)
            for other, when, _ in timed
            if other in ("/otr", "/otr off", "/new") and when != at
        ]
        same = any(other.startswith("/") and when == at for other, when, _ in timed)
        before = [one for one in commands if one[1] < at]
        latest = max((when for _, when in before), default=None)
        last = {other for other, when in before if when == latest}
        if last == {"/otr"} and not same:
            off.append(words)
    return off


async def _arrive(arriving: Sequence[tuple[str, int, str]], off: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with Doorway(Path(folder)) as doorway:
            for words, at, then in arriving:
                await doorway.admit(message(words, at))
                if then.startswith("answer"):
                    await doorway.answer()
                elif then == "restart":
                    await doorway.restart()
            await doorway.answer()
            written = doorway.written()
            assert [words for words in off if words.encode() in written] == []


@settings(max_examples=25, deadline=None)
@given(script=script, cuts=st.sets(st.integers(0, 14)), again=st.sets(st.integers(0, 14)))
def test_admitting_twice_is_admitting_once(script: Script, cuts: set[int], again: set[int]) -> None:
    """In batches, some of which come again, at once or at the end."""
    asyncio.run(_admit_twice(script, cuts, again))


async def _admit_twice(script: Script, cuts: set[int], again: set[int]) -> None:
    messages = [message(words, at) for words, at, _ in told(script)]
    edges = [0, *sorted(cut for cut in cuts if cut < len(messages)), len(messages)]
    batches = [messages[start:end] for start, end in pairwise(edges)]
    outcomes = []
    for repeats in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            async with Doorway(Path(folder)) as doorway:
                for place, batch in enumerate(batches):
                    await doorway.admit(*batch)
                    if repeats and place in again:
                        await doorway.admit(*batch)
                        await doorway.admit(*reversed(batch))
                if repeats:
                    await doorway.admit(*messages)
                waiting = [
                    (one.errand, one.session, one.sent_at) for one in await doorway.waiting()
                ]
                outcomes.append((waiting, await doorway.answer()))
    assert outcomes[0] == outcomes[1]
