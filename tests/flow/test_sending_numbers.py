"""Several of our numbers, from signed POST to what Graph received."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.fakes import meta
from tests.flow.sending import TurnedTown, is_idle
from tests.town import ANN, BOB

FIRST, SECOND = meta.PHONE_NUMBER_ID, "2000000000000002"


def changes_for(folder: Path, *, has_second: bool = True) -> dict[str, Any]:
    """A configuration with the second number, whose token stands in a file, or without it."""
    token = folder / "second.token"
    token.write_text("another")
    second = {"phone_number_id": SECOND, "access_token": f"file:{token}"}
    return {"channels": {"whatsapp": {"accounts": [second] if has_second else []}}}


@pytest_asyncio.fixture
async def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TurnedTown]:
    async with TurnedTown(tmp_path, monkeypatch, changes=changes_for(tmp_path)) as town:
        town.graph.tokens = {FIRST: "token", SECOND: "another"}
        yield town


async def say(town: TurnedTown, sender: str, words: str, *, to: str) -> None:
    await town.post(meta.text(sender, words, phone_number_id=to))


def sent(town: TurnedTown, sender: str) -> list[tuple[str, str]]:
    """What ``sender`` got, and from which of our numbers."""
    return [(call.phone_number_id, call.body) for call in town.graph.accepted if call.to == sender]


async def test_each_number_answers_for_itself_with_its_own_token(town: TurnedTown) -> None:
    await say(town, ANN, "one", to=FIRST)
    await say(town, ANN, "two", to=SECOND)
    await say(town, BOB, "three", to=SECOND)
    await town.graph.wait_for(3)
    assert sorted(sent(town, ANN)) == sorted([(FIRST, "one"), (SECOND, "two")])
    assert sent(town, BOB) == [(SECOND, "three")]
    await town.until(lambda: is_idle(town))


async def test_a_dead_token_of_one_number_leaves_the_other_alone(town: TurnedTown) -> None:
    town.graph.tokens[SECOND] = "renewed"
    for sender in (ANN, BOB):
        await say(town, sender, "to the second", to=SECOND)
        await say(town, sender, "to the first", to=FIRST)
    await town.graph.wait_for(2)
    assert [call.phone_number_id for call in town.graph.accepted] == [FIRST, FIRST]
    assert {line["account"] for line in town.logged("account_paused")} == {SECOND}
    town.graph.tokens[SECOND] = "another"
    await town.turn_until(lambda: len(town.graph.accepted) == 4)
    assert {line["account"] for line in town.logged("account_resumed")} == {SECOND}
    assert sent(town, ANN) == [(FIRST, "to the first"), (SECOND, "to the second")]


async def test_what_a_number_has_to_send_waits_while_it_is_not_configured(
    town: TurnedTown,
) -> None:
    town.graph.tokens[SECOND] = "renewed"
    await say(town, ANN, "kept", to=SECOND)
    await town.until(lambda: bool(town.logged("account_paused")))
    town.changes = changes_for(town.folder, has_second=False)
    await town.restart()
    await say(town, ANN, "hello", to=FIRST)
    await town.graph.wait_for(1)
    await town.turn(600)
    sends = [one for one in town.graph.emulator.wire.exchanges if one.path.endswith("/messages")]
    assert len(sends) == 2  # the refused one, and "hello"
    assert [line["account"] for line in town.logged("account_not_served")] == [SECOND]
    town.graph.tokens[SECOND] = "another"
    town.changes = changes_for(town.folder)
    await town.restart()
    await town.graph.wait_for(2)
    assert sent(town, ANN) == [(FIRST, "hello"), (SECOND, "kept")]
