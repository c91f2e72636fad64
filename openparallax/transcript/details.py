"""What came beside the words, as the transcript keeps it: one more entry of the turn. Pure.

Meta's id of a quoted message holds a phone number, so two hashes stand for it: the keyed one under
which messages that came in are known, and the plain one of messages that we sent.
"""

import json
from dataclasses import dataclass
from typing import Any

from openparallax.model.messages import Details
from openparallax.model.text import Text


@dataclass(frozen=True, slots=True)
class Kept:
    """What was kept; ``details.quoted`` is empty, and the hashes stand for it.

    Attributes:
        details: As it came.
        quoted_in: Keyed hash of the quoted message, should it be one that came in; or None.
        quoted_out: Plain hash of it, should it be one of ours.
    """

    details: Details
    quoted_in: int | None = None
    quoted_out: int | None = None


def render_details(details: Details, quoted_in: int, quoted_out: int) -> Text:
    """Details as an entry's text; the hashes count only where something is quoted."""
    found: dict[str, Any] = {
        "choice_id": details.choice_id,
        "is_forwarded": details.is_forwarded,
        "is_forwarded_often": details.is_forwarded_often,
        "product": details.product,
        "referral": dict(details.referral),
        "quoted": [quoted_in, quoted_out] if details.quoted else [],
    }
    return Text(json.dumps({key: value for key, value in found.items() if value}))


def parse_details(text: Text) -> Kept:
    """The other way round; what `render_details` wrote is taken at its word."""
    found = json.loads(text.words)
    quoted = found.pop("quoted", None) or [None, None]
    return Kept(Details(**found), quoted[0], quoted[1])
