"""What requests are checked with: verify tokens, and app secrets with the numbers of each."""

from openparallax.config import WhatsApp
from openparallax.webhook.signature import Key


def verify_tokens_of(whatsapp: WhatsApp) -> list[str]:
    """Every verify token, once; any of them will do."""
    return list({one.verify_token.get_secret_value(): None for one in whatsapp.numbers})


def keys_of(whatsapp: WhatsApp) -> list[Key]:
    """Every app secret, with the numbers whose it is."""
    owners: dict[str, set[str]] = {}
    for number in whatsapp.numbers:
        for secret in number.app_secret:
            owners.setdefault(secret.get_secret_value(), set()).add(number.phone_number_id)
    return [Key(secret.encode(), frozenset(ours)) for secret, ours in owners.items()]
