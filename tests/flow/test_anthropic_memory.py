"""What the model is shown of a conversation, seen on its side of the wire."""

import asyncio
import logging
import random
from itertools import pairwise
from pathlib import Path

import pytest

from openparallax.session.notices import SENTENCES
from tests.fakes import meta
from tests.fakes.messages_api import MessagesApi
from tests.flow.claude import SYSTEM, conversation, seen, town_with_claude
from tests.town import ANN, Town


async def ask(town: Town, api: MessagesApi, words: str) -> list[tuple[str, str]]:
    """Say ``words``, wait for the answer; what the model was shown."""
    before = len(api.asked)
    await town.say(ANN, words)
    await town.until(lambda: len(api.asked) > before)
    await town.quiet()
    assert len(api.asked) == before + 1
    return api.asked[-1].flat


async def tell(town: Town, command: str) -> None:
    """Say something that the house itself answers."""
    before = len(town.heard(ANN))
    await town.say(ANN, command)
    await town.hears(ANN, before + 1)
    await town.quiet()


async def test_what_the_model_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with town_with_claude(tmp_path, monkeypatch) as (town, api):
        # One conversation, with the house's own sentences in between
        assert await ask(town, api, "alpha one") == conversation("alpha one")
        await tell(town, "/help")
        await tell(town, "/hlep")
        said = conversation("alpha one", "alpha two")
        assert await ask(town, api, "alpha two") == said
        assert api.asked[-1].marked[:2] == [SYSTEM, "re alpha one"]
        # An answer in several parts is one answer
        long = "alpha " + "word " * 1000
        api.will_say(long)
        await ask(town, api, "alpha three")
        assert (await ask(town, api, "alpha four"))[-3:] == [
            ("user", "alpha three"),
            ("assistant", long),
            ("user", "alpha four"),
        ]
        on_the_record = api.asked[-1].flat
        # Off the record: nothing from before
        await tell(town, "/otr")
        assert await ask(town, api, "beta one") == conversation("beta one")
        assert await ask(town, api, "beta two") == conversation("beta one", "beta two")
        # Back: the conversation from before, and nothing off the record
        await tell(town, "/otr off")
        assert await ask(town, api, "alpha five") == [
            *on_the_record,
            ("assistant", "re alpha four"),
            ("user", "alpha five"),
        ]
        # From the disk
        await town.restart()
        assert (await ask(town, api, "alpha six"))[-3:] == conversation("alpha five", "alpha six")
        # Afresh
        await tell(town, "/new")
        assert await ask(town, api, "gamma one") == conversation("gamma one")
        await town.say(ANN, "/new delta one")
        await town.quiet()
        assert api.asked[-1].flat == conversation("delta one")
        # Off the record over a restart: the mode stays, the words do not
        await tell(town, "/otr")
        await ask(town, api, "epsilon one")
        await town.restart()
        assert await ask(town, api, "epsilon two") == conversation("epsilon two")

        for asked in api.asked:
            assert not any(sentence in seen(asked) for sentence in SENTENCES.values())
            assert "What you can write" not in seen(asked)
            assert sum(topic in seen(asked) for topic in TOPICS) == 1
        written = town.log.getvalue() + caplog.text
        assert not any(f"{topic} one" in written for topic in TOPICS)
        assert b"beta" not in town.written()
        assert b"epsilon" not in town.written()


TOPICS = ("alpha", "beta", "gamma", "delta", "epsilon")


async def test_messages_answered_together_are_one_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with town_with_claude(tmp_path, monkeypatch) as (town, api):
        api.will_stall()
        await town.say(ANN, "one")
        await town.until(lambda: len(api.asked) == 1)
        await town.say(ANN, "two")
        await town.say(ANN, "three")
        api.release()
        await town.hears(ANN, 2)
        assert api.asked[1].flat == conversation("one", "two\nthree")
        await town.say(ANN, "four")
        await town.hears(ANN, 3)
        assert api.asked[2].flat == [
            *conversation("one", "two"),
            ("user", "three"),
            ("assistant", "re two\nthree"),
            ("user", "four"),
        ]


@pytest.mark.parametrize("mode", ["on the record", "off the record"])
async def test_a_long_conversation_is_cut_seldom_and_else_begins_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    """Else the prompt cache would be written anew with every message."""
    most, turns = 16, 24
    async with town_with_claude(tmp_path, monkeypatch, conversation={"history_messages": most}) as (
        town,
        api,
    ):
        if mode == "off the record":
            await tell(town, "/otr")
        for n in range(turns):
            await ask(town, api, f"alpha {n}")
    kept = 0
    for before, after in pairwise(api.asked):
        assert len(after.flat) <= most + 1
        kept += after.flat[: len(before.flat)] == before.flat
        [*_, last_mark] = [text for text in after.marked if text.startswith("re ")]
        assert last_mark == after.flat[-2][1]
    # A cut takes a quarter, four entries of two a turn: so every second turn at most is cut.
    assert kept >= turns - 1 - (turns - most // 2) / 2


CHATS, MESSAGES = 30, 4


async def test_no_chat_is_shown_another_s_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = {f"49151000{n:05}": f"marker{n:02}x" for n in range(CHATS)}
    everything = [
        meta.text(person, f"{marker} {n}")
        for n in range(MESSAGES)
        for person, marker in people.items()
    ]
    random.Random(7).shuffle(everything)  # noqa: S311 - the same disorder each time
    async with town_with_claude(tmp_path, monkeypatch) as (town, api):
        batches = [everything[start : start + 8] for start in range(0, len(everything), 8)]
        await asyncio.gather(*(town.post(*batch) for batch in batches))
        await town.quiet()
        for asked in api.asked:
            shown = seen(asked)
            assert sum(marker in shown for marker in people.values()) == 1
        for person, marker in people.items():
            heard = "\n".join(town.heard(person))
            assert all(f"{marker} {n}" in heard for n in range(MESSAGES))
            assert heard.count("marker") == heard.count(marker) == MESSAGES
