"""Faults against findings: each fault seeded in turn, the doctor names it and only it.

Source:
    facts page, section 14; the numbers in the table are of its checks.
"""

import json
from typing import Any, NamedTuple

import pytest

from openparallax.doctor.finding import Level
from openparallax.emulator.account import SCOPES
from openparallax.emulator.wire import Exchange
from tests.doctor.front import Front, listening, saying
from tests.doctor.patient import (
    DAY_S,
    FOREIGN,
    HOUR_S,
    TOKEN,
    Seed,
    account,
    both,
    diagnosis,
    ends_in,
    moved,
    number,
    patient,
    refusing,
    subscription,
    token,
    told,
    with_the_clock_of_meta,
    wrong,
)

F, W, N = Level.FAILURE, Level.WARNING, Level.NOTE


class Row(NamedTuple):
    """A fault: the check that names it, how bad, a word of what is said, and how it comes about."""

    check: str
    level: Level
    says: str
    number: str
    seed: Seed


PAYMENT = {"error_code": 141006, "error_description": "There is an error with the payment method."}
LIMITED = {"error_code": 141010, "entity_type": "WABA", "can_send_message": "LIMITED"}
OURS_AND_9 = ("102290129340398", "9")
BARRED = {"error_code": 141000, "entity_type": "BUSINESS"}
OTHER_MENU: dict[str, Any] = {"commands": [{"command_name": "pizza", "command_description": "!"}]}

TABLE = (
    Row("token.valid", F, "has expired", "1", ends_in(-1)),
    Row("token.valid", F, "withdrawn", "1", token(is_valid=False)),
    Row("token.valid", F, "not one that Meta knows", "1", told(token="EAAanother")),
    Row("token.expiry", F, "47 hours", "1", ends_in(47 * HOUR_S)),
    Row("token.expiry", W, "6 days", "1", ends_in(6 * DAY_S)),
    Row("token.expiry", N, "40 days", "1", ends_in(40 * DAY_S)),
    Row("token.kind", F, "of a person", "1", token(kind="USER")),
    Row("token.scopes", F, "lacks whatsapp_business_messaging", "2", token(scopes=SCOPES[:2])),
    Row("token.scopes", F, "lacks whatsapp_business_management", "2", token(scopes=SCOPES[2:])),
    Row("token.account", F, "not for the WhatsApp account", "2", token(target_ids=("9",))),
    Row("token.app", F, "is of another app", "3", token(app_id="999")),
    Row("token.app", F, "is of app 1234567890", "3", told(app_id="999")),
    Row("app.secret", F, "not that of the app", "4", told(app_secrets=("another",))),
    Row("app.secret", F, "not that of the app", "4", told(app_secrets=("another", "third"))),
    Row("number.exists", F, "no number with the id 9", "5", told(phone_number_id="9")),
    Row("number.status", F, "DISCONNECTED", "5", number(status="DISCONNECTED")),
    Row("number.status", F, "BANNED", "5", number(status="BANNED")),
    Row("number.status", W, "FLAGGED", "5", number(status="FLAGGED")),
    Row("number.quality", W, "RED", "5", number(quality_rating="RED")),
    Row("number.name", F, "DECLINED", "5", number(name_status="DECLINED")),
    Row("number.verified", W, "EXPIRED", "5", number(code_verification_status="EXPIRED")),
    Row("number.platform", F, "not on the Cloud API", "5", number(platform_type="NOT_APPLICABLE")),
    Row("number.mode", W, "test number", "5", number(account_mode="SANDBOX")),
    Row("number.coexists", N, "Business app", "5", number(is_on_biz_app=True)),
    Row("number.throughput", W, "no throughput", "5", number(throughput="NOT_APPLICABLE")),
    Row("number.limit", N, "250 people", "5", number(messaging_limit="TIER_250")),
    Row("number.commands", N, "lacks /new, /otr", "-", number(automation={})),
    Row("number.commands", N, "lacks /new, /otr", "-", number(automation=OTHER_MENU)),
    Row("webhook.override", F, "the number webhooks go", "5", number(webhook_override=FOREIGN)),
    Row("webhook.override", F, "the WhatsApp account", "5", account(waba_override=FOREIGN)),
    Row("number.health", F, "phone number (code 141006)", "6", number(health=[PAYMENT])),
    Row("number.health", W, "waba (code 141010)", "6", number(health=[LIMITED])),
    Row("number.health", F, "business (code 141000)", "6", number(health=[BARRED])),
    Row("account.number", F, "not of the account", "7",
        both(token(target_ids=OURS_AND_9), number(waba_id="9"))),
    Row("number.exists", F, "or not for this token", "7", number(waba_id="9")),
    Row("account.exists", F, "no WhatsApp account", "7",
        both(token(target_ids=()), told(waba_id="9"))),
    Row("account.subscribed", F, "not subscribed", "8", account(subscribed_apps=[])),
    Row("account.subscribed", F, "not subscribed", "8", account(subscribed_apps=["999"])),
    Row("account.others", N, "1 more app is", "8", account(subscribed_apps=["1234567890", "999"])),
    Row("webhook.exists", F, "no webhook", "9", subscription(callback_url="")),
    Row("webhook.callback", F, "other.example", "9", subscription(callback_url=FOREIGN)),
    Row("webhook.active", F, "switched off", "9", subscription(is_active=False)),
    Row("webhook.fields", F, "not subscribed to messages", "9",
        subscription(fields=["account_update"])),
    Row("graph.version", F, "v19.0 is over", "12", told(version="v19.0")),
    Row("graph.version", F, "v25.0 is over", "12", both(moved(3 * 365 * DAY_S),
        with_the_clock_of_meta)),
    Row("graph.version", W, "v21.0 ends on 2027-01-21", "12", told(version="v21.0")),
    Row("machine.clock", W, "seconds behind", "12", moved(120)),
    Row("machine.clock", W, "seconds ahead", "12", moved(-120)),
    Row("account.payment", W, "no way to pay", "12", account(funding_id=None)),
    Row("graph.reachable", F, "could not be reached", "-", told(graph_url="http://127.0.0.1:9")),
    Row("graph.reachable", F, "could not be found", "-", told(graph_url="http://no.invalid")),
    Row("graph.reachable", W, "too many calls", "-", refusing("4")),
    Row("graph.reachable", W, "too many calls", "-", refusing("80007")),
    Row("graph.reachable", F, "code 2", "-", refusing("2")),
    Row("token.valid", F, "not one that Meta knows", "-", refusing("190")),
    Row("token.valid", W, "code 10:", "-", refusing("10")),
    Row("token.valid", W, "code 200:", "-", refusing("200")),
    Row("token.valid", W, "code 368:", "-", refusing("368")),
    Row("token.valid", W, "code 131000:", "-", refusing("131000")),
    Row("token.valid", W, "code 987:", "-", refusing("987")),
    Row("graph.reachable", F, "code 1:", "-", refusing("1")),
)  # fmt: skip


async def test_with_a_healthy_account_nothing_is_found() -> None:
    assert await diagnosis(lambda _: None) == []


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.number}-{row.check}-{row.says[:20]}")
async def test_each_fault_is_named_and_nothing_else(row: Row) -> None:
    found = await diagnosis(row.seed)
    assert {(one.check, one.level) for one in found} == {(row.check, row.level)}
    [one] = found
    assert row.says in one.says
    assert one.to_do or row.check == "account.others"
    assert one.why or one.level is not F
    told_whole = f"{one.says} {one.why} {one.to_do} {one.command}"
    assert TOKEN not in told_whole
    assert "15550100000" not in told_whole


async def test_what_the_configuration_does_not_say_is_derived() -> None:
    """From the token its app, from the number its account: nothing is left unexamined."""
    async with patient(told(app_id="", waba_id="")) as found:
        findings = await found.examined()
        assert wrong(findings) == {"app.id", "account.id"}
        said = {one.check: one for one in findings if one.level is N}
        assert 'app_id: "1234567890"' in said["app.id"].to_do
        assert 'waba_id: "102290129340398"' in said["account.id"].to_do
        examined = {one.check for one in findings if one.level is Level.OK}
        assert {"app.secret", "account.subscribed", "webhook.fields"} <= examined


async def test_the_trap_is_found_without_any_id() -> None:
    seed = both(told(app_id="", waba_id=""), account(subscribed_apps=[]))
    assert {one.check for one in await diagnosis(seed)} == {
        "account.subscribed", "app.id", "account.id",
    }  # fmt: skip


async def test_without_an_app_secret_it_says_what_it_could_not_ask() -> None:
    async with patient(told(app_secrets=())) as found:
        findings = await found.examined()
        assert wrong(findings) == {"webhook.fields"}
        assert "webhook.callback" in {one.check for one in findings}, "the number tells of it"


async def test_one_of_two_secrets_during_an_exchange() -> None:
    async with patient() as found:
        right = found.desk.account.app_secret
        found.told(app_secrets=("the-old-one", right))
        [one] = [one for one in await found.examined() if one.level is not Level.OK]
        assert (one.check, one.level) == ("app.secret", N)


async def test_a_field_that_this_version_of_graph_does_not_know_is_left_out() -> None:
    async with patient() as found, found.ward() as ward:
        answer = await ward.graph.node(found.subject.phone_number_id, ("id", "moods", "status"))
        assert dict(answer.body) == {"id": found.subject.phone_number_id, "status": "CONNECTED"}


async def test_a_graph_that_stops_answering_midway_is_told_once() -> None:
    async with patient() as found:
        emulator = found.desk.emulator
        tell, ended = emulator.wire.on_change, list[str]()

        def limit(exchange: Exchange) -> None:
            tell(exchange)
            if exchange.status is not None:
                ended.append(exchange.path)
            if sum("debug_token" in path for path in ended) == 2:
                emulator.faults.set("refuse_other", value="80008")

        emulator.wire.on_change = limit
        findings = await found.examined()
    assert [one.check for one in findings if one.level is not Level.OK] == ["graph.reachable"]
    assert "token.valid" in {one.check for one in findings}, "it had answered before"


async def test_that_an_app_is_in_development_no_answer_says() -> None:
    """Check 11. Unsure: facts, section 14: no field is known that says it."""
    assert await diagnosis(account(is_live=False)) == []


@pytest.mark.parametrize(
    ("status", "says"), [(403, "something in front of it said 403"), (200, "no answer of Graph's")]
)
async def test_something_else_than_graph_answers(status: int, says: str) -> None:
    """A page for everybody, as of a hotel's network."""
    async with (
        listening(Front(instead=saying(status, "<html>Welcome</html>"))) as port,
        patient(told(graph_url=f"http://127.0.0.1:{port}")) as found,
    ):
        [one] = [one for one in await found.examined() if one.level is not Level.OK]
    assert (one.check, one.level) == ("graph.reachable", F)
    assert says in one.says


async def test_what_meta_says_is_quoted_without_a_secret_or_what_commands_a_terminal() -> None:
    words = f"\x1b[31mNo {TOKEN} nor EAAanotherone0123 of +49 151 12345678\u202e {'x' * 5000}"
    trouble = {"error_code": 1, "error_description": words, "possible_solution": words}
    findings = await diagnosis(number(health=[trouble]))
    [said] = [one for one in findings if one.check == "number.health"]
    assert said.to_do.startswith("Meta advises: ")
    for text in (said.says, said.to_do):
        assert text.isprintable()
        assert len(text) < 1200
        assert not [one for one in (TOKEN, "EAAanother", "12345678") if one in text]


async def test_a_secret_that_graph_gives_back_is_not_shown() -> None:
    """Whoever stands at its address may name it as the id of an app."""
    for owner in (f"1{TOKEN}", "y" * 5000):
        said = json.dumps({"data": {"is_valid": True, "type": "SYSTEM_USER", "app_id": owner}})
        async with (
            listening(Front(instead=saying(200, said))) as port,
            patient(told(graph_url=f"http://127.0.0.1:{port}")) as found,
        ):
            findings = await found.examined()
        [one] = [one for one in findings if one.check == "token.app"]
        assert "is of app " in one.says
        assert len(one.says) < 1200
        assert not [one for one in findings if TOKEN in repr(one)]
