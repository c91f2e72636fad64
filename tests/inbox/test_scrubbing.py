"""What a late ``/otr`` scrubs is in no page of the file: neither where it lay nor where it passed.

SQLite overwrites what is deleted (``secure_delete``), but not the copies that stay behind in the
free space of a page when a tree is balanced. So words must never be moved between pages.
"""

from pathlib import Path
from random import Random

import pytest

from openparallax.model.entry import ENGINE_PART, Entry, Role
from openparallax.model.envelope import Errand
from openparallax.model.text import Text
from openparallax.storage import Connection, envelopes
from openparallax.storage.database import execute
from tests.inbox.doorway import Doorway, message

T0 = 1_789_990_000


@pytest.mark.parametrize("longest", [30, 300, 3000])
@pytest.mark.parametrize("seed", range(8))
async def test_no_copy_is_left_behind(tmp_path: Path, seed: int, longest: int) -> None:
    chance = Random(seed)  # noqa: S311 - the same every time
    count = chance.choice([60, 150, 300])

    def words(name: str) -> str:
        return f"{name} " + "w" * chance.randrange(longest)

    async with Doorway(tmp_path) as doorway:
        people = [f"49151000000{n:02d}" for n in range(5)]
        for number in range(count):
            await doorway.admit(
                message(words(f"asked{number:04d}z"), T0 + number, sender=chance.choice(people))
            )
            if chance.random() < 0.5:
                await _answer(doorway, chance, words)
        await _answer(doorway, chance, words)
        gone: list[str] = []
        for person in people[:3]:
            late = T0 + chance.randrange(count)
            admission = await doorway.admit(message("/otr", late, sender=person))
            gone += [
                entry.text.words.split()[0]
                for entry in admission.entries
                if entry.role is not Role.NOTICE
            ]
        written = doorway.written()
        assert gone
        assert [name for name in gone if name.encode() in written] == []
        kept = [f"asked{n:04d}z" for n in range(count) if f"asked{n:04d}z" not in gone]
        assert all(name.encode() in written for name in kept)


async def _answer(doorway: Doorway, chance: Random, words: object) -> None:
    """End what waits, in any order of chats, as turns that run at once do."""
    assert callable(words)
    waiting = await doorway.waiting()
    chance.shuffle(waiting)
    for envelope in waiting:
        if envelope.errand is not Errand.TURN:
            continue
        session = envelope.session
        said = [Entry(session, envelope.number, ENGINE_PART, Role.ENGINE, Text(""), 0)]
        said += [
            Entry(session, envelope.number, part, Role.PART, Text(""), 0)
            for part in range(1, chance.choice([1, 1, 3]))
        ]
        filled = [
            Entry(
                one.session,
                one.turn,
                one.part,
                one.role,
                Text(words(f"said{one.turn:05d}p{one.part + 1}z")),
                0,
            )
            for one in said
        ]
        transcript = doorway.transcripts[session.mode]

        def work(
            connection: Connection,
            writes: tuple[object, ...] = (
                *transcript.keep(*filled),
                *transcript.close_turn(session, [envelope.number]),
                *envelopes.done([envelope]),
            ),
        ) -> None:
            for write in writes:
                execute(connection, write)  # type: ignore[arg-type]

        await doorway.database.unit(work)
