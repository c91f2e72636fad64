"""A number: what Graph says of it, and what may be set."""

import re
from typing import Any, Final

from openparallax.emulator.account import Account, Number
from openparallax.emulator.graph.asked import Answer, Asked, Routes
from openparallax.emulator.graph.errors import GraphError
from openparallax.emulator.graph.fields import missing, no_object, select, text_of
from openparallax.emulator.graph.profile import change_automation, change_profile, read_profile
from openparallax.emulator.graph.subscriptions import Subscriptions
from openparallax.emulator.world import World

USUAL = (
    "verified_name",
    "code_verification_status",
    "display_phone_number",
    "quality_rating",
    "platform_type",
    "throughput",
    "last_onboarded_time",
    "webhook_configuration",
    "id",
)
"""What comes without ``fields``. Source: Meta's examples."""
KIND = "WhatsAppBusinessPhoneNumber"
SETTINGS: Final[dict[str, Any]] = {
    "calling": {"status": "DISABLED", "call_icon_visibility": "DEFAULT"},
    "storage_configuration": {"status": "DEFAULT"},
    "user_identity_change": {"enable_identity_key_check": False},
}
"""What ``settings`` says at first; unsure how much of it Meta says unasked."""

MOST_REGISTRATIONS: Final = 10
REGISTRATIONS_S: Final = 72 * 3600.0
"""Source: facts, sections 8 and 9; that the lock ends with the oldest call is unsure."""

_CODE = re.compile(r"[17]|2[07]|3[0-469]|4[0134-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|[0-9]{3}")
"""A country's calling code; what has neither one digit nor two has three."""


def displayed(digits: str) -> str:
    """A number as Graph shows it: ``+1 555-010-0000``; how outside North America is unsure."""
    if not digits.isascii() or not digits.isdecimal():
        return digits
    found = _CODE.match(digits)
    code = found[0] if found else ""
    rest = digits[len(code) :]
    if code == "1" and len(rest) == 10:
        rest = f"{rest[:3]}-{rest[3:6]}-{rest[6:]}"
    return f"+{code} {rest}"


def health(account: Account, number: Number, *, is_of_number: bool = True) -> dict[str, Any]:
    """``health_status``: each part and the worst of them; of the account without the number.

    Source:
        facts, section 14, check 6; Meta's page on health, as of June 2026.
    """
    entities: list[dict[str, Any]] = []
    ids = (
        ("PHONE_NUMBER", number.id),
        ("WABA", account.waba_id),
        ("BUSINESS", account.business_id),
        ("APP", account.app_id),
    )
    order = ("AVAILABLE", "LIMITED", "BLOCKED")
    worst = 0
    for kind, node in ids if is_of_number else ids[1:]:
        own = [one for one in number.health if one.get("entity_type", "PHONE_NUMBER") == kind]
        says = [str(one.get("can_send_message", "BLOCKED")) for one in own]
        level = max((order.index(one) for one in says if one in order), default=0)
        worst = max(worst, level)
        entity = {"entity_type": kind, "id": node, "can_send_message": order[level]}
        ours = ("entity_type", "can_send_message")
        errors = [{k: v for k, v in one.items() if k not in ours} for one in own]
        entities.append({**entity, "errors": errors} if errors else entity)
    return {"can_send_message": order[worst], "entities": entities}


class Numbers:
    """``/{phone_number_id}`` and its edges, save messages and media."""

    def __init__(self, world: World, subscriptions: Subscriptions) -> None:
        self._world = world
        self._subscriptions = subscriptions

    def routes(self) -> Routes:
        return {
            ("POST", "register"): self._register,
            ("POST", "deregister"): self._deregister,
            ("GET", "conversational_automation"): self._automation,
            ("POST", "conversational_automation"): self._change_automation,
            ("GET", "whatsapp_business_profile"): self._profile,
            ("POST", "whatsapp_business_profile"): self._change_profile,
            ("GET", "settings"): self._settings,
            ("POST", "settings"): self._change_settings,
            ("GET", "phone_numbers"): self._list,
        }

    def node(self, number: Number) -> dict[str, Any]:
        """Every field that Graph knows of a number; None where it would say nothing."""
        account = self._world.account
        digits = number.display_phone_number
        return {
            "id": number.id,
            "display_phone_number": displayed(digits),
            "verified_name": number.verified_name,
            "status": number.status,
            "quality_rating": number.quality_rating,
            "quality_score": {"score": number.quality_rating},
            "name_status": number.name_status,
            "new_name_status": number.new_name_status,
            "code_verification_status": number.code_verification_status,
            "platform_type": number.platform_type,
            "throughput": {"level": number.throughput},
            "account_mode": number.account_mode,
            "webhook_configuration": self._subscriptions.configuration(number),
            "health_status": health(account, number),
            "whatsapp_business_manager_messaging_limit": number.messaging_limit,
            "messaging_limit_tier": None,  # deprecated; null since 2026: david-lev/pywa#221
            "is_on_biz_app": number.is_on_biz_app,
            "is_pin_enabled": number.is_pin_enabled,
            "is_official_business_account": number.is_official_business_account,
            "is_preverified_number": number.is_preverified_number,
            "certificate": number.certificate,
            "new_certificate": None,
            "last_onboarded_time": number.last_onboarded_time,
            "search_visibility": number.search_visibility,
            "eligibility_for_api_business_global_search": "NON_ELIGIBLE_UNDEFINED_COUNTRY",
            "conversational_automation": {"id": number.id, **number.automation},
            "country_code": None,
            "country_dial_code": None,
            "host_platform": None,
            "username": None,
        }

    def describe(self, asked: Asked) -> Answer:
        number = self._of(asked)
        return Answer(select(self.node(number), asked.query.get("fields"), USUAL, KIND))

    async def change(self, asked: Asked) -> Answer:
        """``POST /{phone_number_id}``: where its webhooks go, or a new name."""
        number = self._of(asked)
        body = asked.json()
        if "webhook_configuration" in body:
            wanted = body["webhook_configuration"]
            if not isinstance(wanted, dict):
                raise GraphError(
                    100, message="(#100) Param webhook_configuration must be an object."
                )
            await self._subscriptions.override_number(number, wanted)
        elif name := text_of(body, "new_display_name", 512):
            # A new name is looked at first; the old one stays until then.
            number.new_name_status = "PENDING_REVIEW" if name != number.verified_name else "NONE"
        else:
            raise missing("webhook_configuration")
        return Answer({"success": True})

    async def _list(self, asked: Asked) -> Answer:
        account = self._world.account
        if asked.node != account.waba_id:
            raise no_object(asked.method, asked.node)
        return self._subscriptions.pages(
            asked,
            [
                select(self.node(number), asked.query.get("fields"), USUAL, KIND)
                for number in account.numbers
                if number.waba_id in ("", account.waba_id)
            ],
        )

    async def _register(self, asked: Asked) -> Answer:
        """Source: facts, sections 8 and 14: 133006 unverified, 133005 wrong PIN, 133016."""
        number = self._of(asked)
        body = asked.json()
        if body.get("messaging_product") != "whatsapp":
            raise missing("messaging_product")
        pin = text_of(body, "pin")
        if not pin:
            raise missing("pin")
        if not re.fullmatch(r"[0-9]{6}", pin):
            raise GraphError(100, message="(#100) Param pin must be 6 characters long.")
        self._see_rate(number)
        if number.code_verification_status != "VERIFIED":
            raise GraphError(133006, "The phone number was not verified")
        if number.pin is not None and pin != number.pin:
            raise GraphError(133005, "The two-step verification PIN does not match")
        number.pin, number.is_pin_enabled, number.status = pin, True, "CONNECTED"
        return Answer({"success": True})

    async def _deregister(self, asked: Asked) -> Answer:
        number = self._of(asked)
        self._see_rate(number)
        number.status = "DISCONNECTED"
        return Answer({"success": True})

    def _see_rate(self, number: Number) -> None:
        now = self._world.clock.now()
        recent = [at for at in number.registrations if now - at < REGISTRATIONS_S]
        if len(recent) >= MOST_REGISTRATIONS:
            raise GraphError(133016, "There were more than 10 calls within 72 hours")
        number.registrations = [*recent, now]

    async def _automation(self, asked: Asked) -> Answer:
        number = self._of(asked)
        return Answer({**number.automation, "id": number.id})

    async def _change_automation(self, asked: Asked) -> Answer:
        change_automation(self._of(asked), {**asked.query, **asked.json()})
        return Answer({"success": True})

    async def _profile(self, asked: Asked) -> Answer:
        return Answer({"data": [read_profile(self._of(asked), asked.query.get("fields"))]})

    async def _change_profile(self, asked: Asked) -> Answer:
        change_profile(self._of(asked), asked.json())
        return Answer({"success": True})

    async def _settings(self, asked: Asked) -> Answer:
        number = self._of(asked)
        fields = asked.query.get("fields")
        return Answer(select({**SETTINGS, **number.settings}, fields, tuple(SETTINGS), KIND))

    async def _change_settings(self, asked: Asked) -> Answer:
        """Kept and shown again; nothing is called, and nothing is stored elsewhere."""
        number, body = self._of(asked), asked.json()
        number.settings.update({name: body[name] for name in SETTINGS if name in body})
        return Answer({"success": True})

    def _of(self, asked: Asked) -> Number:
        number = self._world.account.number(asked.node)
        if number is None:
            raise no_object(asked.method, asked.node)
        return number
