"""Every code of Meta's that the emulator knows: words, HTTP status, and where they are from.

Codes that no request provokes here can be played by the faults ``refuse`` and ``fail``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Kind:
    """One code.

    Attributes:
        title: As statuses name it; the message of an answer is this behind ``(#code)``.
        http_status: Meta no longer lists it, so all are unsure but those of 190 and 132001, which
            issues quote; these are the last that Meta listed.
        fact: Section of the facts page, or what else it follows.
        is_injected: Only a fault produces it; nothing that a client sends does.
        is_transient: The answer says ``is_transient``, as public issues quote it.
    """

    code: int
    title: str
    http_status: int = 400
    type: str = "OAuthException"
    fact: str = "8"
    is_injected: bool = False
    is_transient: bool = False


def _injected(
    code: int, title: str, http_status: int = 400, fact: str = "8", *, is_transient: bool = False
) -> Kind:
    return Kind(code, title, http_status, fact=fact, is_injected=True, is_transient=is_transient)


_PROVOKED: Final = (
    Kind(1, "An unknown error has occurred", 500, fact="8; of a wrong secret: quoted in issues"),
    Kind(10, "Application does not have permission for this action", 403, fact="8, 14"),
    Kind(15, "This method must be called with an app access_token.", fact="14, check 9"),
    Kind(100, "Invalid parameter", fact="8; of subcode 33: Graph's own sentence, quoted in issues"),
    Kind(101, "Missing client_id parameter.", fact="14; the words are Graph's own"),
    Kind(190, "Invalid OAuth access token", 401, fact="8, 14"),
    Kind(
        200,
        "You do not have the necessary permissions required to send messages on behalf of this"
        " WhatsApp Business Account",
        403,
        fact="8, 14",
    ),
    Kind(2200, "Callback verification failed", fact="3.1; the words are quoted in issues"),
    Kind(2500, "Unknown path components", fact="Graph's own sentence, quoted in issues"),
    Kind(80008, "There have been too many calls to this WhatsApp Business account", fact="8, 9"),
    Kind(130429, "Rate limit hit", 429, fact="8, 9"),
    Kind(131008, "Required parameter is missing"),
    Kind(131009, "Parameter value is not valid", fact="2.4, 2.7, 8"),
    Kind(131021, "Recipient cannot be sender"),
    Kind(131026, "Message undeliverable"),
    Kind(131030, "Recipient phone number not in allowed list", fact="8, 12"),
    Kind(131031, "Account has been locked", 403),
    Kind(
        131037,
        "WhatsApp provided number needs display name approval before message can be sent.",
    ),
    Kind(131042, "Business eligibility payment issue", fact="8, 10, 14"),
    Kind(131047, "Re-engagement message", fact="8, 10"),
    Kind(131050, "The recipient has chosen to stop receiving marketing messages", fact="8, 13"),
    Kind(131051, "Unsupported message type"),
    Kind(131053, "Media upload error", fact="2.3, 8"),
    Kind(131056, "(Business Account, Consumer Account) pair rate limit hit", fact="8, 9"),
    Kind(
        131062,
        "Business-scoped User ID (BSUID) recipients are not supported for this message.",
        fact="4, 8",
    ),
    Kind(132000, "Number of parameters does not match the expected number of params"),
    Kind(132001, "Template name does not exist in the translation", 404),
    Kind(132005, "Translated text too long", fact="8; how long is unsure: 1024 of the body"),
    Kind(132012, "Parameter format does not match format in the created template"),
    Kind(132015, "Template is paused"),
    Kind(132016, "Template is disabled"),
    Kind(133005, "Two step verification PIN mismatch", fact="8, 14"),
    Kind(133006, "Phone number re-verification needed", fact="8, 14"),
    Kind(133010, "Phone number not registered"),
    Kind(133016, "Account register deregister rate limit exceeded", fact="8, 9"),
)

_INJECTED: Final = (
    _injected(0, "AuthException", 401),
    _injected(2, "Service temporarily unavailable", 503, is_transient=True),
    _injected(3, "Application does not have the capability to make this API call", 500),
    _injected(4, "Application request limit reached", is_transient=True),
    _injected(33, "Parameter value is not valid"),
    _injected(368, "Temporarily blocked for policies violations", 403),
    _injected(80007, "Rate limit issues"),
    _injected(130403, "User is blocked"),
    _injected(130472, "User's number is part of an experiment"),
    _injected(130497, "Business account is restricted from messaging users in this country.", 403),
    _injected(131000, "Something went wrong", 500),
    _injected(131005, "Access denied", 403),
    _injected(131016, "Service unavailable", 500),
    _injected(131044, "Business eligibility payment issue"),
    _injected(131045, "Message failed to send because of a phone number registration error", 500),
    _injected(131048, "Spam rate limit hit"),
    _injected(131049, "This message was not delivered to maintain healthy ecosystem engagement."),
    _injected(131052, "Media download error"),
    _injected(131055, "Method not allowed"),
    _injected(131057, "Account in maintenance mode"),
    _injected(131060, "This message is currently unavailable.", fact="5, 8"),
    _injected(131063, "Marketing Messages API is not set up"),
    _injected(131064, "Account is limited for template misclassification"),
    _injected(132007, "Template format character policy violated"),
    _injected(132008, "Parameter value is not valid", fact="8: legacy"),
    _injected(132018, "There was an issue with the parameters in your template"),
    _injected(132068, "Flow is in blocked state"),
    _injected(132069, "Flow is in throttled state"),
    _injected(133000, "Incomplete deregistration", 500),
    _injected(133004, "Server temporarily unavailable", 503),
    _injected(133008, "Too many two step verification PIN guesses"),
    _injected(133009, "Two step verification PIN guessed too fast"),
    _injected(133015, "Please wait a few minutes before attempting to register this phone number"),
    _injected(134011, "Payments terms of service are not accepted"),
    _injected(134100, "Only marketing messages are supported"),
    _injected(134101, "The template is still synchronized"),
    _injected(134102, "The template is not available for use"),
    _injected(135000, "Generic user error"),
    _injected(137000, "Recipient identity key hash mismatch"),
)

KINDS: Final[Mapping[int, Kind]] = {kind.code: kind for kind in (*_PROVOKED, *_INJECTED)}
"""By code. The words of 0, 3, 130403, 131055, 131063, 131064, 132018 and 1341xx are unsure."""
