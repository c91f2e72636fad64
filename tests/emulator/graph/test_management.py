"""Numbers, the business account, subscriptions and overrides; each fault can be seeded."""

from typing import Any

import pytest

from openparallax.emulator import Account, Number
from openparallax.emulator.graph.numbers import displayed
from tests.emulator.graph.desk import desk, open_door

DOCTORS_FIELDS = (
    "id,display_phone_number,verified_name,status,quality_rating,name_status,"
    "code_verification_status,platform_type,throughput,account_mode,webhook_configuration,"
    "health_status,whatsapp_business_manager_messaging_limit,is_on_biz_app"
)
"""As the facts page has them, section 14, check 5."""


async def test_what_a_doctor_asks_of_a_number() -> None:
    async with desk() as sitting:
        sitting.account.subscription.callback_url = "https://bot.example/hook"
        number = sitting.number
        said = (await sitting.get(f"{number.id}?fields={DOCTORS_FIELDS}")).body
        health = said.pop("health_status")
        assert said == {
            "id": number.id,
            "display_phone_number": "+1 555-010-0000",
            "verified_name": "OpenParallax",
            "status": "CONNECTED",
            "quality_rating": "GREEN",
            "name_status": "APPROVED",
            "code_verification_status": "VERIFIED",
            "platform_type": "CLOUD_API",
            "throughput": {"level": "STANDARD"},
            "account_mode": "LIVE",
            "webhook_configuration": {"application": "https://bot.example/hook"},
            "whatsapp_business_manager_messaging_limit": "TIER_2K",
            "is_on_biz_app": False,
        }
        assert health["can_send_message"] == "AVAILABLE"
        kinds = [one["entity_type"] for one in health["entities"]]
        assert kinds == ["PHONE_NUMBER", "WABA", "BUSINESS", "APP"]


SEEDED: list[tuple[dict[str, Any], str, Any]] = [
    ({"status": "DISCONNECTED"}, "status", "DISCONNECTED"),
    ({"quality_rating": "RED"}, "quality_rating", "RED"),
    ({"name_status": "DECLINED"}, "name_status", "DECLINED"),
    ({"code_verification_status": "EXPIRED"}, "code_verification_status", "EXPIRED"),
    ({"platform_type": "NOT_APPLICABLE"}, "platform_type", "NOT_APPLICABLE"),
    ({"account_mode": "SANDBOX"}, "account_mode", "SANDBOX"),
    ({"messaging_limit": "TIER_250"}, "whatsapp_business_manager_messaging_limit", "TIER_250"),
    ({"throughput": "HIGH"}, "throughput", {"level": "HIGH"}),
    ({"is_on_biz_app": True}, "is_on_biz_app", True),
    ({"is_pin_enabled": True}, "is_pin_enabled", True),
    ({"verified_name": "Bakery"}, "verified_name", "Bakery"),
    (
        {"webhook_override": "https://other.example/x"},
        "webhook_configuration",
        {"phone_number": "https://other.example/x"},
    ),
]


@pytest.mark.parametrize(("seed", "name", "shown"), SEEDED)
async def test_a_fault_of_a_number_can_be_seeded(
    seed: dict[str, Any], name: str, shown: object
) -> None:
    async with desk() as sitting:
        for field, value in seed.items():
            setattr(sitting.number, field, value)
        said = await sitting.get(f"{sitting.number.id}?fields={name}")
        assert said.body == {name: shown, "id": sitting.number.id}


@pytest.mark.parametrize(
    ("error", "level", "where"),
    [
        ({"error_code": 141006}, "BLOCKED", "PHONE_NUMBER"),
        ({"error_code": 141006, "entity_type": "BUSINESS"}, "BLOCKED", "BUSINESS"),
        (
            {"error_code": 141010, "entity_type": "WABA", "can_send_message": "LIMITED"},
            "LIMITED",
            "WABA",
        ),
    ],
)
async def test_health_names_the_part_that_is_ill(
    error: dict[str, Any], level: str, where: str
) -> None:
    async with desk() as sitting:
        sitting.number.health.append(error)
        said = (await sitting.get(f"{sitting.number.id}?fields=health_status")).body
        assert said["health_status"]["can_send_message"] == level
        ill = {
            one["entity_type"]: one["errors"]
            for one in said["health_status"]["entities"]
            if one["can_send_message"] == level
        }
        assert ill == {where: [{"error_code": error["error_code"]}]}
        answer = await sitting.get(f"{sitting.account.waba_id}?fields=health_status")
        of_account = answer.body["health_status"]
        kinds = [one["entity_type"] for one in of_account["entities"]]
        assert kinds == ["WABA", "BUSINESS", "APP"]
        is_of_number = where == "PHONE_NUMBER"
        assert of_account["can_send_message"] == ("AVAILABLE" if is_of_number else level)


@pytest.mark.parametrize("node", ["number", "waba_id", "app_id"])
async def test_a_field_that_there_is_not(node: str) -> None:
    async with desk() as sitting:
        where = sitting.number.id if node == "number" else getattr(sitting.account, node)
        said = await sitting.get(f"{where}?fields=id,shoe_size")
        assert said.refusal == (400, 100, None)
        assert "nonexisting field (shoe_size) on node type" in said.error["message"]
        assert (await sitting.get(f"{where}?fields=id")).body == {"id": where}


async def test_fields_of_fields_are_not_looked_at() -> None:
    async with desk() as sitting:
        fields = "throughput{level,shoe_size},%20status.limit(3)"
        said = await sitting.get(f"{sitting.number.id}?fields={fields}")
        assert said.body == {
            "throughput": {"level": "STANDARD"},
            "status": "CONNECTED",
            "id": sitting.number.id,
        }


@pytest.mark.parametrize(
    ("digits", "shown"),
    [
        ("15550100000", "+1 555-010-0000"),
        ("4915550000001", "+49 15550000001"),
        ("5551998765432", "+55 51998765432"),
        ("35312345678", "+353 12345678"),
        ("1555", "+1 555"),
        ("not a number", "not a number"),
    ],
)
def test_a_number_as_people_read_it(digits: str, shown: str) -> None:
    assert displayed(digits) == shown


async def test_the_business_account_and_whether_it_can_pay() -> None:
    async with desk() as sitting:
        path = f"{sitting.account.waba_id}?fields=id,name,primary_funding_id"
        assert (await sitting.get(path)).body == {
            "id": sitting.account.waba_id,
            "name": "OpenParallax",
            "primary_funding_id": "100000000000001",
        }
        sitting.account.funding_id = None
        assert "primary_funding_id" not in (await sitting.get(path)).body
        app = await sitting.get(sitting.account.app_id)
        assert (app.body["id"], app.body["name"]) == (sitting.account.app_id, "OpenParallax dev")


async def test_only_numbers_of_the_account_are_listed() -> None:
    account = Account(
        numbers=[
            Number(id=str(n), display_phone_number=f"1555010000{n}", waba_id="" if n < 4 else "9")
            for n in range(1, 5)
        ]
    )
    async with desk(account) as sitting:
        path = f"{account.waba_id}/phone_numbers?limit=2&fields=id"
        first = (await sitting.get(path)).body
        assert first["data"] == [{"id": "1"}, {"id": "2"}]
        assert first["paging"]["cursors"] == {"before": "1", "after": "2"}
        assert "previous" not in first["paging"]
        second = (await sitting.get(first["paging"]["next"])).body
        assert second["data"] == [{"id": "3"}]
        assert "next" not in second["paging"]
        back = (await sitting.get(second["paging"]["previous"])).body
        assert back == first
        for limit in ("0", "-1", "many", "1e3", "٣"):
            wrong = await sitting.get(f"{account.waba_id}/phone_numbers?limit={limit}")
            assert wrong.refusal == (400, 100, None)
        assert (await sitting.get("1/phone_numbers")).refusal == (400, 100, 33)


async def test_the_classic_trap_nobody_subscribed_to_the_account() -> None:
    async with desk() as sitting:
        path = f"{sitting.account.waba_id}/subscribed_apps"
        before = (await sitting.get(path)).body["data"]
        assert [row["whatsapp_business_api_data"]["id"] for row in before] == ["1234567890"]
        assert (await sitting.delete(path)).body == {"success": True}
        assert (await sitting.get(path)).body == {"data": []}
        refused = await sitting.post(
            path, json={"override_callback_uri": "http://127.0.0.1:9/x", "verify_token": "t"}
        )
        assert refused.refusal == (400, 100, None)
        assert "must be subscribed" in refused.error["message"]
        for _ in range(2):
            assert (await sitting.post(path)).body == {"success": True}
        assert (await sitting.get(path)).body == {"data": before}


async def test_an_override_of_the_account_passes_a_handshake_first() -> None:
    async with desk() as sitting, open_door() as door:
        path = f"{sitting.account.waba_id}/subscribed_apps"
        wanted = {"override_callback_uri": door.url, "verify_token": door.verify_token}
        assert (await sitting.post(path, json=wanted)).body == {"success": True}
        assert [one["hub.mode"] for one in door.asked] == ["subscribe"]
        assert (await sitting.get(path)).body["data"][0]["override_callback_uri"] == door.url
        number = f"{sitting.number.id}?fields=webhook_configuration"
        shown = (await sitting.get(number)).body["webhook_configuration"]
        assert shown == {"whatsapp_business_account": door.url}
        assert (await sitting.post(path)).body == {"success": True}
        assert sitting.account.waba_override is None


async def test_an_override_of_a_number_and_its_end() -> None:
    async with desk() as sitting, open_door() as door:
        wanted = {"override_callback_uri": door.url, "verify_token": door.verify_token}
        said = await sitting.post(sitting.number.id, json={"webhook_configuration": wanted})
        assert said.body == {"success": True}
        assert sitting.number.webhook_override == door.url
        gone = {"webhook_configuration": {"override_callback_uri": ""}}
        assert (await sitting.post(sitting.number.id, json=gone)).body == {"success": True}
        assert sitting.number.webhook_override is None


@pytest.mark.parametrize(
    ("status", "echo", "token", "why"),
    [
        (200, None, "another", "HTTP Status Code = 403; HTTP Message = Forbidden"),
        (404, None, "the-bots-word", "HTTP Status Code = 404; HTTP Message = Not Found"),
        (299, None, "the-bots-word", "challenge was not returned"),
        (200, "something else", "the-bots-word", "challenge was not returned"),
        (600, None, "the-bots-word", "HTTP Status Code = 600"),
    ],
)
async def test_a_handshake_that_fails(status: int, echo: str | None, token: str, why: str) -> None:
    async with desk() as sitting, open_door() as door:
        door.status, door.echo = status, echo
        wanted = {"override_callback_uri": door.url, "verify_token": token}
        said = await sitting.post(sitting.number.id, json={"webhook_configuration": wanted})
        assert said.refusal == (400, 2200, None)
        assert why in said.error["message"]
        assert sitting.number.webhook_override is None


@pytest.mark.parametrize(
    "wanted",
    [
        {"override_callback_uri": "ftp://127.0.0.1/x", "verify_token": "t"},
        {"override_callback_uri": "https://bot.example/x", "verify_token": "t"},
        {"override_callback_uri": "http://[", "verify_token": "t"},
        {"override_callback_uri": "http://127.0.0.1/" + "x" * 200, "verify_token": "t"},
        {"override_callback_uri": "http://127.0.0.1/x"},
        {"override_callback_uri": 7, "verify_token": "t"},
        {"override_callback_uri": "http://127.0.0.1/x", "verify_token": ["t"]},
        "http://127.0.0.1/x",
    ],
)
async def test_what_is_no_override(wanted: object) -> None:
    async with desk() as sitting:
        said = await sitting.post(sitting.number.id, json={"webhook_configuration": wanted})
        assert said.refusal == (400, 100, None)


async def test_the_subscription_of_the_app() -> None:
    async with desk() as sitting, open_door() as door:
        path, token = f"{sitting.account.app_id}/subscriptions", sitting.app_token
        sitting.account.subscription.fields = ["messages"]
        assert (await sitting.get(path)).refusal == (400, 15, None)
        assert (await sitting.get(path, token=token)).body == {"data": []}
        query = {
            "object": "whatsapp_business_account",
            "callback_url": door.url,
            "verify_token": door.verify_token,
            "fields": "messages,account_update",
            "access_token": token,
        }
        assert (await sitting.post(path, params=query, token=None)).body == {"success": True}
        assert len(door.asked) == 1
        assert (await sitting.get(path, token=token)).body == {
            "data": [
                {
                    "object": "whatsapp_business_account",
                    "callback_url": door.url,
                    "active": True,
                    "fields": [
                        {"name": "messages", "version": "v25.0"},
                        {"name": "account_update", "version": "v25.0"},
                    ],
                }
            ]
        }
        assert sitting.emulator.delivery.url == door.url
        assert sitting.account.verify_token == door.verify_token
        ended = await sitting.delete(f"{path}?fields=account_update", token=token)
        assert ended.body == {"success": True}
        assert sitting.account.subscription.fields == ["messages"]
        assert sitting.account.subscription.is_active
        await sitting.delete(path, token=token)
        assert not sitting.account.subscription.is_active


@pytest.mark.parametrize(
    ("seed", "name", "shown"),
    [
        ({"callback_url": "https://old.example/x"}, "callback_url", "https://old.example/x"),
        ({"is_active": False}, "active", False),
        ({"fields": ["security"]}, "fields", [{"name": "security", "version": "v25.0"}]),
    ],
)
async def test_a_fault_of_the_subscription_can_be_seeded(
    seed: dict[str, Any], name: str, shown: object
) -> None:
    async with desk() as sitting:
        sitting.emulator.delivery.url = "http://127.0.0.1:9/hook"
        path, token = f"{sitting.account.app_id}/subscriptions", sitting.app_token
        row = (await sitting.get(path, token=token)).body["data"][0]
        assert row["callback_url"] == "http://127.0.0.1:9/hook"
        assert row["active"] is True
        for field, value in seed.items():
            setattr(sitting.account.subscription, field, value)
        assert (await sitting.get(path, token=token)).body["data"][0][name] == shown


@pytest.mark.parametrize(
    "changed",
    [
        {"object": "user"},
        {"callback_url": ""},
        {"verify_token": ""},
        {"fields": 7},
        {"fields": [7]},
        {"callback_url": "nonsense"},
    ],
)
async def test_what_is_no_subscription(changed: dict[str, Any]) -> None:
    async with desk() as sitting:
        body = {
            "object": "whatsapp_business_account",
            "callback_url": "http://127.0.0.1:9/hook",
            "verify_token": "t",
            **changed,
        }
        path = f"{sitting.account.app_id}/subscriptions"
        said = await sitting.post(path, json=body, token=sitting.app_token)
        assert said.refusal == (400, 100, None)


async def test_a_number_is_registered_and_let_go() -> None:
    async with desk() as sitting:
        node = sitting.number.id
        assert (await sitting.post(f"{node}/deregister")).body == {"success": True}
        assert sitting.number.status == "DISCONNECTED"
        for body in ({"pin": "123456"}, {"messaging_product": "whatsapp"}):
            assert (await sitting.post(f"{node}/register", json=body)).refusal == (400, 100, None)
        body = {"messaging_product": "whatsapp", "pin": "12345"}
        assert (await sitting.post(f"{node}/register", json=body)).refusal == (400, 100, None)
        body["pin"] = "123456"
        sitting.number.code_verification_status = "NOT_VERIFIED"
        assert (await sitting.post(f"{node}/register", json=body)).refusal == (400, 133006, None)
        sitting.number.code_verification_status = "VERIFIED"
        assert (await sitting.post(f"{node}/register", json=body)).body == {"success": True}
        assert (sitting.number.status, sitting.number.is_pin_enabled) == ("CONNECTED", True)
        body["pin"] = "654321"
        assert (await sitting.post(f"{node}/register", json=body)).refusal == (400, 133005, None)


async def test_ice_breakers_and_commands() -> None:
    async with desk() as sitting:
        path = f"{sitting.number.id}/conversational_automation"
        assert (await sitting.get(path)).body == {"id": sitting.number.id}
        body = {
            "prompts": ["Book a table"],
            "commands": '[{"command_name": "otr", "command_description": "off the record"}]',
            "enable_welcome_message": "true",
        }
        assert (await sitting.post(path, json=body)).body == {"success": True}
        set_now = {
            "prompts": ["Book a table"],
            "commands": [{"command_name": "otr", "command_description": "off the record"}],
            "enable_welcome_message": True,
        }
        assert (await sitting.get(path)).body == {"id": sitting.number.id, **set_now}
        field = await sitting.get(f"{sitting.number.id}?fields=conversational_automation")
        assert field.body["conversational_automation"]["commands"] == set_now["commands"]


@pytest.mark.parametrize(
    "body",
    [
        {"prompts": ["x"] * 5},
        {"prompts": [7]},
        {"prompts": "no json"},
        {"prompts": ["x" * 81]},
        {"commands": {"command_name": "a"}},
        {"commands": ["a"]},
        {"commands": [{}]},
        {"commands": [{"command_name": "a" * 33}]},
        {"commands": [{"command_name": "a"}] * 31},
    ],
)
async def test_what_are_no_ice_breakers(body: dict[str, Any]) -> None:
    async with desk() as sitting:
        path = f"{sitting.number.id}/conversational_automation"
        assert (await sitting.post(path, json=body)).refusal == (400, 100, None)
        assert not sitting.number.automation


async def test_the_profile_of_a_number() -> None:
    async with desk() as sitting:
        path = f"{sitting.number.id}/whatsapp_business_profile"
        body: dict[str, Any] = {"messaging_product": "whatsapp", "about": "Bread", "email": "a@b.c"}
        assert (await sitting.post(path, json=body)).body == {"success": True}
        body = {"messaging_product": "whatsapp", "email": "", "websites": ["https://b.example"]}
        assert (await sitting.post(path, json=body)).body == {"success": True}
        assert (await sitting.get(path)).body["data"] == [
            {
                "messaging_product": "whatsapp",
                "about": "Bread",
                "websites": ["https://b.example"],
                "vertical": "UNDEFINED",
            }
        ]
        some = await sitting.get(f"{path}?fields=about")
        assert some.body["data"] == [{"messaging_product": "whatsapp", "about": "Bread"}]
        for wrong in (
            {"about": "x"},
            {"messaging_product": "whatsapp", "about": "x" * 140},
            {"messaging_product": "whatsapp", "websites": "https://b.example"},
            {"messaging_product": "whatsapp", "websites": ["a", "b", "c"]},
        ):
            assert (await sitting.post(path, json=wrong)).refusal == (400, 100, None)


async def test_a_new_name_waits_for_its_review() -> None:
    async with desk() as sitting:
        said = await sitting.post(sitting.number.id, json={"new_display_name": "Bakery"})
        assert said.body == {"success": True}
        shown = (
            await sitting.get(f"{sitting.number.id}?fields=new_name_status,verified_name")
        ).body
        assert shown["new_name_status"] == "PENDING_REVIEW"
        assert shown["verified_name"] == "OpenParallax"
        assert (await sitting.post(sitting.number.id, json={})).refusal == (400, 100, None)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "4711"),
        ("POST", "4711"),
        ("DELETE", "4711"),
        ("GET", "4711/phone_numbers"),
        ("GET", "4711/subscribed_apps"),
        ("POST", "4711/register"),
        ("GET", "4711/message_templates"),
        ("GET", "4711/subscriptions"),
        ("GET", "4711/conversational_automation"),
    ],
)
async def test_an_id_of_nothing(method: str, path: str) -> None:
    async with desk() as sitting:
        said = await sitting.ask(method, path, token=sitting.app_token)
        assert said.refusal == (400, 100, 33)
        assert (
            f"Unsupported {method.lower()} request. Object with ID '4711'" in said.error["message"]
        )


async def test_the_wire_says_what_was_asked() -> None:
    async with desk() as sitting:
        account, media_id = sitting.account, (await sitting.upload()).body["id"]
        for node in (sitting.number.id, account.waba_id, account.app_id, "1000000000000001"):
            await sitting.get(node)
        await sitting.get(media_id)
        await sitting.delete(media_id)
        await sitting.get(f"{account.waba_id}/message_templates")
        assert [exchange.what for exchange in sitting.emulator.wire.exchanges] == [
            "media · upload",
            "number",
            "business account",
            "app",
            "template",
            "media · address",
            "media · delete",
            "message templates",
        ]
