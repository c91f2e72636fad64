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


@pytest.mark.parametrize("spread", [False, True])
def test_every_sort_of_item_comes_out(*, spread: bool) -> None:
    raw = meta.body(
        meta.revoke("491", "wamid.1", at=1),
        meta.system("491", wa_id="431", at=2),
        meta.echo("491", "here", at=3),
        meta.echo_revoke("491", "wamid.2", at=4),
        meta.user_id_update("DE.1", "DE.2", phone_number_id=None, at=5),
        meta.preference("491", at=6),
        meta.news("security", event="PIN_CHANGED", at=7),
        meta.errors(131031),
        meta.text("491", "see", context={"id": "wamid.3"}, referral={"source_id": "9"}, at=8),
        spread=spread,
    )
    notification = parse_notification(parse_body(raw))
    assert [(one.original, one.sent_at) for one in notification.messages] == [
        ("wamid.1", 1),
        ("", 8),
    ]
    assert [(one.original, one.sent_at) for one in notification.echoes] == [("", 3), ("wamid.2", 4)]
    assert [one.at for one in notification.relinks] == [2, 5]
    assert [one.at for one in notification.preferences] == [6]
    events = [(one.event, one.at) for one in notification.news]
    assert events == [("PIN_CHANGED", 7), ("ERROR_131031", 0 if spread else 7)]
    details = notification.messages[1].details
    assert details is not None
    assert (details.quoted, details.referral) == ("wamid.3", {"source_id": "9"})
    assert notification.unsupported == {"error_131031": 1}


def test_a_system_message_brings_no_contacts() -> None:
    [change] = meta.envelope(meta.system("491", wa_id="431"))["entry"][0]["changes"]
    assert "contacts" not in change["value"]


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
