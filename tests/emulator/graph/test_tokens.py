"""What a token is good for, a fresh one for an old one, the end of one."""

from typing import Any

import pytest

from openparallax.emulator import Account
from openparallax.emulator.account import SCOPES
from tests.emulator.graph.desk import Desk, desk
from tests.fakes.clock import TurnedClock

DAY_S = 86_400


async def debugged(sitting: Desk, value: str, token: str | None = None) -> dict[str, Any]:
    said = await sitting.get(f"debug_token?input_token={value}", token=token or sitting.app_token)
    assert said.status == 200, said.body
    data: dict[str, Any] = said.body["data"]
    return data


async def test_a_good_token() -> None:
    async with desk() as sitting:
        account = sitting.account
        account.add_token("EAAgood", issued_at=1_789_000_000, target_ids=(account.waba_id,))
        assert await debugged(sitting, "EAAgood") == {
            "app_id": account.app_id,
            "type": "SYSTEM_USER",
            "application": "OpenParallax dev",
            "is_valid": True,
            "scopes": list(SCOPES),
            "expires_at": 0,
            "data_access_expires_at": 0,
            "issued_at": 1_789_000_000,
            "user_id": "100000000000002",
            "granular_scopes": [
                {"scope": scope, "target_ids": [account.waba_id]} for scope in SCOPES
            ],
        }
        # a token may ask about itself
        assert (await debugged(sitting, "EAAgood", "EAAgood"))["is_valid"]


@pytest.mark.parametrize(
    ("seed", "name", "shown"),
    [
        ({"kind": "USER"}, "type", "USER"),
        ({"expires_at": 1_790_000_000 + DAY_S}, "expires_at", 1_790_000_000 + DAY_S),
        ({"scopes": SCOPES[:2]}, "scopes", list(SCOPES[:2])),
        (
            {"target_ids": ("1",), "scopes": SCOPES[2:]},
            "granular_scopes",
            [{"scope": SCOPES[2], "target_ids": ["1"]}],
        ),
    ],
)
async def test_a_fault_of_a_token_can_be_seeded(
    seed: dict[str, Any], name: str, shown: object
) -> None:
    async with desk(clock=TurnedClock()) as sitting:
        sitting.account.add_token("EAAseeded", **seed)
        assert (await debugged(sitting, "EAAseeded"))[name] == shown


async def test_a_token_that_is_over() -> None:
    async with desk(clock=TurnedClock()) as sitting:
        ends = int(sitting.emulator.clock.now()) + DAY_S
        sitting.account.add_token("EAAday", expires_at=ends)
        sitting.account.add_token("EAArevoked", is_valid=False)
        assert (await debugged(sitting, "EAAday"))["is_valid"]
        sitting.emulator.clock.move(DAY_S)
        for value, subcode in (("EAAday", 463), ("EAArevoked", 460)):
            data = await debugged(sitting, value)
            assert not data["is_valid"]
            assert (data["error"]["code"], data["error"]["subcode"]) == (190, subcode)
        unknown = await debugged(sitting, "EAAunknown")
        assert (unknown["is_valid"], unknown["error"]["code"]) == (False, 190)


async def test_a_token_of_another_app() -> None:
    async with desk() as sitting:
        sitting.account.add_token("EAAown")
        sitting.account.add_token("EAAforeign", app_id="999")
        said = await sitting.get("debug_token?input_token=EAAforeign", token="EAAown")
        assert said.refusal == (400, 100, None)
        assert "App_id in the input_token did not match" in said.error["message"]
        said = await sitting.get("debug_token?input_token=EAAown", token="EAAforeign")
        assert said.refusal == (400, 100, None)
        assert "You must provide an app access token" in said.error["message"]


async def test_a_wrong_app_secret_and_a_wrong_app() -> None:
    async with desk() as sitting:
        for wrong in (f"{sitting.account.app_id}|wrong", f"999|{sitting.account.app_secret}"):
            said = await sitting.get("debug_token?input_token=x", token=wrong)
            assert (said.error["code"], said.error["type"]) == (190, "OAuthException")
        assert (await debugged(sitting, sitting.app_token))["type"] == "APP"


async def test_without_tokens_each_is_a_good_one() -> None:
    async with desk() as sitting:
        assert (await debugged(sitting, "EAAwhatever", "EAAother"))["is_valid"]
        said = await sitting.get("debug_token")
        assert said.error["message"] == "(#100) The parameter input_token is required."


def credentials(account: Account, **more: str) -> dict[str, str]:
    return {"client_id": account.app_id, "client_secret": account.app_secret, **more}


async def test_the_app_gets_its_own_token() -> None:
    async with desk() as sitting:
        asked = credentials(sitting.account, grant_type="client_credentials")
        said = await sitting.get("oauth/access_token", params=asked, token=None)
        assert said.body == {"access_token": sitting.app_token, "token_type": "bearer"}
        posted = await sitting.post("oauth/access_token", data=asked, token=None)
        assert posted.body == said.body


async def test_a_token_is_exchanged_before_it_ends() -> None:
    async with desk(clock=TurnedClock()) as sitting:
        now = int(sitting.emulator.clock.now())
        account = sitting.account
        account.add_token("EAAold", expires_at=now + 15 * DAY_S, target_ids=(account.waba_id,))
        asked = credentials(
            account,
            grant_type="fb_exchange_token",
            set_token_expires_in_60_days="true",
            fb_exchange_token="EAAold",
        )
        said = (await sitting.get("oauth/access_token", params=asked, token=None)).body
        new = said.pop("access_token")
        assert said == {"token_type": "bearer", "expires_in": 60 * DAY_S}
        sitting.emulator.clock.move(14 * DAY_S)
        for value in (new, "EAAold"):
            assert (await sitting.get(sitting.number.id, token=value)).status == 200
        assert (await debugged(sitting, new))["granular_scopes"][0]["target_ids"] == [
            account.waba_id
        ]
        sitting.emulator.clock.move(DAY_S)
        assert (await sitting.get(sitting.number.id, token=new)).status == 200
        assert (await sitting.get(sitting.number.id, token="EAAold")).refusal[1:] == (190, 463)
        late = await sitting.get("oauth/access_token", params=asked, token=None)
        assert late.refusal[1:] == (190, 463)
        sitting.emulator.clock.move(46 * DAY_S)
        assert (await sitting.get(sitting.number.id, token=new)).refusal[1:] == (190, 463)


async def test_an_exchange_where_every_token_is_let_in_keeps_none_out() -> None:
    async with desk() as sitting:
        asked = credentials(
            sitting.account, grant_type="fb_exchange_token", fb_exchange_token="EAAold"
        )
        said = await sitting.get("oauth/access_token", params=asked, token=None)
        for value in (said.body["access_token"], "EAAold", "EAAelse"):
            assert (await sitting.get(sitting.number.id, token=value)).status == 200


async def test_a_revoked_token_is_over() -> None:
    async with desk() as sitting:
        sitting.account.add_token("EAAlost")
        sitting.account.add_token("EAAother")
        asked = credentials(sitting.account, revoke_token="EAAlost", access_token="EAAother")
        said = await sitting.get("oauth/revoke", params=asked, token=None)
        assert said.body == {"success": True}
        assert (await sitting.get(sitting.number.id, token="EAAlost")).error["code"] == 190
        assert (await sitting.get(sitting.number.id, token="EAAother")).status == 200
        asked["revoke_token"] = "EAAnever"
        assert (await sitting.get("oauth/revoke", params=asked, token=None)).error["code"] == 190


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"client_secret": "wrong"}, 1),
        ({"client_secret": "schlüssel"}, 1),
        ({"client_secret": ""}, 101),
        ({"client_id": "999"}, 101),
        ({"client_id": ""}, 101),
        ({"grant_type": "password"}, 100),
        ({"grant_type": "", "code": "AQB"}, 100),
        ({"grant_type": "fb_exchange_token"}, 100),
        ({"grant_type": "fb_exchange_token", "fb_exchange_token": "1|2"}, 190),
    ],
)
async def test_what_gets_no_token(changed: dict[str, str], code: int) -> None:
    async with desk() as sitting:
        asked = {**credentials(sitting.account, grant_type="client_credentials"), **changed}
        said = await sitting.get("oauth/access_token", params=asked, token=None)
        assert said.error["code"] == code
        assert said.status in (400, 401)


async def test_no_secret_is_kept_on_the_wire() -> None:
    async with desk() as sitting:
        asked = credentials(
            sitting.account, grant_type="fb_exchange_token", fb_exchange_token="EAAkept"
        )
        await sitting.get("oauth/access_token", params=asked, token=None)
        await sitting.post("oauth/access_token", data=asked, token=None)
        for exchange in sitting.emulator.wire.exchanges:
            sent = exchange.path + exchange.request
            assert sitting.account.app_secret not in sent
            assert "EAAkept" not in sent


async def test_the_token_of_the_address_goes_before_that_of_the_header() -> None:
    async with desk() as sitting:
        sitting.account.add_token("EAAours")
        path = f"{sitting.account.app_id}/subscriptions?access_token={sitting.app_token}"
        assert (await sitting.get(path, token="EAAours")).body == {"data": []}
        assert (await sitting.get(path, token=None)).body == {"data": []}
