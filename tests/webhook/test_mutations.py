"""Whatever is wrong with a webhook: nothing is raised, nothing unsound comes out, no word leaks."""

import aiohttp
import pytest

from openparallax.model.messages import Notification
from openparallax.webhook.body import Unreadable
from openparallax.webhook.payload import parse_body, parse_notification
from tests.fakes import meta
from tests.fakes.counts import counted
from tests.webhook.conftest import Listener
from tests.webhook.mutations import mutated, mutated_bytes
from tests.webhook.soundness import assert_sound

MINE = frozenset({meta.PHONE_NUMBER_ID})


@pytest.mark.parametrize("thousand", range(10))
def test_ten_thousand_mutations(thousand: int) -> None:
    nouns = misses = 0
    for number in range(thousand * 1000, thousand * 1000 + 1000):
        if number % 4:
            notification = parse_notification(mutated(number))
        else:
            notification = _parse(mutated_bytes(number))
        assert_sound(notification)
        nouns += not notification.is_empty
        misses += bool(notification.unsupported)
    assert nouns > 300  # they are not all broken beyond reading,
    assert misses > 300  # nor all left whole


def _parse(raw: bytes) -> Notification:
    try:
        return parse_notification(parse_body(raw))
    except Unreadable:
        return Notification(unsupported={"unreadable": 1})


@pytest.mark.parametrize("hundred", range(10))
def test_what_is_for_another_number_is_never_let_through(hundred: int) -> None:
    for number in range(hundred * 100, hundred * 100 + 100):
        notification = parse_notification(mutated(number), accounts=frozenset(), others=MINE)
        assert_sound(notification)
        spoken_for = {
            noun.phone_number_id
            for nouns in (
                *(notification.messages, notification.statuses, notification.echoes),
                *(notification.relinks, notification.preferences),
            )
            for noun in nouns
        }
        assert not spoken_for & MINE


async def test_a_few_hundred_through_the_server(
    listener: Listener, session: aiohttp.ClientSession
) -> None:
    for number in range(300):
        assert await meta.post(session, listener.url, mutated_bytes(number)) == 200
    assert listener.lines == []
    counts = counted(listener.metrics)
    kinds = ("stored", "ignored", "unreadable")
    assert sum(counts.get(f"webhook.{kind}", 0) for kind in kinds) == 300
    assert all(counts[f"webhook.{kind}"] > 10 for kind in kinds)
    for notification in listener.heard.notifications:
        assert notification.accounts == MINE
        assert not notification.is_empty
        assert_sound(notification)
