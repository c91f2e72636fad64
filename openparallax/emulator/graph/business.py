"""The business account and the app."""

from openparallax.emulator.graph.asked import Answer, Asked
from openparallax.emulator.graph.fields import select
from openparallax.emulator.graph.numbers import health
from openparallax.emulator.world import World

USUAL = ("id", "name", "timezone_id", "message_template_namespace")
"""What comes without ``fields``; Source: Meta's examples, unsure whether always."""


class Business:
    """``/{waba_id}`` and ``/{app_id}``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def describe(self, asked: Asked) -> Answer:
        """``primary_funding_id`` is absent where nobody pays. Source: facts, section 14."""
        account = self._world.account
        owner = {"id": account.business_id, "name": account.waba_name}
        node = {
            "id": account.waba_id,
            "name": account.waba_name,
            "status": account.waba_status,
            "timezone_id": account.timezone_id,
            "currency": account.currency,
            "country": account.country,
            "message_template_namespace": account.message_template_namespace,
            "primary_funding_id": account.funding_id,
            "account_review_status": account.account_review_status,
            "business_verification_status": account.business_verification_status,
            "ownership_type": "SELF",
            "owner_business_info": owner,
            "on_behalf_of_business_info": {**owner, "status": "APPROVED", "type": "SELF"},
            "is_enabled_for_insights": False,
            "marketing_messages_lite_api_status": "INELIGIBLE",
            "marketing_messages_onboarding_status": None,
            "disable_marketing_messages_on_cloud_api": False,
            "health_status": (
                health(account, account.numbers[0], is_of_number=False) if account.numbers else None
            ),
            "primary_business_location": None,
            "purchase_order_number": None,
            "auth_international_rate_eligibility": None,
            "subscribed_apps": None,
            "phone_numbers": None,
            "message_templates": None,
        }
        fields = asked.query.get("fields")
        return Answer(select(node, fields, USUAL, "WhatsAppBusinessAccount"))

    def describe_app(self, asked: Asked) -> Answer:
        account = self._world.account
        node = {
            "id": account.app_id,
            "name": account.app_name,
            "link": f"https://www.facebook.com/games/?app_id={account.app_id}",
            "category": None,
            "namespace": None,
        }
        return Answer(
            select(node, asked.query.get("fields"), ("id", "name", "link"), "Application")
        )
