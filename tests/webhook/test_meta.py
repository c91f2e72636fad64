"""The fake on Meta's side does what the rest of the suite relies on."""

import json

import aiohttp
import pytest

from openparallax.errors import NotStored
from openparallax.webhook.payload import parse_body, parse_notification
from tests.fakes import meta
from tests.webhook.conftest import Listener


def test_ids_are_never_alike() -> None:
    assert len({meta.text("491", "x")["message"]["id"] for _ in range(1000)}) == 1000


def test_neighbours_share_a_change_and_people_are_listed_once() -> None:
    ann, bo = meta.text("491", "a"), meta.text("441", "b", name="Bo")
    elsewhere = meta.text("491", "c", phone_number_id="77")
    body = meta.envelope(ann, bo, ann, meta.status("w"), meta.change("calls", {}), ann, elsewhere)
    [entry] = body["entry"]
    shape = [
        (
            change["field"],
            len(change["value"].get("messages", ())),
            len(change["value"].get("contacts", ())),
        )
        for change in entry["changes"]
    ]
    assert shape == [
        ("messages", 3, 2),
        ("messages", 0, 0),
        ("calls", 0, 0),
        ("messages", 1, 1),
        ("messages", 1, 1),
    ]


@pytest.mark.parametrize("spread", [False, True])
def test_all_that_is_put_in_comes_out_in_order(*, spread: bool) -> None:
    items = [meta.text("491", str(number), at=number) for number in range(5)]
    raw = meta.body(*items, meta.media("491", caption="c"), meta.status("w", code=1), spread=spread)
    notification = parse_notification(parse_body(raw))
    words = [message.text.words for message in notification.messages if message.text]
    assert words == ["0", "1", "2", "3", "4", "c"]
    assert len(notification.statuses) == 1
    assert len(json.loads(raw)["entry"]) == (7 if spread else 1)


def test_it_escapes_as_meta_does() -> None:
    assert meta.dump({"a": "é/\U0001f600"}) == rb'{"a":"\u00e9\/\ud83d\ude00"}'


async def test_it_delivers_until_taken_and_gives_up_in_the_end(
    listener: Listener, session: aiohttp.ClientSession
) -> None:
    refusals = 3

    async def first() -> None:
        nonlocal refusals
        refusals -= 1
        if refusals >= 0:
            raise NotStored

    listener.heard.first = first
    sender = meta.Meta(session, listener.url, max_tries=5)
    assert await sender.deliver(meta.text("491", "hi")) == 4
    assert sender.statuses == [503, 503, 503, 200]
    await listener.server.close()
    with pytest.raises(AssertionError, match="not taken in 5 tries"):
        await sender.deliver(meta.text("491", "hi"))
    assert sender.statuses[4:] == [0] * 5
