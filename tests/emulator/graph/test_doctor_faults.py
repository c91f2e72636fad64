"""Everything that a doctor looks for can be seeded, shows in the answers, and nothing else does.

The doctor below makes the calls of the facts page (section 14), all read-only, over HTTP. Each
fault is a row; against a healthy account it finds nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import pytest

from openparallax.emulator import Account
from openparallax.emulator.account import SCOPES, Subscription
from tests.emulator.graph.desk import Desk, Said, desk
from tests.fakes.clock import TurnedClock

HOUR_S, DAY_S = 3600, 86_400
OURS = "https://bot.example/webhook"
FOREIGN = "https://other.example/webhook"
OF_NUMBER = (
    "id,display_phone_number,verified_name,status,quality_rating,name_status,"
    "code_verification_status,platform_type,throughput,account_mode,webhook_configuration,"
    "health_status,whatsapp_business_manager_messaging_limit,is_on_biz_app"
)
EXPECTED: dict[str, set[Any]] = {
    "status": {"CONNECTED"},
    "quality_rating": {"GREEN", "YELLOW", "UNKNOWN"},
    "name_status": {"APPROVED", "AVAILABLE_WITHOUT_REVIEW"},
    "code_verification_status": {"VERIFIED"},
    "platform_type": {"CLOUD_API"},
    "account_mode": {"LIVE"},
    "whatsapp_business_manager_messaging_limit": {"TIER_2K", "TIER_10K", "TIER_100K"},
    "is_on_biz_app": {False},
    "throughput": {"STANDARD", "HIGH"},
}
"""Of the number's fields what is well."""


@dataclass(slots=True, kw_only=True)
class Doctor:
    """What a bot's configuration says, and what its doctor finds.

    Attributes:
        now: Unix seconds of the bot's own clock.
        found: The findings, each a word or two.
    """

    desk: Desk
    now: float
    token: str
    app_id: str
    app_secret: str
    number_id: str
    waba_id: str
    version: str = "v25.0"
    found: set[str] = field(default_factory=set)

    async def look(self) -> set[str]:
        if await self._sees_token():
            await self._see_number()
            await self._see_account()
            await self._see_app()
            await self._see_platform()
        return self.found

    async def _sees_token(self) -> bool:
        """Checks 1 to 4; False: nothing else can be asked."""
        by_app = f"{self.app_id}|{self.app_secret}"
        said = await self._get(f"debug_token?input_token={self.token}", by_app)
        if said.status == 401:
            self.found.add("app secret")
            said = await self._get(f"debug_token?input_token={self.token}")
        if said.status != 200:
            self.found.add("token of another app")
            return False
        token = said.body["data"]
        if not token["is_valid"]:
            self.found.add(f"token {token['error'].get('subcode', 'unknown')}")
            return False
        left_s = token["expires_at"] - self.now if token["expires_at"] else None
        if left_s is not None and left_s < 7 * DAY_S:
            self.found.add("token ends in hours" if left_s < 48 * HOUR_S else "token ends in days")
        if token["type"] != "SYSTEM_USER":
            self.found.add("token of a user")
        if token["app_id"] != self.app_id:
            self.found.add("token of another app")
        missing = set(SCOPES[1:]) - set(token["scopes"])
        granular: list[dict[str, Any]] = token["granular_scopes"]
        targets = [one.get("target_ids") for one in granular]
        if any(self.waba_id not in ids for ids in targets if ids is not None):
            missing.add("this account")
        self.found.update(f"token lacks {what}" for what in missing)
        return not missing

    async def _see_number(self) -> None:
        """Checks 5 and 6."""
        said = await self._get(f"{self.number_id}?fields={OF_NUMBER}")
        if said.status != 200:
            assert said.refusal == (400, 100, 33)
            self.found.add("no such number")
            return
        number = said.body
        for name, well in EXPECTED.items():
            value = number[name]
            if (value["level"] if isinstance(value, dict) else value) not in well:
                self.found.add(name)
        places = number["webhook_configuration"]
        order = ("phone_number", "whatsapp_business_account")
        place = next((name for name in order if name in places), None)
        if place is not None and places[place] != OURS:
            self.found.add(f"webhooks go elsewhere: {place}")
        for part in number["health_status"]["entities"]:
            for error in part.get("errors", ()):
                kind, says = part["entity_type"], part["can_send_message"]
                self.found.add(f"health {kind} {says} {error['error_code']}")

    async def _see_account(self) -> None:
        """Checks 7, 8 and 12: whose the number is, who gets webhooks, who pays."""
        said = await self._get(f"{self.waba_id}?fields=id,primary_funding_id")
        if said.status != 200:
            assert said.refusal == (400, 100, 33)
            self.found.add("no such account")
            return
        if "primary_funding_id" not in said.body:
            self.found.add("no way to pay")
        numbers = (await self._get(f"{self.waba_id}/phone_numbers?fields=id")).body["data"]
        is_there = "no such number" not in self.found
        if is_there and self.number_id not in [one["id"] for one in numbers]:
            self.found.add("number of another account")
        rows = (await self._get(f"{self.waba_id}/subscribed_apps")).body["data"]
        if self.app_id not in [row["whatsapp_business_api_data"]["id"] for row in rows]:
            self.found.add("app not subscribed")

    async def _see_app(self) -> None:
        """Check 9."""
        if "app secret" in self.found:
            return
        by_app = f"{self.app_id}|{self.app_secret}"
        rows = (await self._get(f"{self.app_id}/subscriptions", by_app)).body["data"]
        ours = [row for row in rows if row["object"] == "whatsapp_business_account"]
        if not ours:
            self.found.add("no webhook")
            return
        if not ours[0]["active"]:
            self.found.add("webhook not active")
        if ours[0]["callback_url"] != OURS:
            self.found.add("another callback")
        if "messages" not in [one["name"] for one in ours[0]["fields"]]:
            self.found.add("messages not ticked")

    async def _see_platform(self) -> None:
        """Check 12: version and clock."""
        said = await self._get(f"{self.app_id}?fields=id")
        if said.headers["facebook-api-version"] != self.version:
            self.found.add("version is over")
        theirs = parsedate_to_datetime(said.headers["Date"]).timestamp()
        if abs(theirs - self.now) > 60:
            self.found.add("clock is wrong")

    async def _get(self, path: str, token: str | None = None) -> Said:
        whole = f"{self.desk.emulator.url}/{self.version}/{path}"
        return await self.desk.get(whole, token=token or self.token)


async def diagnosis(seed: Callable[[Doctor], object]) -> set[str]:
    """What is found once something was done to a healthy account, or to the configuration."""
    account = Account(subscription=Subscription(callback_url=OURS))
    account.add_token("EAAgood", target_ids=(account.waba_id,))
    clock = TurnedClock()
    async with desk(account, clock) as sitting:
        doctor = Doctor(
            desk=sitting,
            now=clock.now(),
            token="EAAgood",
            app_id=account.app_id,
            app_secret=account.app_secret,
            number_id=sitting.number.id,
            waba_id=account.waba_id,
        )
        seed(doctor)
        return await doctor.look()


def token(**details: Any) -> Callable[[Doctor], object]:
    """The bot's token is like that."""

    def seed(doctor: Doctor) -> None:
        kept = doctor.desk.account.tokens["EAAgood"]
        for name, value in details.items():
            setattr(kept, name, value(doctor) if callable(value) else value)

    return seed


def ends_in(seconds: float) -> Callable[[Doctor], object]:
    return token(expires_at=lambda doctor: int(doctor.now + seconds))


def number(**details: Any) -> Callable[[Doctor], object]:
    def seed(doctor: Doctor) -> None:
        for name, value in details.items():
            setattr(doctor.desk.number, name, value)

    return seed


def account(**details: Any) -> Callable[[Doctor], object]:
    def seed(doctor: Doctor) -> None:
        for name, value in details.items():
            setattr(doctor.desk.account, name, value)

    return seed


def subscription(**details: Any) -> Callable[[Doctor], object]:
    def seed(doctor: Doctor) -> None:
        for name, value in details.items():
            setattr(doctor.desk.account.subscription, name, value)

    return seed


def told(**details: Any) -> Callable[[Doctor], object]:
    """The configuration says something else."""

    def seed(doctor: Doctor) -> None:
        for name, value in details.items():
            setattr(doctor, name, value)

    return seed


def moved(seconds: float) -> Callable[[Doctor], object]:
    """Meta's clock is ahead of the bot's."""
    return lambda doctor: doctor.desk.emulator.clock.move(seconds)


def with_the_clock_of_meta(doctor: Doctor) -> None:
    doctor.now = doctor.desk.emulator.clock.now()


def both(*seeds: Callable[[Doctor], object]) -> Callable[[Doctor], object]:
    return lambda doctor: [seed(doctor) for seed in seeds]


class Row(NamedTuple):
    """A fault: what the doctor says, the number of its check, and how it comes about."""

    finding: str
    check: str
    seed: Callable[[Doctor], object]


PAYMENT = {"error_code": 141006, "error_description": "There is an error with the payment method."}
LIMITED = {"error_code": 141010, "entity_type": "WABA", "can_send_message": "LIMITED"}
OURS_AND_9 = ("102290129340398", "9")
BARRED = {"error_code": 141000, "entity_type": "BUSINESS"}

TABLE = (
    Row("token 463", "1", ends_in(-1)),
    Row("token 460", "1", token(is_valid=False)),
    Row("token unknown", "1", told(token="EAAanother")),
    Row("token ends in hours", "1", ends_in(47 * HOUR_S)),
    Row("token ends in days", "1", ends_in(6 * DAY_S)),
    Row("token of a user", "1", token(kind="USER")),
    Row("token lacks whatsapp_business_messaging", "2", token(scopes=SCOPES[:2])),
    Row("token lacks whatsapp_business_management", "2", token(scopes=SCOPES[2:])),
    Row("token lacks this account", "2", token(target_ids=("9",))),
    Row("token of another app", "3", token(app_id="999")),
    Row("app secret", "4", told(app_secret="another")),
    Row("no such number", "5", told(number_id="9")),
    Row("status", "5", number(status="DISCONNECTED")),
    Row("status", "5", number(status="BANNED")),
    Row("quality_rating", "5", number(quality_rating="RED")),
    Row("name_status", "5", number(name_status="DECLINED")),
    Row("code_verification_status", "5", number(code_verification_status="EXPIRED")),
    Row("platform_type", "5", number(platform_type="NOT_APPLICABLE")),
    Row("account_mode", "5", number(account_mode="SANDBOX")),
    Row("is_on_biz_app", "5", number(is_on_biz_app=True)),
    Row("throughput", "5", number(throughput="NOT_APPLICABLE")),
    Row("whatsapp_business_manager_messaging_limit", "5", number(messaging_limit="TIER_250")),
    Row("webhooks go elsewhere: phone_number", "5", number(webhook_override=FOREIGN)),
    Row("webhooks go elsewhere: whatsapp_business_account", "5", account(waba_override=FOREIGN)),
    Row("health PHONE_NUMBER BLOCKED 141006", "6", number(health=[PAYMENT])),
    Row("health WABA LIMITED 141010", "6", number(health=[LIMITED])),
    Row("health BUSINESS BLOCKED 141000", "6", number(health=[BARRED])),
    Row("number of another account", "7", both(token(target_ids=OURS_AND_9), number(waba_id="9"))),
    Row("no such number", "7", number(waba_id="9")),
    Row("no such account", "7", both(token(target_ids=()), told(waba_id="9"))),
    Row("app not subscribed", "8", account(subscribed_apps=[])),
    Row("app not subscribed", "8", account(subscribed_apps=["999"])),
    Row("no webhook", "9", subscription(callback_url="")),
    Row("another callback", "9", subscription(callback_url=FOREIGN)),
    Row("webhook not active", "9", subscription(is_active=False)),
    Row("messages not ticked", "9", subscription(fields=["account_update"])),
    Row("version is over", "12", told(version="v19.0")),
    Row("version is over", "12", both(moved(3 * 365 * DAY_S), with_the_clock_of_meta)),
    Row("clock is wrong", "12", moved(120)),
    Row("clock is wrong", "12", moved(-120)),
    Row("no way to pay", "12", account(funding_id=None)),
)  # fmt: skip


async def test_with_a_healthy_account_nothing_is_found() -> None:
    assert await diagnosis(lambda _: None) == set()


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.check}-{row.finding}")
async def test_each_fault_is_seen_and_nothing_else(row: Row) -> None:
    assert await diagnosis(row.seed) == {row.finding}


async def test_that_an_app_is_in_development_no_answer_says_and_nothing_arrives() -> None:
    """Check 11. Unsure: facts, section 14: no field is known that says it."""
    in_development = account(is_live=False)
    assert await diagnosis(in_development) == set()
    async with desk(Account(is_live=False)) as sitting:
        sitting.emulator.say("ann", "hello?")
        line = sitting.emulator.wire.exchanges[-1]
        assert (line.status, line.note) == (0, "not told: the app is in development mode")
        assert not sitting.emulator.delivery.waiting
