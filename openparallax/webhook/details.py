"""What comes with a message beside its words: a choice, a quote, a product, an advertisement."""

from openparallax.model.messages import Details
from openparallax.webhook.values import as_object, mend, parse_id

MAX_REFERRAL = 1024
"""Longest value kept of an advertisement, in characters."""

REFERRAL = (
    "source_url",
    "source_id",
    "source_type",
    "headline",
    "body",
    "media_type",
    "image_url",
    "video_url",
    "thumbnail_url",
    "ctwa_clid",
)
"""What is kept of an advertisement, besides the ``text`` of its ``welcome_message``."""


def parse_details(choice: object, context: object, referral: object) -> Details | None:
    """Put together what came; None if nothing of it can be taken.

    Args:
        choice: The id or payload of what was tapped.
        context: ``context`` of the message.
        referral: ``referral`` of the message.
    """
    about = as_object(context)
    product = as_object(about.get("referred_product"))
    is_often = about.get("frequently_forwarded") is True
    details = Details(
        choice_id=parse_id(choice) or "",
        quoted=parse_id(about.get("id")) or "",
        is_forwarded=is_often or about.get("forwarded") is True,
        is_forwarded_often=is_often,
        product=_product(product.get("catalog_id"), product.get("product_retailer_id")),
        referral=_referral(as_object(referral)),
    )
    return None if details == _NOTHING else details


def _product(catalog: object, item: object) -> str:
    one, other = parse_id(catalog), parse_id(item)
    if one is None or other is None:
        return ""
    return parse_id(f"{one}/{other}") or ""


def _referral(referral: dict[str, object]) -> dict[str, str]:
    found = {name: _cut(referral.get(name)) for name in REFERRAL}
    found["welcome_message"] = _cut(as_object(referral.get("welcome_message")).get("text"))
    return {name: value for name, value in found.items() if value}


def _cut(value: object) -> str:
    return mend(value[:MAX_REFERRAL]) if isinstance(value, str) else ""


_NOTHING = Details()
