"""Tokens: what one is good for, a fresh one for an old one, and the end of one."""

import hmac
import secrets
from collections.abc import Mapping
from typing import Any

from openparallax.emulator.account import Token
from openparallax.emulator.graph.asked import Answer, Asked, Routes
from openparallax.emulator.graph.errors import GraphError
from openparallax.emulator.graph.fields import missing
from openparallax.emulator.world import World

SIXTY_DAYS_S = 60 * 86_400
GENERATED = "EAA"
"""How access tokens begin."""


class Tokens:
    """``debug_token`` and ``oauth``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> Routes:
        return {
            ("GET", "debug_token"): self._debug,
            ("GET", "oauth/access_token"): self._grant,
            ("POST", "oauth/access_token"): self._grant,
            ("GET", "oauth/revoke"): self._revoke,
            ("POST", "oauth/revoke"): self._revoke,
        }

    def find(self, value: str) -> Token | None:
        """What is known of a token; where nobody checks tokens, any is one of a system user."""
        account = self._world.account
        if account.app_secret and value == f"{account.app_id}|{account.app_secret}":
            return Token(value=value, kind="APP", scopes=())
        found = account.tokens.get(value)
        if found is None and not account.tokens and value and "|" not in value:
            return Token(value=value)
        return found

    async def _debug(self, asked: Asked) -> Answer:
        """What a token is good for.

        Source:
            facts, section 14. nyaruka/rapidpro#3734 quotes the refusal of a stranger's token. The
            words of a token's own errors are unsure.
        """
        account = self._world.account
        if asked.token is not None and asked.token.app_id not in ("", account.app_id):
            raise GraphError(
                100,
                message="(#100) You must provide an app access token, or a user access token that"
                " is an owner or developer of the app",
            )
        value = asked.query.get("input_token", "")
        if not value:
            raise missing("input_token")
        token = self.find(value)
        if token is None:
            error = {"code": 190, "message": "Invalid OAuth access token."}
            return Answer({"data": {"error": error, "is_valid": False, "scopes": []}})
        if token.app_id not in ("", account.app_id):
            raise GraphError(
                100,
                message="(#100) The App_id in the input_token did not match the Viewing App",
            )
        return Answer({"data": self._said_of(token)})

    def _said_of(self, token: Token) -> dict[str, Any]:
        account = self._world.account
        said: dict[str, Any] = {
            "app_id": account.app_id,
            "type": token.kind,
            "application": account.app_name,
        }
        error = self._error_of(token)
        if error:
            said["error"] = error
        said["is_valid"] = not error
        said["scopes"] = list(token.scopes)
        if token.kind == "APP":
            return said
        said["expires_at"] = token.expires_at
        said["data_access_expires_at"] = 0
        if token.issued_at:
            said["issued_at"] = token.issued_at
        said["user_id"] = token.user_id
        targets = {"target_ids": list(token.target_ids)} if token.target_ids else {}
        said["granular_scopes"] = [{"scope": scope, **targets} for scope in token.scopes]
        return said

    def _error_of(self, token: Token) -> dict[str, Any]:
        if not token.is_valid:
            return {
                "code": 190,
                "message": "Error validating access token: The session has been invalidated.",
                "subcode": 460,
            }
        if token.expires_at and token.expires_at <= self._world.clock.now():
            return {
                "code": 190,
                "message": "Error validating access token: Session has expired.",
                "subcode": 463,
            }
        return {}

    async def _grant(self, asked: Asked) -> Answer:
        said = self._said(asked)
        self._check_app(said)
        account = self._world.account
        grant = said.get("grant_type", "")
        if grant == "client_credentials":
            value = f"{account.app_id}|{account.app_secret}"
            return Answer({"access_token": value, "token_type": "bearer"})
        if grant == "fb_exchange_token":
            return self._exchange(said)
        if said.get("code"):
            # A code comes from the dialog of embedded signup, which nobody can open here.
            raise GraphError(100, message="Invalid verification code format.", subcode=36008)
        raise GraphError(100, message="(#100) Param grant_type is missing or not supported.")

    def _exchange(self, said: Mapping[str, str]) -> Answer:
        """A token of 60 days for one that is still good; the old one stays as it is.

        Source:
            facts, section 14.
        """
        account = self._world.account
        now = int(self._world.clock.now())
        value = said.get("fb_exchange_token", "")
        if not value:
            raise missing("fb_exchange_token")
        old = self.find(value)
        if old is None or old.kind == "APP":
            raise GraphError(190, message="Invalid OAuth access token.")
        if error := self._error_of(old):
            raise GraphError(190, message=error["message"], subcode=error["subcode"])
        new = GENERATED + secrets.token_hex(60)
        # Where every token is let in, one that is put down would keep all others out.
        if account.tokens:
            account.add_token(
                new,
                kind=old.kind,
                expires_at=now + SIXTY_DAYS_S,
                issued_at=now,
                scopes=old.scopes,
                target_ids=old.target_ids,
                app_id=old.app_id,
                user_id=old.user_id,
            )
        return Answer({"access_token": new, "token_type": "bearer", "expires_in": SIXTY_DAYS_S})

    async def _revoke(self, asked: Asked) -> Answer:
        said = self._said(asked)
        self._check_app(said)
        value = said.get("revoke_token", "")
        if not value:
            raise missing("revoke_token")
        token = self._world.account.tokens.get(value)
        if token is not None:
            token.is_valid = False
        elif self.find(value) is None:
            raise GraphError(190, message="Invalid OAuth access token.")
        return Answer({"success": True})

    def _said(self, asked: Asked) -> dict[str, str]:
        both = {**asked.query, **asked.json()}
        return {name: str(value) for name, value in both.items() if isinstance(value, str | int)}

    def _check_app(self, said: Mapping[str, str]) -> None:
        """Raises: GraphError: 101 or 1, as facebookarchive/php-graph-sdk#538 quotes the latter."""
        account = self._world.account
        for name in ("client_id", "client_secret"):
            if not said.get(name):
                raise GraphError(101, message=f"Missing {name} parameter.")
        if said["client_id"] != account.app_id:
            raise GraphError(
                101,
                message="Error validating application. Cannot get application info due to a system"
                " error.",
            )
        given = said["client_secret"].encode("utf-8", "replace")
        if not account.app_secret or not hmac.compare_digest(
            given, account.app_secret.encode("utf-8", "replace")
        ):
            raise GraphError(1, message="Error validating client secret.", http_status=400)
