"""Whatever goes wrong, each message arrives, and in order for each person."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from openparallax.emulator import Emulator
from tests.emulator.bot import Bot, answers

PEOPLE = ("ann", "bob", "carol")
FAULTS = {
    "duplicate": "",
    "batch": "3",
    "delay": "5",
    "bad_signature": "",
    "wrong_number": "",
}


@dataclass(frozen=True)
class Switch:
    name: str
    person: str | None
    is_on: bool
    times: int | None


people = st.sampled_from(PEOPLE)
switches = st.builds(
    Switch,
    st.sampled_from([*FAULTS]),
    st.none() | people,
    st.booleans(),
    st.none() | st.integers(1, 3),
)
steps = st.lists(people | switches, max_size=14)
moods = st.lists(st.sampled_from([200, 200, 503, 500, 302, 401, None]), max_size=10)


async def play(script: Sequence[str | Switch], mood: Sequence[int | None]) -> list[str]:
    """The words that a bot took, in order, each once."""
    async with Emulator() as emulator, Bot(emulator.world.account.app_secret) as bot:
        emulator.delivery.url = bot.url
        bot.mood = answers(*mood)
        for number, step in enumerate(script):
            if isinstance(step, str):
                emulator.say(step, f"{step} {number}")
            elif step.is_on:
                value = FAULTS.get(step.name, "")
                emulator.faults.set(step.name, person=step.person, value=value, times=step.times)
            else:
                emulator.faults.clear(step.name, person=step.person)
            await asyncio.sleep(0)
        emulator.faults.clear("bad_signature")
        async with asyncio.timeout(30):
            while emulator.delivery.waiting:
                emulator.clock.move(5)
                await asyncio.sleep(0.001)
        statuses = {message.status for message in emulator.world.all_messages()}
        assert statuses <= {"delivered"}
        return list(dict.fromkeys(bot.texts))


@settings(max_examples=25, deadline=None)
@given(steps, moods)
def test_each_message_arrives_and_in_order_by_person(
    script: list[str | Switch], mood: list[int | None]
) -> None:
    heard = asyncio.run(play(script, mood))
    said = [f"{step} {number}" for number, step in enumerate(script) if isinstance(step, str)]
    assert sorted(heard) == sorted(said)
    for person in PEOPLE:
        assert of(heard, person) == of(said, person)


@settings(max_examples=10, deadline=None)
@given(steps, moods)
def test_with_reorder_each_arrives_still(
    script: list[str | Switch], mood: list[int | None]
) -> None:
    overtaking = Switch("reorder", None, is_on=True, times=None)
    heard = asyncio.run(play([overtaking, *script], mood))
    assert len(heard) == sum(isinstance(step, str) for step in script)


def of(words: Sequence[str], person: str) -> list[str]:
    return [word for word in words if word.startswith(person)]
