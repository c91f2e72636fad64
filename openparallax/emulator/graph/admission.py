"""Who may ask: the token, what it was given for, and the proof that may come with it."""

import hashlib
import hmac
import re
import time
from typing import Final

from openparallax.emulator.account import Token
from openparallax.emulator.graph.asked import Asked
from openparallax.emulator.graph.errors import GraphError
from openparallax.emulator.graph.fields import no_object
from openparallax.emulator.world import World

_APP_TOKEN = re.compile(r"([0-9]{1,32})\|(.+)", re.DOTALL)
_UNGUARDED: Final = "oauth/"
"""Paths that are asked with an app's id and secret instead."""
_MESSAGING: Final = frozenset({"messages", "media"})
_EITHER: Final = frozenset({"", "debug_token", "whatsapp_business/attachments"})


class Admission:
    """Judges the token of each request."""

    def __init__(self, world: World) -> None:
        self._world = world

    def let_in(self, asked: Asked) -> None:
        """Put the token that is let in into ``asked``.

        Where the account has no tokens, each that is not empty is let in, and none of its details
        are known. An app's own (``APP_ID|APP_SECRET``) is known without being listed.

        Raises:
            GraphError: 190 and its subcodes, 10 for a scope, 200 or 100 with subcode 33 for an
                object that the token was not given for, 100 for a wrong ``appsecret_proof``.

        Source:
            facts, sections 8 and 14. Unsure: that a request to send without any token meets 190
            (some reads are quoted with 200 or 104), which of 10 and 200 meets which lack.
        """
        if asked.edge.startswith(_UNGUARDED):
            return
        value = _value_of(asked)
        if not value:
            raise GraphError(190, message="Invalid OAuth access token - Cannot parse access token")
        token = self._token(value)
        asked.token_value, asked.token = value, token
        self._see_proof(asked, value)
        if token is not None:
            self._see_scopes(asked, token)
            self._see_targets(asked, token)

    def _token(self, value: str) -> Token | None:
        account = self._world.account
        token = account.tokens.get(value)
        if token is None:
            found = _APP_TOKEN.fullmatch(value)
            if found is not None:
                return self._app_token(value, *found.groups())
            if not account.tokens:
                return None
            raise GraphError(190, message="Invalid OAuth access token - Cannot parse access token")
        if not token.is_valid:
            raise GraphError(
                190,
                subcode=467,
                message="Error validating access token: The session is invalid because the user"
                " logged out.",
            )
        now = self._world.clock.now()
        if token.expires_at and token.expires_at <= now:
            raise GraphError(
                190,
                subcode=463,
                message="Error validating access token: Session has expired on"
                f" {_moment(token.expires_at)}. The current time is {_moment(now)}.",
            )
        return token

    def _app_token(self, value: str, app_id: str, secret: str) -> Token:
        account = self._world.account
        if app_id != account.app_id:
            raise GraphError(
                190,
                message="Error validating application. Cannot get application info due to a"
                " system error.",
            )
        if not account.app_secret or not _is_same(secret, account.app_secret):
            raise GraphError(190, message="Invalid OAuth access token signature.")
        return Token(value=value, kind="APP", app_id=app_id, scopes=())

    def _see_proof(self, asked: Asked, value: str) -> None:
        proof = asked.query.get("appsecret_proof")
        if proof is None and b"appsecret_proof" in asked.body:
            found = asked.json().get("appsecret_proof")
            proof = found if isinstance(found, str) else ""
        if proof is None:
            return
        secret = self._world.account.app_secret.encode("utf-8", "replace")
        right = hmac.new(secret, value.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
        if not _is_same(proof, right):
            raise GraphError(
                100,
                message="Invalid appsecret_proof provided in the API argument",
                type="GraphMethodException",
            )

    def _see_scopes(self, asked: Asked, token: Token) -> None:
        if asked.edge in _MESSAGING:
            is_given = "whatsapp_business_messaging" in token.scopes
        elif asked.edge in _EITHER or token.kind == "APP":
            is_given = True
        else:
            is_given = "whatsapp_business_management" in token.scopes
        if not is_given:
            raise GraphError(10)

    def _see_targets(self, asked: Asked, token: Token) -> None:
        if not token.target_ids or asked.edge == "messages":
            return  # of messages `Sending` says it, so that the call is seen
        account, node = self._world.account, asked.node
        owners = {account.waba_id}
        if (medium := self._world.media.get(node)) is not None:
            owners.add(medium.number_id)
        elif (number := account.number(node)) is not None:
            owners = {node, number.waba_id or account.waba_id}
        elif node != account.waba_id:
            return
        if owners.isdisjoint(token.target_ids):
            raise no_object(asked.method, node)


def _value_of(asked: Asked) -> str:
    """The token: of the address, else of the header, else of the body.

    That the address goes first is an inference: pywa asks with an app's token there and its user's
    in the header, and Graph takes it for the app's.
    """
    if given := asked.query.get("access_token"):
        return given
    said = asked.request.headers.get("Authorization", "")
    kind, _, value = said.partition(" ")
    if kind.lower() in ("bearer", "oauth") and value.strip():
        return value.strip()
    if b"access_token" in asked.body:
        found = asked.json().get("access_token")
        return found if isinstance(found, str) else ""
    return ""


def _is_same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), right.encode("utf-8", "replace"))


def _moment(seconds: float) -> str:
    """As Graph writes it, in the time of its home (without its summer)."""
    return time.strftime("%A, %d-%b-%y %H:%M:%S PST", time.gmtime(seconds - 8 * 3600))
