"""What comes beside the words reaches the model, and what it cost is written down."""

from pathlib import Path
from typing import Any

import pytest

from openparallax.session.notices import SENTENCES
from openparallax.storage import usage
from openparallax.storage.usage import Spent
from tests.fakes import meta
from tests.flow.claude import SYSTEM, conversation, town_with_claude
from tests.town import ANN, Town

MODEL = "claude-sonnet-5-5"


async def spent(town: Town) -> list[Spent]:
    return await town.up.database.read(usage.totals)


async def test_what_is_quoted_forwarded_or_advertised_is_told_before_the_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with town_with_claude(tmp_path, monkeypatch) as (town, api):

        async def ask(words: str, **beside: Any) -> list[tuple[str, str]]:
            before = len(town.heard(ANN))
            await town.say(ANN, words, **beside)
            await town.hears(ANN, before + 1)
            await town.quiet()
            return api.asked[-1].flat

        await ask("one", wamid="wamid.one")
        assert api.asked[-1].marked == [SYSTEM, "one"]
        [sent] = [call for call in town.graph.calls if call.body == "re one"]
        ours = {"from": meta.DISPLAY_PHONE_NUMBER, "id": sent.wamid}
        assert (await ask("why?", context=ours))[-2:] == [
            ("user", '[WhatsApp: in reply to your message "re one"]'),
            ("user", "why?"),
        ]
        assert api.asked[-1].marked == [SYSTEM, "re one"]
        # In the history the words stand alone
        assert await ask("plain") == conversation("one", "why?", "plain")
        assert api.asked[-1].marked == [SYSTEM, "re why?", "plain"]
        hers = {"from": ANN, "id": "wamid.one"}
        assert (await ask("I meant this", context=hers))[-2:] == [
            ("user", '[WhatsApp: in reply to their own message "one"]'),
            ("user", "I meant this"),
        ]
        assert (await ask("look", context={"forwarded": True}))[-2:] == [
            ("user", "[WhatsApp: forwarded]"),
            ("user", "look"),
        ]
        ad = {"source_type": "ad", "headline": "Cakes", "ctwa_clid": "click"}
        assert (await ask("how much?", referral=ad))[-2] == (
            "user",
            '[WhatsApp: came from an advertisement headline "Cakes"]',
        )
        await town.say(ANN, "/otr")
        await town.until(lambda: SENTENCES["otr"] in town.heard(ANN))
        # Of another session no more is told than that something was quoted
        assert await ask("and this?", context=ours) == [
            ("user", "[WhatsApp: in reply to your message]"),
            ("user", "and this?"),
        ]


async def test_what_was_spent_is_written_down_also_where_nothing_came_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with town_with_claude(tmp_path, monkeypatch) as (town, api):
        await town.say(ANN, "hello")
        await town.hears(ANN, 1)
        await town.quiet()
        assert await spent(town) == [Spent(MODEL, "input", 12), Spent(MODEL, "output", 7)]
        api.will_say(stop_reason="refusal")
        await town.say(ANN, "something bad")
        assert (await town.hears(ANN, 2))[1] == SENTENCES["engine_failed"]
        await town.say(ANN, "/otr off the books")
        await town.hears(ANN, 4)
        await town.quiet()
        assert await spent(town) == [Spent(MODEL, "input", 36), Spent(MODEL, "output", 21)]
        api.will_fail(400)
        await town.say(ANN, "again")
        await town.hears(ANN, 5)
        assert await spent(town) == [Spent(MODEL, "input", 36), Spent(MODEL, "output", 21)]
