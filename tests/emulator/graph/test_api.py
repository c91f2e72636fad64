"""The door of Graph: paths, tokens, what is put down of a request, and what nobody foresaw."""

import hashlib
import hmac
import io
import json
from typing import Any

import pytest

from openparallax.emulator import Account
from openparallax.emulator.graph.asked import Answer, Asked
from openparallax.emulator.wire import MOST_BODY, as_data
from tests.emulator.graph.desk import Desk, desk
from tests.emulator.graph.saying import ANN, heard, said, send, text
from tests.fakes.clock import TurnedClock

LISTED = "EAAlisted"


@pytest.mark.parametrize("version", ["", "/v26.0", "/v999.999"])
async def test_any_version_may_be_named_or_none(version: str) -> None:
    async with desk() as bot:
        heard(bot.emulator)
        url = f"{bot.emulator.url}{version}/{bot.number.id}/messages/"
        answer = await bot.post(url, json=text())
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
        assert answer.headers["facebook-api-version"] == (version[1:] or "v26.0")
        assert answer.headers["x-fb-request-id"]


@pytest.mark.parametrize(
    ("asked", "days", "answers"),
    [
        ("v25.0", 0, "v25.0"),
        ("v1.0", 0, "v20.0"),
        ("v20.0", 0, "v20.0"),
        ("v20.0", 4, "v21.0"),
        ("v25.0", 365, "v25.0"),
        ("v23.0", 600, "v25.0"),
        ("v25.0", 3650, "v26.0"),
        ("v26.0", 3650, "v26.0"),
    ],
)
async def test_a_version_that_is_over_is_answered_by_one_that_is_not(
    asked: str, days: int, answers: str
) -> None:
    async with desk(clock=TurnedClock()) as sitting:
        sitting.emulator.clock.move(days * 86_400)
        said = await sitting.get(f"{sitting.emulator.url}/{asked}/{sitting.number.id}")
        assert (said.status, said.headers["facebook-api-version"]) == (200, answers)


async def test_an_answer_says_what_time_it_is_for_meta() -> None:
    async with desk(clock=TurnedClock()) as sitting:
        for said in (await sitting.get(sitting.number.id), await sitting.get("7")):
            assert said.headers["Date"] == "Mon, 21 Sep 2026 14:13:20 GMT"


async def test_questions_about_the_account_are_counted_by_the_hour() -> None:
    async with desk(clock=TurnedClock()) as sitting:
        sitting.number.status = "PENDING"  # without a registered number there are 200
        where = sitting.account.waba_id
        answers = [await sitting.get(f"{where}/phone_numbers?fields=id") for _ in range(201)]
        assert [answer.status for answer in answers] == [200] * 200 + [400]
        assert answers[-1].error["code"] == 80008
        [half] = json.loads(answers[99].headers["X-Business-Use-Case-Usage"])[where]
        [full] = json.loads(answers[200].headers["X-Business-Use-Case-Usage"])[where]
        assert (half["call_count"], half["estimated_time_to_regain_access"]) == (50, 0)
        assert (full["call_count"], full["estimated_time_to_regain_access"]) == (100, 60)
        other = await sitting.get(f"{sitting.number.id}?fields=id")
        assert "X-Business-Use-Case-Usage" not in other.headers
        sitting.emulator.clock.move(3600)
        assert (await sitting.get(where)).status == 200
        sitting.emulator.rules.management = False
        assert "X-Business-Use-Case-Usage" not in (await sitting.get(where)).headers


@pytest.mark.parametrize(
    ("value", "header", "waits"),
    [
        ("4", "X-App-Usage", None),
        ("4,90", "X-App-Usage", "90"),
        ("80007, 90", "X-Business-Use-Case-Usage", "90"),
        ("131016,5", None, "5"),
    ],
)
async def test_a_switch_refuses_every_other_call_and_says_when_to_come_again(
    value: str, header: str | None, waits: str | None
) -> None:
    async with desk() as sitting:
        heard(sitting.emulator)
        theirs = sitting.emulator.say("ann", "hello?")
        mark = {"messaging_product": "whatsapp", "status": "read", "message_id": theirs.wamid}
        sitting.emulator.faults.set("refuse_other", value=value)
        for said in (await sitting.get(sitting.number.id), await send(sitting, mark)):
            assert said.error["code"] == int(value.partition(",")[0])
            assert said.headers.get("Retry-After") == waits
            assert header is None or header in said.headers
            assert said.error.get("is_transient") == (True if value[0] == "4" else None)
            if value.startswith("8"):
                [use] = json.loads(said.headers[header or ""])[sitting.account.waba_id]
                assert use["estimated_time_to_regain_access"] == 2
        assert (await send(sitting, text())).status == 200
        sitting.emulator.faults.clear()
        sitting.emulator.faults.set("refuse", value=value)
        assert (await send(sitting, text())).headers.get("Retry-After") == waits
        assert (await sitting.get(sitting.number.id)).status == 200


@pytest.mark.parametrize(
    ("method", "path", "refusal"),
    [
        ("GET", "{number}/messages", (400, 100, 33)),
        ("PUT", "{number}/messages", (400, 100, 33)),
        ("PATCH", "{number}", (400, 100, 33)),
        ("POST", "messages", (400, 100, 33)),
        ("POST", "me/messages", (400, 100, 33)),
        ("GET", "7", (400, 100, 33)),
        ("GET", "7/colour", (400, 100, 33)),
        ("GET", "{number}/colour", (400, 100, None)),
        ("GET", "{number}/messages/7", (400, 2500, None)),
        ("GET", "colour", (400, 100, 33)),
        ("GET", "colour/blue", (400, 2500, None)),
        ("GET", "", (400, 100, 33)),
    ],
)
async def test_what_is_not_there_is_said_as_graph_says_it(
    method: str, path: str, refusal: tuple[int, int, int | None]
) -> None:
    async with desk() as bot:
        answer = await bot.ask(method, path.format(number=bot.number.id), json=text())
        assert answer.refusal == refusal
        is_missing = refusal[2] == 33
        assert (answer.error["type"] == "GraphMethodException") == is_missing


async def test_what_nobody_answers_is_remembered() -> None:
    async with desk() as bot:
        await bot.get("what/is/that")
        assert list(bot.emulator.graph.strays) == [("GET", "/v25.0/what/is/that")]


async def give(bot: Desk, how: str, token: str) -> int:
    """Send with the token given in one of the ways; the status."""
    path, body = f"{bot.number.id}/messages", text()
    match how:
        case "header":
            answer = await bot.post(path, json=body, token=token)
        case "old header":
            headers = {"Authorization": f"OAuth {token}"}
            answer = await bot.post(path, json=body, token=None, headers=headers)
        case "address":
            query = {"access_token": token}
            answer = await bot.post(path, json=body, params=query, token=None)
        case "body":
            answer = await bot.post(path, json={**body, "access_token": token}, token=None)
        case "form":
            form = {**body, "text": json.dumps(body["text"]), "access_token": token}
            answer = await bot.post(path, data=form, token=None)
        case _:
            raise AssertionError(how)
    return answer.status


@pytest.mark.parametrize("how", ["header", "old header", "address", "body", "form"])
async def test_a_token_may_come_in_each_way_and_is_put_down_in_none(how: str) -> None:
    async with desk() as bot:
        heard(bot.emulator)
        bot.account.add_token(LISTED)
        assert await give(bot, how, LISTED) == 200
        assert await give(bot, how, "EAAanother") == 401
        for exchange in bot.emulator.wire.exchanges:
            kept = repr(exchange) + exchange.request + exchange.path
            assert LISTED not in kept
            assert "EAAanother" not in kept
        sent = bot.emulator.wire.exchanges[0]
        assert (sent.what, sent.person, sent.status) == ("messages · text", "ann", 200)
        assert "hello" in sent.request
        assert "wamid." in sent.answer
        assert sent.duration_ms is not None


async def test_whoever_has_any_token_is_let_in_where_none_is_listed() -> None:
    async with desk() as bot:
        heard(bot.emulator)
        assert (await send(bot, text(), token="whatever")).status == 200
        for nothing in (None, "", "  "):
            assert (await send(bot, text(), token=nothing)).refusal == (401, 190, None)


async def test_a_token_expires_by_the_clock_that_is_moved() -> None:
    async with desk() as bot:
        heard(bot.emulator)
        bot.account.add_token(LISTED, expires_at=int(bot.emulator.clock.now()) + 3600)
        assert (await send(bot, text(), token=LISTED)).status == 200
        bot.emulator.clock.move(3601)
        answer = await send(bot, text(), token=LISTED)
        assert answer.refusal == (401, 190, 463)
        assert "Session has expired on" in answer.error["message"]
        bot.emulator.clock.reset()
        assert (await send(bot, text(), token=LISTED)).status == 200


async def test_what_a_token_was_given_for() -> None:
    async with desk() as bot:
        heard(bot.emulator)
        number, waba = bot.number.id, bot.account.waba_id
        bot.account.add_token("both", target_ids=(waba,))
        bot.account.add_token("this", target_ids=(number,))
        bot.account.add_token("that", target_ids=("9",))
        bot.account.add_token("looks", scopes=("whatsapp_business_management",))
        bot.account.add_token("sends", scopes=("whatsapp_business_messaging",))
        sent = {one: (await send(bot, text(), token=one)).status for one in bot.account.tokens}
        assert sent == {"both": 200, "this": 200, "that": 403, "looks": 403, "sends": 200}
        path = f"{waba}/phone_numbers"
        seen = {one: (await bot.get(path, token=one)).status for one in bot.account.tokens}
        assert seen == {"both": 200, "this": 400, "that": 400, "looks": 200, "sends": 403}
        assert (await bot.get(number, token="that")).refusal == (400, 100, 33)
        # Refused for its number, a send is seen all the same.
        assert [call.token for call in bot.emulator.sending.calls] == [
            "both",
            "this",
            "that",
            "sends",
        ]


async def test_an_answer_with_a_token_is_shown_without_it() -> None:
    async with desk() as bot:
        bot.account.add_token(LISTED)
        query = {
            "grant_type": "fb_exchange_token",
            "client_id": bot.account.app_id,
            "client_secret": bot.account.app_secret,
            "fb_exchange_token": LISTED,
        }
        answer = await bot.get("oauth/access_token", params=query, token=None)
        new = answer.body["access_token"]
        kept = json.dumps(as_data(bot.emulator.wire.exchanges[-1]))
        assert "grant_type" in kept
        for secret in (new, LISTED, bot.account.app_secret):
            assert secret not in kept


async def test_an_app_speaks_for_itself_and_sends_nothing() -> None:
    async with desk() as bot:
        heard(bot.emulator)
        bot.account.add_token(LISTED)
        app = f"{bot.account.app_id}/subscriptions"
        assert (await bot.get(app, token=bot.app_token)).status == 200
        assert (await bot.get(app, token=f"{bot.account.app_id}|wrong")).refusal == (401, 190, None)
        assert (await send(bot, text(), token=bot.app_token)).refusal == (403, 10, None)


async def test_a_proof_must_be_right_where_one_is_given() -> None:
    async with desk(Account(app_secret="s3cret")) as bot:
        heard(bot.emulator)
        proof = hmac.new(b"s3cret", LISTED.encode(), hashlib.sha256).hexdigest()
        path = f"{bot.number.id}/messages"
        for given, status in ((proof, 200), (proof[:-1], 400), ("", 400), ("é", 400)):
            query = {"appsecret_proof": given}
            answer = await bot.post(path, json=text(), params=query, token=LISTED)
            assert answer.status == status
            answer = await send(bot, text(appsecret_proof=given), token=LISTED)
            assert answer.status == status


async def test_a_form_is_read_as_graph_reads_it() -> None:
    async with desk() as bot:
        heard(bot.emulator)
        form = {"messaging_product": "whatsapp", "to": ANN, "text": '{"body": "hello"}'}
        answer = await bot.post(f"{bot.number.id}/messages", data=form)
        assert answer.status == 200
        # What curl sends where its type was forgotten.
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        raw = json.dumps(text()).encode()
        answer = await bot.post(f"{bot.number.id}/messages", data=raw, headers=headers)
        assert "messaging_product is required" in answer.error["message"]


async def test_long_bodies_are_cut_on_the_wire_and_refused_when_too_long() -> None:
    async with desk() as bot:
        heard(bot.emulator)
        padded = json.dumps(text()).encode() + b" " * 100_000
        assert (await bot.post(f"{bot.number.id}/messages", data=padded)).status == 200
        assert len(bot.emulator.wire.exchanges[-1].request) == MOST_BODY
        endless = io.BytesIO(b"[" + b" " * (4 * 1024 * 1024))
        answer = await bot.post(f"{bot.number.id}/messages", data=endless)
        assert answer.refusal == (413, 100, None)
        upload = await bot.upload(b"x" * 1000)
        assert upload.status == 200
        assert bot.emulator.wire.exchanges[-1].request.startswith("[multipart, ")


async def test_what_nobody_foresaw_is_metas_answer_and_seen_by_tests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def broken(_: Asked) -> Answer:
        raise RuntimeError("secret words")

    async with desk() as bot:
        graph = bot.emulator.graph
        monkeypatch.setattr(graph, "_routes", {("POST", "messages"): broken})
        answer = await send(bot, text())
        assert answer.refusal == (500, 1, None)
        assert "secret words" not in json.dumps(answer.body)
        (place,) = graph.broken
        assert place.startswith("RuntimeError in test_api.py:")
        assert "secret words" not in bot.emulator.wire.exchanges[-1].note
        graph.broken.clear()


async def test_an_error_has_metas_shape() -> None:
    async with desk() as bot:
        heard(bot.emulator)
        content: dict[str, Any] = {"latitude": 91, "longitude": 0}
        answer = await send(bot, said("location", content))
        error = answer.error
        assert error.pop("fbtrace_id")
        assert error == {
            "message": "(#131009) Parameter value is not valid",
            "type": "OAuthException",
            "code": 131009,
            "error_data": {
                "messaging_product": "whatsapp",
                "details": "location['latitude'] is not between -90 and 90.",
            },
        }
