"""What an operator may ask to be sent, and how it is known until when that is allowed."""

from typing import Any

import pytest

from openparallax.errors import Refusal
from openparallax.storage import Connection, window
from tests.fakes import meta
from tests.fakes.engines import FakeEngine, Gate
from tests.town import ANN, Town

GOOD = {"to": ANN, "account": None, "text": "hello", "wait": 5}
DAY_S = 86400


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"to": None}, "to must be a number or an id"),
    ({"to": 4915112345678}, "to must be a number or an id"),
    ({"to": "12"}, "neither a telephone number"),
    ({"to": ""}, "neither a telephone number"),
    ({"account": 7}, "account an id or null"),
    ({"account": "7"}, "is not configured"),
    ({"text": None}, "no text"),
    ({"text": " \n\t"}, "no text"),
    ({"text": "x" * 20_001}, "20001 characters; 20000 are the most"),
    ({"text": "\ud83d"}, "not valid Unicode"),
    ({"wait": -1}, "0 to 600"),
    ({"wait": float("nan")}, "0 to 600"),
    ({"wait": True}, "number of seconds"),
    ({"wait": "5"}, "number of seconds"),
]


async def test_wrong_arguments_are_refused(town: Town) -> None:
    for wrong, says in WRONG:
        with pytest.raises(Refusal, match=says) as refused:
            await town.up.posting.send({**GOOD, **wrong})
        assert refused.value.exit_code == 2
        assert ANN not in str(refused.value)


async def test_a_number_in_any_spelling(town: Town) -> None:
    await town.say(ANN, "hello")
    await town.hears(ANN, 1)
    for spelling in (ANN, f"+{ANN}", f"00{ANN}", "+49 (0) 1511-2345678"):
        answer = await town.up.posting.send({**GOOD, "to": spelling})
        assert answer["state"] == "accepted"


async def test_somebody_without_a_number(town: Town) -> None:
    who = "US.13491208655302741918"
    await town.post(meta.text(None, "hello", user_id=who))
    await town.hears(who, 1)
    answer = await town.up.posting.send({**GOOD, "to": who})
    assert answer["state"] == "accepted"
    assert town.heard(who) == ["hello", "hello"]


async def known_until(town: Town) -> int:
    def read(connection: Connection) -> int:
        return window.known_until(connection, 1, town.clock.now())

    return await town.up.database.read(read)


async def test_each_trace_of_a_message_tells_the_window(town: Town, engine: FakeEngine) -> None:
    assert await known_until(town) == 0
    at = int(town.clock.now()) - 1000
    gate = Gate()
    engine.answer_with = gate
    await town.say(ANN, "hello", at=at)
    assert await known_until(town) == at + DAY_S  # by what waits
    gate.open()
    await town.hears(ANN, 1)
    await town.quiet()
    await empty(town, "parcels")
    assert await known_until(town) == at + DAY_S  # by the words
    await town.say(ANN, "/otr", at=at + 1)
    await town.say(ANN, "unwritten", at=at + 2)
    await town.hears(ANN, 3)
    await town.quiet()
    assert await known_until(town) == at + 2 + DAY_S  # by what was sent
    await empty(town, "parcels", "session_turns")
    assert await known_until(town) == 0


async def empty(town: Town, *tables: str) -> None:
    def work(connection: Connection) -> None:
        for table in tables:
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 - two words of this file

    await town.up.database.unit(work)
