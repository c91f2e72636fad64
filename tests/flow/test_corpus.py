"""Every sample of Meta's payloads, and hundreds broken at random, through one whole house."""

import random
import time

from openparallax.session.notices import SENTENCES
from tests.fakes import meta
from tests.fakes.engines import FakeEngine
from tests.flow.records import troubles
from tests.town import BOB, Town
from tests.webhook import samples
from tests.webhook.mutations import mutated_bytes

MUTATIONS = 1_500


async def test_every_sample_is_acknowledged_and_hurts_nobody(
    town: Town, engine: FakeEngine
) -> None:
    town.changes = {
        "channels": {"whatsapp": {"human_takeover_minutes": 0}},
        "outbox": {"pair_burst": None, "messages_per_second": None},
    }
    await town.restart()
    dice = random.Random(4711)  # noqa: S311 - the same every time
    bodies = [
        *(samples.load_raw(name) for name in samples.NAMES),
        *(samples.load_raw(name) for name in samples.NAMES),  # Meta repeats
        *(mutated_bytes(number) for number in range(MUTATIONS)),
    ]
    # Their numbers are not ours, save for what is turned round here.
    own = meta.PHONE_NUMBER_ID.encode()
    found = sorted({one for name in samples.NAMES for one in _numbers(samples.load(name))})
    for place, raw in enumerate(bodies):
        for number in found:
            raw = raw.replace(number.encode(), own)  # noqa: PLW2901 - one number after the other
        assert await meta.post(town.session, town.url, raw) == 200, place
        if dice.random() < 0.1:
            await town.quiet()
    await town.quiet()
    assert [one for one in troubles(town) if one["event"] not in EXPECTED] == []
    assert "webhook_not_accepted" not in town.log.getvalue()
    assert len(engine.asked) > 10
    # Their timestamps are of long ago, so that nearly all of it is held or told; nobody is stuck.
    await town.say(BOB, "/new", at=int(time.time()))
    await town.until(lambda: SENTENCES["new"] in " ".join(town.heard(BOB)))
    await town.say(BOB, "still there?", at=int(time.time()))
    await town.until(lambda: town.heard(BOB)[-1:] == ["still there?"])


EXPECTED = {"account_news", "parcel_failed", "account_paused"}
"""Errors that a sample tells of, and no trouble of ours."""


def _numbers(value: object) -> list[str]:
    """Every ``phone_number_id`` in a payload."""
    if isinstance(value, list):
        return [one for item in value for one in _numbers(item)]
    if not isinstance(value, dict):
        return []
    inside = [one for item in value.values() for one in _numbers(item)]
    own = value.get("phone_number_id")
    return [*inside, own] if isinstance(own, str) and len(own) > 6 else inside
