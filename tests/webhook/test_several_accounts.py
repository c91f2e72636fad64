"""Several numbers, some of several apps: a signature speaks for its own app's numbers only."""

import json

import aiohttp
import pytest

from openparallax.webhook.signature import Key
from tests.fakes import meta
from tests.webhook.conftest import Listen, Listener

SHOP, BAKERY, HOME, STRANGER = "1001", "1002", "2001", "9009"
SHOPS = frozenset({SHOP, BAKERY})
KEYS = [
    Key(b"shops", frozenset({SHOP})),
    Key(b"shops", frozenset({BAKERY})),
    Key(b"home", frozenset({HOME})),
    Key(b"new_home", frozenset({HOME})),
]
ANN = "4915112345678"
OTHERS_HINT = "for the number of another"


def all_sorts(phone_number_id: str) -> list[meta.Item]:
    """One of everything that names a number."""
    return [
        meta.text(ANN, "hello quokka", phone_number_id=phone_number_id),
        meta.system(ANN, wa_id="436601234567", phone_number_id=phone_number_id),
        meta.status("wamid.1", phone_number_id=phone_number_id),
        meta.echo(ANN, "here", phone_number_id=phone_number_id),
        meta.user_id_update("DE.1", "DE.2", phone_number_id=phone_number_id),
        meta.preference(ANN, phone_number_id=phone_number_id),
        meta.errors(131031, phone_number_id=phone_number_id),
    ]


@pytest.fixture
async def listener(listen: Listen) -> Listener:
    return await listen(keys=KEYS)


@pytest.mark.parametrize(
    ("secret", "mine"),
    [("shops", SHOPS), ("home", frozenset({HOME})), ("new_home", frozenset({HOME}))],
)
async def test_a_request_speaks_for_the_numbers_of_its_app(
    listener: Listener, session: aiohttp.ClientSession, secret: str, mine: frozenset[str]
) -> None:
    for number in mine:
        raw = meta.body(*all_sorts(number))
        assert await meta.post(session, listener.url, raw, secret) == 200
        heard = listener.heard.notifications.pop()
        assert heard.accounts == mine
        assert not heard.unsupported.keys() - {"error_131031"}
        found = (heard.messages, heard.statuses, heard.echoes, heard.preferences, heard.news)
        assert [len(nouns) for nouns in found] == [1, 1, 1, 1, 1]
        assert len(heard.relinks) == 2
    assert listener.lines == []


async def test_what_names_a_number_of_another_app_is_dropped_counted_and_complained_of(
    listener: Listener, session: aiohttp.ClientSession
) -> None:
    raw = meta.body(*all_sorts(HOME), *all_sorts(BAKERY), meta.news("account_update", event="X"))
    for _ in range(3):
        assert await meta.post(session, listener.url, raw, "shops") == 200
    for heard in listener.heard.notifications:
        assert heard.unsupported == {"not_its_number": 7, "error_131031": 1}
        assert {message.phone_number_id for message in heard.messages} == {BAKERY}
        assert {echo.phone_number_id for echo in heard.echoes} == {BAKERY}
        assert {relink.phone_number_id for relink in heard.relinks} == {BAKERY}
        assert len(heard.news) == 2
    assert listener.metrics.value("inbound_unsupported", "not_its_number") == 21
    [line] = [json.loads(line) for line in listener.lines]
    assert (line["event"], line["state"]) == ("webhook_refused", "not_its_number")
    assert OTHERS_HINT in line["hint"]
    assert not any(said in listener.log.getvalue() for said in ("quokka", ANN, HOME, BAKERY))


async def test_nothing_but_foreign_things_is_acknowledged_and_not_stored(
    listener: Listener, session: aiohttp.ClientSession
) -> None:
    raw = meta.body(*all_sorts(SHOP))
    assert await meta.post(session, listener.url, raw, "home") == 200
    assert listener.heard.notifications == []
    assert listener.counted("ignored") == 1


async def test_a_number_that_is_nobodys_goes_on_to_the_door(
    listener: Listener, session: aiohttp.ClientSession
) -> None:
    raw = meta.body(*all_sorts(STRANGER))
    assert await meta.post(session, listener.url, raw, "home") == 200
    [heard] = listener.heard.notifications
    assert [message.phone_number_id for message in heard.messages] == [STRANGER]
    assert heard.accounts == frozenset({HOME})
    assert listener.lines == []


async def test_for_a_number_without_a_secret_nobody_speaks_once_others_have_one(
    listen: Listen, session: aiohttp.ClientSession
) -> None:
    listener = await listen(keys=KEYS, accounts=frozenset({SHOP, STRANGER}))
    raw = meta.body(*all_sorts(STRANGER))
    for secret in ("shops", "home"):
        assert await meta.post(session, listener.url, raw, secret) == 200
    assert listener.heard.notifications == []
    assert listener.metrics.value("inbound_unsupported", "not_its_number") == 14


async def test_what_names_no_number_passes_for_the_accounts_that_signed(
    listener: Listener, session: aiohttp.ClientSession
) -> None:
    told = meta.user_id_update("DE.1", "DE.2", phone_number_id=None)
    raw = meta.body(told, meta.news("account_update", event="ACCOUNT_DELETED", at=5))
    assert await meta.post(session, listener.url, raw, "home") == 200
    [heard] = listener.heard.notifications
    assert heard.accounts == frozenset({HOME})
    assert [relink.phone_number_id for relink in heard.relinks] == [None]
    assert [news.event for news in heard.news] == ["ACCOUNT_DELETED"]


async def test_unsigned_it_may_speak_for_all(
    listen: Listen, session: aiohttp.ClientSession
) -> None:
    listener = await listen(keys=())
    raw = meta.body(*all_sorts(HOME), *all_sorts(SHOP))
    assert await meta.post(session, listener.url, raw, None) == 200
    [heard] = listener.heard.notifications
    assert heard.accounts is None
    assert [message.phone_number_id for message in heard.messages] == [HOME, SHOP]


@pytest.mark.parametrize(
    "item",
    [
        meta.status("wamid.1"),
        meta.echo(ANN, "here"),
        meta.user_id_update("DE.1", "DE.2"),
        meta.preference(ANN),
        meta.news("account_update", event="ACCOUNT_DELETED"),
        meta.errors(131031),
    ],
)
async def test_each_noun_alone_is_worth_storing(
    listen: Listen, session: aiohttp.ClientSession, item: meta.Item
) -> None:
    listener = await listen()
    assert await meta.post(session, listener.url, meta.body(item)) == 200
    assert listener.counted("stored") == 1
    assert len(listener.heard.notifications) == 1
