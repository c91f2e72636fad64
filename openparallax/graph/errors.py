"""What each of Meta's error codes means for a send, and for what waits behind it.

The table is data: one line per code, its class, its meaning and, where a person must act, what to
do. Meta asks to branch on the code and not on the HTTP status, which it may change; the status
decides only where there is no code, or one that is not in the table.

A code that hits the whole number (token, registration, payment, policy) is `ErrorClass.ACCOUNT`
even where Meta's list calls it a mistake of configuration: the account pauses with everything kept,
while failing each message would throw away all of them before anybody looks.

Source:
    Cloud API, error codes (2026-09); facts page section 8. Only 4, 80007, 80008, 130429 and 131056
    are known to be refused before processing.
"""

from typing import Final, NamedTuple

from openparallax.model.outcomes import ErrorClass

_SLOW: Final = ErrorClass.SLOW
_AMBIGUOUS: Final = ErrorClass.AMBIGUOUS
_ACCOUNT: Final = ErrorClass.ACCOUNT
_WINDOW: Final = ErrorClass.WINDOW
_RECIPIENT: Final = ErrorClass.RECIPIENT
_OURS: Final = ErrorClass.OURS


class Fact(NamedTuple):
    """One code: its class, what it means, and what a person must do ("" where nothing)."""

    error_class: ErrorClass
    meaning: str
    to_do: str = ""


PAIR_RATE: Final = 131056
"""Too many messages to one contact; the only `ErrorClass.SLOW` code that leaves others alone."""

_RENEW: Final = (
    "make a new System User token with whatsapp_business_messaging and put it where access_token is"
    " read from: in a file it is taken by itself, anywhere else by a restart"
)
_GRANT: Final = (
    "in Business settings give the System User the app and the WhatsApp account, make its token"
    " with whatsapp_business_messaging and whatsapp_business_management, and put it where"
    " access_token is read from: in a file it is taken by itself, anywhere else by a restart"
)
_CHECK_ID: Final = (
    "compare phone_number_id with the one in the app dashboard (it is not the phone number), and"
    " see that the token's System User has the WhatsApp account as an asset"
)
_REGISTER: Final = (
    "register the number with POST /{phone_number_id}/register and its six-digit PIN;"
    " WhatsApp Manager cannot do that"
)
_APPEAL: Final = "open Business Support Home, read the restriction and appeal or wait for its end"
_PAY: Final = "add or mend the payment method in WhatsApp Manager, Billing"
_WAIT: Final = "nothing: it passes by itself, and sending is tried again"

CODES: Final[dict[int, Fact]] = {
    # the token and what it may do
    0: Fact(_ACCOUNT, "the access token is not valid", _RENEW),
    3: Fact(_ACCOUNT, "the app lacks the capability to send", _GRANT),
    10: Fact(_ACCOUNT, "the token lacks a permission", _GRANT),
    190: Fact(_ACCOUNT, "the access token has expired or was withdrawn", _RENEW),
    131005: Fact(_ACCOUNT, "the token lacks a permission", _GRANT),
    # the number
    33: Fact(_ACCOUNT, "the phone number id is wrong, deleted or not granted", _CHECK_ID),
    131037: Fact(
        _ACCOUNT,
        "the number's display name is not approved",
        "set a display name in WhatsApp Manager and wait for its approval",
    ),
    131045: Fact(_ACCOUNT, "the number's registration failed", _REGISTER),
    131057: Fact(_ACCOUNT, "the number is in maintenance for about a minute", _WAIT),
    133000: Fact(_ACCOUNT, "an earlier deregistration failed", "deregister the number again"),
    133005: Fact(_ACCOUNT, "the two-step verification PIN is wrong", _REGISTER),
    133006: Fact(_ACCOUNT, "the number is not verified", "verify the number, then register it"),
    133008: Fact(_ACCOUNT, "too many guesses of the PIN", "wait, then register the number"),
    133009: Fact(_ACCOUNT, "the PIN was guessed too fast", "wait, then register the number"),
    133010: Fact(_ACCOUNT, "the number is not registered with the Cloud API", _REGISTER),
    133015: Fact(
        _ACCOUNT, "the number was deleted just now", "wait five minutes, then register it"
    ),
    133016: Fact(
        _ACCOUNT,
        "the number was registered too often and is locked for 72 hours",
        "wait 72 hours and register it once",
    ),
    # policy and money
    368: Fact(_ACCOUNT, "the account is blocked for a while for a policy violation", _APPEAL),
    131031: Fact(_ACCOUNT, "the account is locked or restricted", _APPEAL),
    131048: Fact(_ACCOUNT, "the number is restricted because people reported it", _APPEAL),
    131064: Fact(
        _ACCOUNT, "the account is limited because its templates are in wrong categories", _APPEAL
    ),
    131042: Fact(_ACCOUNT, "there is a problem with the payment method", _PAY),
    131044: Fact(_ACCOUNT, "there is a problem with the payment method", _PAY),
    134011: Fact(
        _ACCOUNT, "the terms of payments are not accepted", "accept the terms in WhatsApp Manager"
    ),
    # rates; refused before processing
    4: Fact(_SLOW, "the app's rate of calls is reached"),
    80007: Fact(_SLOW, "the WhatsApp account's rate of calls is reached"),
    80008: Fact(_SLOW, "the WhatsApp account's rate of calls is reached"),
    130429: Fact(_SLOW, "the number's messages per second are reached"),
    PAIR_RATE: Fact(_SLOW, "too many messages to this contact in a short time"),
    # trouble on their side; may have been processed
    1: Fact(_AMBIGUOUS, "invalid request, or an error of Meta's server"),
    2: Fact(_AMBIGUOUS, "Meta's service is down or overloaded for a while"),
    131000: Fact(_AMBIGUOUS, "an error that Meta does not know itself"),
    131016: Fact(_AMBIGUOUS, "Meta's service is not available for a while"),
    133004: Fact(_AMBIGUOUS, "Meta's server is not available for a while"),
    # the window
    131047: Fact(_WINDOW, "more than 24 hours since the contact last wrote"),
    # this recipient
    130403: Fact(_RECIPIENT, "this contact is on our block list"),
    130472: Fact(_RECIPIENT, "held back by an experiment of Meta's"),
    130497: Fact(_RECIPIENT, "messages to this country are not allowed"),
    131021: Fact(_RECIPIENT, "sender and recipient are the same number"),
    131026: Fact(_RECIPIENT, "undeliverable: not on WhatsApp, terms not accepted, or old client"),
    131030: Fact(
        _RECIPIENT,
        "the recipient is not in the test number's list",
        "add the recipient in the app dashboard, API Setup (a test number reaches five)",
    ),
    131049: Fact(_RECIPIENT, "not delivered, to keep the ecosystem healthy"),
    131050: Fact(_RECIPIENT, "this contact stopped marketing messages"),
    131062: Fact(_RECIPIENT, "this message cannot go to a business-scoped user id"),
    137000: Fact(_RECIPIENT, "the contact's identity key has changed"),
    # our mistake, or that of a setting or template
    100: Fact(_OURS, "a parameter is wrong, misspelled or too long"),
    131008: Fact(_OURS, "a required parameter is missing"),
    131009: Fact(_OURS, "the value of a parameter is not valid"),
    131051: Fact(_OURS, "this type of message is not supported"),
    131052: Fact(_OURS, "the contact's media could not be downloaded"),
    131053: Fact(_OURS, "media could not be uploaded or converted"),
    131055: Fact(_OURS, "this way of sending marketing messages is not allowed"),
    131060: Fact(_OURS, "the contact's message is not available"),
    131063: Fact(_OURS, "marketing messages are not set up"),
    132000: Fact(_OURS, "the template has another number of parameters"),
    132001: Fact(_OURS, "the template is missing in this language, or not approved"),
    132005: Fact(_OURS, "the template's text is too long when translated"),
    132007: Fact(_OURS, "the template violates a policy"),
    132008: Fact(_OURS, "a parameter of the template has the wrong format"),
    132012: Fact(_OURS, "a parameter of the template has the wrong format"),
    132015: Fact(_OURS, "the template is paused for its quality"),
    132016: Fact(_OURS, "the template is disabled for its quality"),
    132018: Fact(_OURS, "a parameter of the template is not valid"),
    132068: Fact(_OURS, "the flow is blocked"),
    132069: Fact(_OURS, "the flow is throttled"),
    134100: Fact(_OURS, "only marketing templates may be sent this way"),
    134101: Fact(_OURS, "the template is still being prepared"),
    134102: Fact(_OURS, "the template cannot be used this way"),
    135000: Fact(_OURS, "a parameter is wrong"),
}

_PERMISSIONS: Final = range(200, 300)  # Graph's block of permission errors, not listed one by one
_PERMISSION: Final = Fact(_ACCOUNT, "the token lacks a permission", _GRANT)


def fact(code: int) -> Fact | None:
    """What is known about ``code``, or None."""
    return CODES.get(code) or (_PERMISSION if code in _PERMISSIONS else None)


def classify(code: int | None, http_status: int = 400) -> ErrorClass:
    """What follows from an error.

    Args:
        code: Meta's ``error.code``; None where the answer had none, which means that something
            else than Graph answered.
        http_status: Decides only where the code does not. To be left out for the code of a
            ``failed`` status, which is final: an unknown one is then ``OURS``.

    Returns:
        The class. Unknown codes: ``AMBIGUOUS`` unless the status says 4xx. No code at all: a
        redirect, 401, 403, 404, 405, 407 and 410 are what a wrong ``graph_api_url`` or a proxy
        answers to every message alike, hence ``ACCOUNT``; 429 is a refusal for a rate by its very
        meaning, hence ``SLOW``; 408 may have been handed on, hence ``AMBIGUOUS``.
    """
    known = fact(code) if code is not None else None
    if known is not None:
        return known.error_class
    if http_status == 429:
        return _SLOW
    if code is None and (300 <= http_status < 400 or http_status in _SOMEBODY_ELSE):
        return _ACCOUNT
    return _OURS if 400 <= http_status < 500 and http_status != 408 else _AMBIGUOUS


_SOMEBODY_ELSE: Final = frozenset({401, 403, 404, 405, 407, 410})


def meaning(code: int | None) -> str:
    """A clause for a person, such as ``the access token has expired or was withdrawn``."""
    known = fact(code) if code is not None else None
    if known is not None:
        return known.meaning
    return "the answer is not one of Graph's" if code is None else "the code is not known"


def what_to_do(code: int | None) -> str:
    """A sentence for the operator's log: what ``code`` means and what would mend it.

    Without a code the refusal came from something in front of Graph. Holds no secret and nothing
    of a contact.
    """
    known = fact(code) if code is not None else None
    if known is not None:
        to_do = known.to_do or "see Meta's list of error codes"
        return f"{known.meaning}: {to_do}"
    if code is None:
        return (
            f"{meaning(None)}: see that graph_api_url and graph_api_version are right, and what a"
            " proxy or firewall between here and there says"
        )
    return f"code {code} is not known here: see Meta's list of error codes"
