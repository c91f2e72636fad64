"""Many messages on their way while one configuration after the other is taken over."""

import asyncio
import random
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from openparallax.app import plugged
from openparallax.config import EngineChoice
from openparallax.errors import ConfigError
from openparallax.plugin import Reply, Tools, Turn
from tests.fakes import meta
from tests.fakes.engines import FakeEngine
from tests.town import Town

PEOPLE = [f"49151{number:08}" for number in range(8)]
MESSAGES = 10
CHANGES = 25
STRANGERS = ["+4915999999999", "+4915999999998"]


class Hurried(FakeEngine):
    """Echoes after a moment; an engine that was closed must not be asked any more."""

    def __init__(self, choice: EngineChoice, dice: random.Random) -> None:
        async def answer(turn: Turn) -> Reply:
            assert not self.was_closed
            await asyncio.sleep(dice.random() / 100)
            assert not self.was_closed, "closed with a turn in it"
            return Reply(text=turn.text)

        super().__init__(answer)
        self.choice = choice


class Change:
    """One configuration after the other, some of them wrong."""

    def __init__(self, town: Town, dice: random.Random) -> None:
        self._town = town
        self._dice = dice
        self.engine = "echo"

    def any(self) -> dict[str, Any]:
        dice, folder = self._dice, self._town.folder
        token = f"token-{dice.randrange(3)}"
        self._town.graph.tokens = {meta.PHONE_NUMBER_ID: token}
        (folder / "token").write_text(token)
        self.engine = dice.choice(["echo", "anthropic"])
        return {
            "channels": {
                "whatsapp": {
                    "access_token": f"file:{folder / 'token'}",
                    "allowed_numbers": [f"+{one}" for one in PEOPLE] + dice.sample(STRANGERS, 1),
                    "graph_timeout_seconds": dice.choice([10, 20]),
                    "presence": dice.choice(["none", "typing"]),
                    "verify_token": dice.choice(["one", "another"]),
                }
            },
            "engine": {"type": self.engine, **({"api_key": "k"} if self.engine != "echo" else {})},
            "pipeline": [{"time_limit": {"seconds": dice.choice([60, 120])}}],
            "conversation": {
                "max_concurrent_turns": dice.choice([2, 5, 100]),
                "coalesce": dice.choice(["queued", "none"]),
                "history_messages": dice.choice([0, 40]),
            },
            "outbox": {
                "max_in_flight": dice.choice([1, 3, 50]),
                "messages_per_second": dice.choice([None, 500]),
                "pair_burst": dice.choice([None, 1000]),
                "receipt_wait_seconds": dice.choice([0.3, 10]),
            },
        }

    def wrong(self) -> dict[str, Any]:
        return {"conversation": {"coalesce": "sometimes"}}


@pytest.mark.usefixtures("catalogs_at_hand")
async def test_nothing_is_lost_and_nobody_is_answered_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice, made = random.Random(1), list[Hurried]()  # noqa: S311 - to be played again

    def load(choice: EngineChoice, _tools: Tools) -> Hurried:
        if dice.random() < 0.1 and made:
            raise ConfigError([f"{choice.place}: could not be made"])
        made.append(Hurried(choice, dice))
        return made[-1]

    monkeypatch.setattr(plugged, "load_engine", load)
    async with Town(tmp_path, monkeypatch, own_engines=True, log_level="info") as town:
        change = Change(town, dice)

        async def talk(person: str) -> None:
            for number in range(MESSAGES):
                await town.say(person, f"{person} {number}")
                await asyncio.sleep(dice.random() / 50)

        async def reload() -> tuple[int, int]:
            applied = refused = 0
            for number in range(CHANGES):
                is_wrong = number % 5 == 4
                before = town.up.settings
                outcome = await town.reload(change.wrong() if is_wrong else change.any())
                if outcome.problems:
                    assert town.up.settings is before
                applied += bool(outcome.applied)
                refused += bool(outcome.problems)
                await asyncio.sleep(0.005)
            return applied, refused

        reloading = asyncio.create_task(reload())
        await asyncio.gather(*map(talk, PEOPLE))
        applied, refused = await reloading
        await town.reload(change.any())
        for person in PEOPLE:
            await town.until(partial(has_heard_all, town, person))
        await town.quiet()
        for person in PEOPLE:
            assert lines(town, person) == [f"{person} {number}" for number in range(MESSAGES)]
        assert applied > CHANGES / 2
        assert refused > 2
        assert {one.choice.type for one in made if one.asked} == {"echo", "anthropic"}
        in_use = town.up._exchange.fittings.plugged.on.engine
        await town.until(lambda: all(one.was_closed for one in made if one is not in_use))
        await town.until(lambda: not town.up._exchange._tasks)
        assert "turn_broke" not in town.log.getvalue()
        assert "engine_failed" not in town.log.getvalue()
    assert all(one.was_closed for one in made)


def has_heard_all(town: Town, person: str) -> bool:
    return len(lines(town, person)) >= MESSAGES


def lines(town: Town, person: str) -> list[str]:
    return "\n".join(town.heard(person)).split("\n") if town.heard(person) else []
