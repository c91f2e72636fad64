"""The Messages API's bad days: the person is told, and what they said is not lost."""

import logging
from pathlib import Path

import pytest

from openparallax.session.notices import SENTENCES
from tests.fakes.messages_api import Mood, failing, saying
from tests.flow.claude import town_with_claude
from tests.town import ANN

FAILED, TOO_SLOW = SENTENCES["engine_failed"], SENTENCES["too_slow"]

TROUBLE: dict[str, tuple[list[Mood], str | None]] = {
    "refusal": ([saying("I began", stop_reason="refusal")], FAILED),
    "out of tokens": ([saying(stop_reason="max_tokens")], FAILED),
    "invalid": ([failing(400, message="quoth sesame")], FAILED),
    "no key": ([failing(401)], FAILED),
    "overloaded once": ([failing(529)], None),
    "overloaded": ([failing(529)] * 3, FAILED),
    "too fast": ([failing(429, retry_after="0.05")], None),
    "too fast for long": ([failing(429, retry_after="600")], FAILED),
    "cut": ([Mood(cuts=True)] * 3, FAILED),
    "cut half-way": ([saying("sesame", cuts=True, after=30)] * 3, FAILED),
    "garbage": ([Mood(body="<html>sesame</html>", content_type="text/html")], FAILED),
    "in small pieces": ([saying("re in small pieces", piece=50)], None),
}
"""Name -> what is met with, and what the person is told; None: an answer."""


async def test_the_person_is_told_and_the_message_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with town_with_claude(tmp_path, monkeypatch) as (town, api):
        shown: list[tuple[str, str]] = []
        for count, (name, (moods, told)) in enumerate(TROUBLE.items(), start=1):
            api.will(*moods)
            await town.say(ANN, name)
            assert (await town.hears(ANN, count))[-1] == (told or f"re {name}"), name
            await town.quiet()
            shown.append(("user", name))
            assert api.asked[-1].flat == shown
            if told is None:
                shown.append(("assistant", f"re {name}"))
        await town.say(ANN, "and then?")
        assert (await town.hears(ANN, len(TROUBLE) + 1))[-1] == "re and then?"
        assert api.asked[-1].flat == [*shown, ("user", "and then?")]
        assert "sesame" not in town.log.getvalue() + caplog.text
        assert "in small pieces" not in town.log.getvalue() + caplog.text


async def test_who_takes_too_long_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = [Mood(stalls=True), saying("never", stalls=True, after=30)]
    slow.append(saying("never", piece=1, pause_s=0.05))
    limit = [{"time_limit": {"seconds": 0.8}}]
    async with town_with_claude(tmp_path, monkeypatch, pipeline=limit) as (town, api):
        for count, mood in enumerate(slow, start=1):
            api.will(mood)
            await town.say(ANN, f"slow {count}")
            assert (await town.hears(ANN, count))[-1] == TOO_SLOW
            await api.until(lambda count=count: api.left == count)  # type: ignore[misc]
        assert api.asked[-1].flat == [("user", f"slow {n}") for n in (1, 2, 3)]


async def test_stopping_ends_the_request_and_the_next_process_asks_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty = {"drain_seconds": 0.05}
    async with town_with_claude(tmp_path, monkeypatch, conversation=hasty) as (town, api):
        api.will_stall()
        await town.say(ANN, "hello")
        await api.until(lambda: len(api.asked) == 1)
        await town.stop()
        await api.until(lambda: api.left == 1)
        assert town.heard(ANN) == []
        await town.start()
        assert await town.hears(ANN, 1) == ["re hello"]
        assert api.asked[1].body == api.asked[0].body
