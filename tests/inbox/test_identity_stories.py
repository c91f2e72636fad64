"""Any story of people whose ids change: their words never meet, and what is off stays off."""

import asyncio
import re
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings

from openparallax.model.messages import Relink
from openparallax.model.session import Mode
from openparallax.storage import Connection
from tests.inbox.doorway import ACCOUNT, Doorway, message
from tests.inbox.people import Event, World, story

T0 = 1_789_900_000
_MARK = re.compile(r"w\d{3}p(\d{2})w")

Story = Sequence[tuple[tuple[int, str], int, int | None, str]]


def told(script: Story) -> tuple[World, list[tuple[Event, str]]]:
    """What happens, and the events in the order in which Meta delivers them."""
    world = World(T0)
    arrivals: list[tuple[float, Event, str]] = []
    for (which, what), late_by, again, then in script:
        for event in world.act(which, what):
            place = len(arrivals)
            arrivals.append((place + late_by, event, then))
            if again is not None:
                arrivals.append((place + late_by + again + 0.5, event, ""))
    for event in world.farewell():
        arrivals.append((len(arrivals) + 20, event, ""))
    arrivals.sort(key=lambda arrival: arrival[0])
    return world, [(event, then) for _, event, then in arrivals]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(story)
def test_words_of_one_person_never_reach_another(script: Story) -> None:
    asyncio.run(_live(script))


async def _live(script: Story) -> None:
    world, arrivals = told(script)
    with tempfile.TemporaryDirectory() as folder:
        async with Doorway(Path(folder)) as doorway:
            owners: dict[int, int] = {}
            for event, then in arrivals:
                await _deliver(doorway, event, owners)
                if then == "restart":
                    await doorway.restart()
                elif then == "drop":
                    doorway.door.drop()
                elif then.startswith("answer"):
                    _look_at_prompts(
                        await doorway.answer(1 if then == "answer one" else 10_000), world
                    )
            _look_at_prompts(await doorway.answer(), world)
            written = doorway.written()
            assert [w for w in world.off_the_record() if w.encode() in written] == []
            chats: list[Any] = await doorway.database.read(_chats)
            _look_at_addresses(chats, owners, world)
            _look_at_modes(chats, world)


async def _deliver(doorway: Doorway, event: Event, owners: dict[int, int]) -> None:
    if event.becomes is not None:
        await doorway.admit(relinks=[Relink(ACCOUNT, event.sender, event.becomes, event.at)])
        return
    said = message(event.words, event.at, wamid=f"wamid.{event.at}")
    admission = await doorway.admit(replace(said, sender=event.sender))
    for envelope in admission.envelopes:
        # A chat is one person's for ever; a person may have had several that are one now.
        assert owners.setdefault(envelope.chat, event.who) == event.who


def _look_at_prompts(prompts: Sequence[tuple[object, str]], world: World) -> None:
    for _, prompt in prompts:
        assert len(set(_MARK.findall(prompt))) <= 1, prompt
    del world


def _chats(connection: Connection) -> list[Any]:
    return connection.execute(
        "SELECT c.id, c.address, s.mode, c.id IN (SELECT loser FROM merges) FROM chats c "
        "JOIN sessions s ON s.id = c.session"
    ).fetchall()


def _look_at_addresses(chats: list[Any], owners: dict[int, int], world: World) -> None:
    """No answer goes to a number that is known to be somebody else's, or nobody's."""
    holders = {person.number: person.who for person in world.acting}
    for chat, address, _, _ in chats:
        who = owners.get(chat)
        if who is not None:
            assert address not in world.persons[who].left
            assert holders.get(address, who) == who


def _look_at_modes(chats: list[Any], world: World) -> None:
    """Whoever went off the record and never came back is off it, and is one chat by now."""
    modes = {address: mode for _, address, mode, is_loser in chats if not is_loser}
    for person in world.acting:
        if person.off and person.off[-1][1] is None:
            assert modes[person.number] == Mode.OFF_THE_RECORD
