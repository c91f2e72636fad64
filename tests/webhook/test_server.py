"""The contract's HTTP table, row by row, over real sockets."""

import asyncio
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

from openparallax.errors import NotStored, StartError
from openparallax.webhook.signature import Key
from tests.app.patience import come_and_listen
from tests.fakes import meta
from tests.fakes.counts import counted
from tests.webhook import wire
from tests.webhook.conftest import Listen, Listener

MINE = frozenset({meta.PHONE_NUMBER_ID})
HELLO = meta.body(meta.text("4915112345678", "hello quokka", at=1_790_000_000))


def query(**parameters: str) -> str:
    """``hub_mode`` stands for ``hub.mode``."""
    return "?" + urlencode({key.replace("_", ".", 1): value for key, value in parameters.items()})


GOOD_QUERY = {
    "hub_mode": "subscribe",
    "hub_verify_token": meta.VERIFY_TOKEN,
    "hub_challenge": "1158201444",
}

# Verification


@pytest.mark.parametrize("challenge", ["1158201444", "", "<script>é \U0001f600&=+%", "0" * 4000])
async def test_a_challenge_comes_back_unchanged(
    listener: Listener, session: aiohttp.ClientSession, challenge: str
) -> None:
    parameters = GOOD_QUERY | {"hub_challenge": challenge}
    async with session.get(listener.url + query(**parameters)) as answer:
        assert answer.status == 200
        assert await answer.text() == challenge
        assert answer.content_type == "text/plain"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert listener.counted("verified") == 1


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        GOOD_QUERY | {"hub_mode": "unsubscribe"},
        GOOD_QUERY | {"hub_mode": ""},
        GOOD_QUERY | {"hub_verify_token": ""},
        GOOD_QUERY | {"hub_verify_token": "wrong"},
        GOOD_QUERY | {"hub_verify_token": meta.VERIFY_TOKEN + "x"},
        GOOD_QUERY | {"hub_verify_token": meta.VERIFY_TOKEN.upper()},
        GOOD_QUERY | {"hub_verify_token": "é"},
        {key: value for key, value in GOOD_QUERY.items() if key != "hub_mode"},
        {key: value for key, value in GOOD_QUERY.items() if key != "hub_verify_token"},
    ],
)
async def test_verification_is_refused(
    listener: Listener, session: aiohttp.ClientSession, parameters: dict[str, str]
) -> None:
    async with session.get(listener.url + query(**parameters)) as answer:
        assert answer.status == 403
        assert "1158201444" not in await answer.text()
    assert listener.counted("verify_refused") == 1
    assert listener.counted("verified") == 0
    assert "1158201444" not in listener.log.getvalue()
    assert meta.VERIFY_TOKEN not in listener.log.getvalue()


async def test_a_token_outside_ascii_is_compared_too(
    listen: Listen, session: aiohttp.ClientSession
) -> None:
    listener = await listen(verify_tokens=["schlüssel\U0001f511", "another"])
    for token, status in (("schlüssel\U0001f511", 200), ("another", 200), ("schlussel", 403)):
        async with session.get(
            listener.url + query(**(GOOD_QUERY | {"hub_verify_token": token}))
        ) as answer:
            assert answer.status == status


# Webhooks


async def test_a_signed_message_is_handed_on_and_acknowledged(
    listener: Listener, session: aiohttp.ClientSession
) -> None:
    assert await meta.post(session, listener.url, HELLO) == 200
    assert listener.heard.words == ["hello quokka"]
    assert counted(listener.metrics) == {"webhook.stored": 1}
    assert listener.lines == []  # no line for each message


async def test_it_is_acknowledged_only_once_it_is_stored(
    listener: Listener, session: aiohttp.ClientSession
) -> None:
    came, stored = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        came.set()
        await stored.wait()

    listener.heard.first = first
    posted = asyncio.create_task(meta.post(session, listener.url, HELLO))
    await came.wait()
    await asyncio.sleep(0.05)
    assert not posted.done()
    stored.set()
    assert await posted == 200


async def test_both_secrets_of_a_rotation_count(
    listen: Listen, session: aiohttp.ClientSession
) -> None:
    listener = await listen(keys=[Key(b"old", MINE), Key(b"new", MINE)])
    assert await meta.post(session, listener.url, HELLO, "old") == 200
    assert await meta.post(session, listener.url, HELLO, "new") == 200
    assert await meta.post(session, listener.url, HELLO, "older") == 401


async def test_503_where_it_could_not_be_stored(
    listener: Listener, session: aiohttp.ClientSession
) -> None:
    failures: list[Exception | None] = [NotStored(), RuntimeError("hello quokka"), None]

    async def first() -> None:
        if failure := failures.pop(0):
            raise failure

    listener.heard.first = first
    sender = meta.Meta(session, listener.url)
    assert await sender.deliver_raw(HELLO) == 3
    assert sender.statuses == [503, 503, 200]
    counts = {"webhook.not_stored": 1, "webhook.failed": 1, "webhook.stored": 1}
    assert counted(listener.metrics) == counts
    [line] = listener.lines  # the unexpected one, without its words
    assert '"RuntimeError"' in line
    assert "quokka" not in line


@pytest.mark.parametrize(
    ("raw", "label"),
    [
        (b"no json: quokka", "unreadable"),
        (b'{"quokka": NaN}', "unreadable"),
        (b'"\xff quokka"', "unreadable"),
        (b"", "unreadable"),
        (b"[]", "ignored"),
        (b'{"entry": "quokka"}', "ignored"),
        (meta.body(meta.change("calls", {"event": "quokka"})), "ignored"),
    ],
)
async def test_what_is_signed_but_not_understood_is_acknowledged_and_counted(
    listener: Listener, session: aiohttp.ClientSession, raw: bytes, label: str
) -> None:
    assert await meta.post(session, listener.url, raw) == 200
    assert listener.counted(label) == 1
    assert listener.heard.notifications == []
    assert listener.lines == []


async def test_what_is_not_understood_in_a_batch_is_counted_once_it_is_stored(
    listener: Listener, session: aiohttp.ClientSession
) -> None:
    broken = meta.text("491", "quokka", at=-5)
    raw = meta.body(meta.text("491", "kept"), broken, meta.change("calls", {}))
    failures = [NotStored()]

    async def first() -> None:
        if failures:
            raise failures.pop()

    listener.heard.first = first
    assert await meta.Meta(session, listener.url).deliver_raw(raw) == 2
    assert listener.heard.words == ["kept"]
    assert listener.metrics.value("inbound_unsupported", "bad_timestamp") == 1
    assert listener.metrics.value("inbound_unsupported", "field_calls") == 1


# Signatures


@pytest.mark.parametrize("signature", [None, "", "sha256=", "sha256=" + "0" * 64, "é", "a" * 71])
async def test_401_without_a_right_signature(
    listener: Listener, session: aiohttp.ClientSession, signature: str | None
) -> None:
    headers = {} if signature is None else {"X-Hub-Signature-256": signature}
    async with session.post(listener.url, data=HELLO, headers=headers) as answer:
        assert answer.status == 401
    assert listener.heard.notifications == []
    assert counted(listener.metrics) == {"webhook.bad_signature": 1}


async def test_hundreds_of_wrong_signatures_leave_no_trace_but_the_count(
    listener: Listener, session: aiohttp.ClientSession
) -> None:
    for _ in range(300):
        assert await meta.post(session, listener.url, HELLO, "wrong") == 401
    assert counted(listener.metrics) == {"webhook.bad_signature": 300}
    assert listener.heard.notifications == []
    [line] = listener.lines
    assert '"count": 1' in line
    assert "app_secret" in line
    assert "quokka" not in line
    await listener.clock.turn(60)
    assert await meta.post(session, listener.url, HELLO, "wrong") == 401
    assert '"count": 300' in listener.lines[1]
    assert await meta.post(session, listener.url, HELLO) == 200


# Unsigned mode

PROXY_HEADERS = ["Forwarded", "X-Forwarded-For", "x-forwarded-PROTO", "X-Forwarded-Anything", "Via"]


@pytest.mark.parametrize("name", PROXY_HEADERS)
async def test_without_a_secret_what_a_proxy_brought_is_refused(
    listen: Listen, session: aiohttp.ClientSession, name: str
) -> None:
    listener = await listen(keys=())
    for _ in range(3):
        async with session.post(listener.url, data=HELLO, headers={name: "quokka"}) as answer:
            assert answer.status == 401
    good = listener.url + query(**GOOD_QUERY)
    async with session.get(good, headers={name: "quokka"}) as answer:
        assert answer.status == 401
    assert listener.heard.notifications == []
    assert listener.counted("proxied_unsigned") == 4
    [line] = listener.lines
    assert "WHATSAPP_APP_SECRET" in line
    assert "allow_unsigned_webhooks" in line
    assert "quokka" not in line


FROM_OUTSIDE = [
    wire.head(Content_Length=len(HELLO), X_Real_IP="1.2.3.4"),
    wire.head(Content_Length=len(HELLO), Cf_Ray="1"),
    wire.head(Content_Length=len(HELLO)).replace(b"HTTP/1.1", b"HTTP/1.0"),  # as nginx does
    wire.head(Content_Length=len(HELLO)).replace(b"Host: localhost", b"Host: bot.example.org"),
    wire.head(Content_Length=len(HELLO)).replace(b"Host: localhost", b"Host: 203.0.113.7:443"),
    wire.head(Content_Length=len(HELLO)).replace(b"Host: localhost", b"Host: localhost.evil.org"),
    wire.head(Content_Length=len(HELLO), Origin="null"),  # a page in the operator's browser
    wire.head(Content_Length=len(HELLO), Sec_Fetch_Site="cross-site"),
]


@pytest.mark.parametrize("head", FROM_OUTSIDE)
async def test_without_a_secret_what_shows_otherwise_that_it_is_from_outside_is_refused(
    listen: Listen, head: bytes
) -> None:
    listener = await listen(keys=())
    assert (await wire.exchange(listener.server.port, head, HELLO)).status == 401
    assert listener.heard.notifications == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:9443", "[::1]:9443", "bot.localhost:80"])
async def test_without_a_secret_any_name_of_loopback_will_do(listen: Listen, host: str) -> None:
    listener = await listen(keys=())
    head = wire.head(Content_Length=len(HELLO), Connection="close")
    answer = await wire.exchange(
        listener.server.port, head.replace(b"localhost", host.encode()), HELLO
    )
    assert answer.status == 200


async def test_without_a_secret_what_comes_directly_is_taken(
    listen: Listen, session: aiohttp.ClientSession
) -> None:
    listener = await listen(keys=())
    assert await meta.post(session, listener.url, HELLO, None) == 200
    assert await meta.post(session, listener.url, HELLO, "any") == 200
    assert listener.heard.words == ["hello quokka"] * 2


@pytest.mark.parametrize("name", PROXY_HEADERS)
async def test_allow_unsigned_takes_what_a_proxy_brought(
    listen: Listen, session: aiohttp.ClientSession, name: str
) -> None:
    listener = await listen(keys=(), allow_unsigned=True)
    async with session.post(listener.url, data=HELLO, headers={name: "x"}) as answer:
        assert answer.status == 200
    assert listener.heard.words == ["hello quokka"]


async def test_with_a_secret_a_proxy_is_welcome_and_allow_unsigned_lifts_nothing(
    listen: Listen, session: aiohttp.ClientSession
) -> None:
    listener = await listen(allow_unsigned=True)
    headers = {"X-Forwarded-For": "1.2.3.4", "X-Hub-Signature-256": meta.sign(HELLO)}
    async with session.post(listener.url, data=HELLO, headers=headers) as answer:
        assert answer.status == 200
    assert await meta.post(session, listener.url, HELLO, None) == 401


@pytest.mark.parametrize("raw", [b"no json", b"", b"[NaN]", b"\xff"])
async def test_without_a_secret_what_is_no_json_is_a_bad_request(
    listen: Listen, session: aiohttp.ClientSession, raw: bytes
) -> None:
    listener = await listen(keys=())
    assert await meta.post(session, listener.url, raw, None) == 400
    assert await meta.post(session, listener.url, b"{}", None) == 200
    assert listener.counted("unreadable") == 1


@pytest.mark.parametrize("settings", [{"keys": [Key(b"", MINE)]}, {"verify_tokens": ["good", ""]}])
async def test_an_empty_secret_switches_no_check_off(
    listen: Listen, settings: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="empty"):
        await listen(**settings)


# Everything else


async def test_healthz(listener: Listener, session: aiohttp.ClientSession) -> None:
    async with session.get(listener.base + "/healthz") as answer:
        assert (answer.status, await answer.text()) == (200, "ok")


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "PUT"])
@pytest.mark.parametrize("path", ["/", "/webhook/", "/webhookx", "/metrics", "/Webhook", "//"])
async def test_404_elsewhere(
    listener: Listener, session: aiohttp.ClientSession, method: str, path: str
) -> None:
    headers = {"X-Hub-Signature-256": meta.sign(HELLO)}
    url = listener.base + path
    async with session.request(method, url, data=HELLO, headers=headers) as answer:
        assert answer.status == 404
    assert listener.heard.notifications == []


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"])
async def test_405_for_other_methods(
    listener: Listener, session: aiohttp.ClientSession, method: str
) -> None:
    for path, allowed in (("/webhook", "GET, POST"), ("/healthz", "GET")):
        async with session.request(method, listener.base + path) as answer:
            assert answer.status == 405
            assert answer.headers["Allow"] == allowed
    async with session.post(listener.base + "/healthz") as answer:
        assert answer.status == 405


async def test_another_path(listen: Listen, session: aiohttp.ClientSession) -> None:
    listener = await listen(path="/hooks/meta")
    assert await meta.post(session, listener.base + "/hooks/meta", HELLO) == 200
    assert await meta.post(session, listener.base + "/webhook", HELLO) == 404


async def test_no_answer_says_what_answers(
    listener: Listener, session: aiohttp.ClientSession
) -> None:
    for method, path in (
        ("GET", "/healthz"),
        ("GET", "/"),
        ("PUT", "/webhook"),
        ("POST", "/webhook"),
    ):
        headers = {"X-Hub-Signature-256": meta.sign(HELLO)}
        async with session.request(
            method, listener.base + path, data=HELLO if method == "POST" else None, headers=headers
        ) as answer:
            assert answer.headers["Server"] == "OpenParallax"
            assert "Date" in answer.headers


# Coming and going


async def test_a_client_that_goes_away_does_not_stop_the_storing(listener: Listener) -> None:
    came, go_on, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def first() -> None:
        came.set()
        await go_on.wait()
        done.set()

    listener.heard.first = first
    async with aiohttp.ClientSession() as impatient:
        posted = asyncio.create_task(meta.post(impatient, listener.url, HELLO))
        await came.wait()
        posted.cancel()
        await asyncio.wait([posted])
    await asyncio.sleep(0.05)
    go_on.set()
    async with asyncio.timeout(20):
        await done.wait()
    await asyncio.sleep(0.05)
    assert listener.heard.words == ["hello quokka"]
    assert listener.counted("stored") == 1
    assert listener.lines == []


async def test_closing_lets_requests_under_way_finish_and_takes_no_new_ones(
    listener: Listener, session: aiohttp.ClientSession
) -> None:
    came, go_on = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        came.set()
        await go_on.wait()

    listener.heard.first = first
    posted = asyncio.create_task(meta.post(session, listener.url, HELLO))
    await came.wait()
    closed = asyncio.create_task(listener.server.close())
    await asyncio.sleep(0.05)
    assert not closed.done()
    with pytest.raises(aiohttp.ClientConnectionError):
        async with aiohttp.ClientSession() as another:
            await meta.post(another, listener.url, HELLO)
    go_on.set()
    assert await posted == 200
    await closed
    assert listener.heard.words == ["hello quokka"]
    await listener.server.close()


async def test_idle_connections_do_not_hold_the_closing_up(
    listen: Listen, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openparallax.webhook.server._FINISH_S", 600)
    listener = await listen()
    assert await meta.post(session, listener.url, HELLO) == 200  # stays connected
    async with asyncio.timeout(20):
        await listener.server.close()


@pytest.mark.parametrize("rounds", range(6))
async def test_whoever_comes_in_the_moment_of_closing_is_let_go(
    listener: Listener, rounds: int
) -> None:
    coming = [asyncio.create_task(come_and_listen(listener.server.port)) for _ in range(3)]
    for _ in range(rounds):
        await asyncio.sleep(0)
    await listener.server.close()
    async with asyncio.timeout(10):
        assert set(await asyncio.gather(*coming)) == {b""}


async def test_a_taken_port_is_an_error_for_people(listen: Listen, listener: Listener) -> None:
    with pytest.raises(StartError, match=f"port {listener.server.port}: Address already") as caught:
        await listen(port=listener.server.port)
    assert caught.value.exit_code == 75


async def test_an_address_that_is_not_ours_is_an_error_for_people(listen: Listen) -> None:
    for host in ("192.0.2.1", "2001:db8::1"):
        with pytest.raises(StartError, match=f"cannot listen on {host} port 0: ") as caught:
            await listen(host=host)
        assert caught.value.exit_code == 78
