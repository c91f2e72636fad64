"""Who gets webhooks, and where they go: the app, the business account, one number."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from openparallax.emulator.account import Account, Number
from openparallax.emulator.graph.asked import Answer, Asked, Routes
from openparallax.emulator.graph.errors import GraphError
from openparallax.emulator.graph.fields import missing, no_object, page, text_of
from openparallax.emulator.webhooks.delivery import Delivery
from openparallax.emulator.world import World

OBJECT = "whatsapp_business_account"
MOST_URL = 200
"""Characters of an override. Source: facts, section 3.3."""


class Subscriptions:
    """``/{waba_id}/subscribed_apps``, ``/{app_id}/subscriptions`` and overrides."""

    def __init__(self, world: World, delivery: Delivery) -> None:
        self._world = world
        self._delivery = delivery

    def routes(self) -> Routes:
        return {
            ("GET", "subscribed_apps"): self._subscribed,
            ("POST", "subscribed_apps"): self._subscribe,
            ("DELETE", "subscribed_apps"): self._unsubscribe,
            ("GET", "subscriptions"): self._of_app,
            ("POST", "subscriptions"): self._change,
            ("DELETE", "subscriptions"): self._end,
        }

    def pages(self, asked: Asked, rows: list[dict[str, Any]]) -> Answer:
        return Answer(page(asked, rows, [str(row["id"]) for row in rows]))

    def configuration(self, number: Number) -> dict[str, Any]:
        """``webhook_configuration``; an override that is not set is absent."""
        account = self._world.account
        places = {
            "application": account.subscription.callback_url or self._delivery.url,
            "whatsapp_business_account": account.waba_override,
            "phone_number": number.webhook_override,
        }
        return {name: url for name, url in places.items() if url}

    async def override_number(self, number: Number, wanted: Mapping[str, Any]) -> None:
        """Send this number's webhooks elsewhere; an empty address ends that.

        Raises:
            GraphError: 100, or 2200 where the address does not pass the handshake.
        """
        if not text_of(wanted, "override_callback_uri"):
            number.webhook_override = None
            return
        number.webhook_override = await self._checked(wanted)

    async def _subscribed(self, asked: Asked) -> Answer:
        account = self._waba(asked)
        rows = []
        for app_id in account.subscribed_apps:
            row: dict[str, Any] = {
                "whatsapp_business_api_data": {
                    "link": f"https://www.facebook.com/games/?app_id={app_id}",
                    "name": account.app_name if app_id == account.app_id else f"App {app_id}",
                    "id": app_id,
                }
            }
            if account.waba_override and app_id == account.app_id:
                row["override_callback_uri"] = account.waba_override
            rows.append(row)
        return Answer({"data": rows})

    async def _subscribe(self, asked: Asked) -> Answer:
        """With a body: override; without: subscribe and end an override.

        Source:
            facts, section 3.3; chatwoot/chatwoot#13279 quotes that one comes before the other.
        """
        account = self._waba(asked)
        app_id = _app_of(asked, account)
        body = {**asked.query, **asked.json()}
        if text_of(body, "override_callback_uri"):
            if app_id not in account.subscribed_apps:
                raise GraphError(
                    100,
                    message="(#100) Before override the current callback uri, your app must be"
                    " subscribed to receive messages for WhatsApp Business Account",
                )
            account.waba_override = await self._checked(body)
        else:
            account.waba_override = None
        if app_id not in account.subscribed_apps:
            account.subscribed_apps.append(app_id)
        return Answer({"success": True})

    async def _unsubscribe(self, asked: Asked) -> Answer:
        account = self._waba(asked)
        app_id = _app_of(asked, account)
        account.subscribed_apps[:] = [one for one in account.subscribed_apps if one != app_id]
        return Answer({"success": True})

    async def _of_app(self, asked: Asked) -> Answer:
        account = self._app(asked)
        subscription = account.subscription
        url = subscription.callback_url or self._delivery.url
        if not url:
            return Answer({"data": []})
        version = subscription.version
        fields = [{"name": name, "version": version} for name in subscription.fields]
        row = {
            "object": OBJECT,
            "callback_url": url,
            "active": subscription.is_active,
            "fields": fields,
        }
        return Answer({"data": [row]})

    async def _change(self, asked: Asked) -> Answer:
        account = self._app(asked)
        body = {**asked.query, **asked.json()}
        if text_of(body, "object") != OBJECT:
            raise GraphError(100, message=f"(#100) Param object must be one of {{{OBJECT}}}")
        url, verify_token = text_of(body, "callback_url"), text_of(body, "verify_token")
        fields = body.get("fields", [])
        if isinstance(fields, str):
            fields = [name.strip() for name in fields.split(",") if name.strip()]
        if not isinstance(fields, list) or not all(isinstance(name, str) for name in fields):
            raise GraphError(100, message="(#100) Param fields must be an array of strings.")
        if not url or not verify_token:
            raise missing("verify_token" if url else "callback_url")
        await self._handshake(url, verify_token)
        account.verify_token = verify_token
        account.subscription.callback_url = url
        account.subscription.is_active = True
        # Fields that are given are added to those that there are; Source: Graph's page on it.
        account.subscription.fields = list(dict.fromkeys([*account.subscription.fields, *fields]))
        self._delivery.url = url
        return Answer({"success": True})

    async def _end(self, asked: Asked) -> Answer:
        subscription = self._app(asked).subscription
        named = {**asked.query, **asked.json()}.get("fields", "")
        gone = {name.strip() for name in named.split(",")} if isinstance(named, str) else set()
        subscription.fields = [
            name for name in subscription.fields if gone - {""} and name not in gone
        ]
        subscription.is_active = bool(subscription.fields)
        return Answer({"success": True})

    async def _checked(self, wanted: Mapping[str, Any]) -> str:
        url = text_of(wanted, "override_callback_uri")
        if len(url) > MOST_URL:
            raise GraphError(
                100,
                message=f"(#100) Param override_callback_uri must be at most {MOST_URL}"
                " characters long.",
            )
        verify_token = text_of(wanted, "verify_token")
        if not verify_token:
            raise missing("verify_token")
        await self._handshake(url, verify_token)
        return url

    async def _handshake(self, url: str, verify_token: str) -> None:
        """Ask the address to prove itself; http is let in here, where Meta wants https.

        Raises:
            GraphError: 2200, in words that fbsamples/original-coast-clothing#84 quotes; those where
                there is no answer or another one are unsure. 100: it is no address, or not one of
                this machine, where alone webhooks go.
        """
        try:
            status, is_echoed = await self._delivery.handshake(url, verify_token)
        except ValueError as error:
            raise GraphError(
                100,
                "The emulator posts webhooks to this machine only",
                message="(#100) The callback URL is not a valid URL.",
            ) from error
        if is_echoed:
            return
        if status == 0:
            why = "curl_errno = 7; HTTP Status Code = 0; HTTP Message ="
        elif 200 <= status < 300:
            why = "The challenge was not returned unchanged"
        else:
            try:
                phrase = HTTPStatus(status).phrase
            except ValueError:
                phrase = ""
            why = f"HTTP Status Code = {status}; HTTP Message = {phrase}"
        raise GraphError(
            2200,
            message=f"(#2200) Callback verification failed with the following errors: {why}",
        )

    def _waba(self, asked: Asked) -> Account:
        account = self._world.account
        if asked.node != account.waba_id:
            raise no_object(asked.method, asked.node)
        return account

    def _app(self, asked: Asked) -> Account:
        """The account, if its app's own token asks.

        Raises:
            GraphError: 15: another token; the words are those of Graph for app-only calls.
        """
        account = self._world.account
        if asked.node != account.app_id:
            raise no_object(asked.method, asked.node)
        if asked.token is None or asked.token.kind != "APP":
            raise GraphError(
                15, message="(#15) This method must be called with an app access_token."
            )
        return account


def _app_of(asked: Asked, account: Account) -> str:
    """Id of the app whose token asks."""
    return (asked.token.app_id if asked.token is not None else "") or account.app_id
