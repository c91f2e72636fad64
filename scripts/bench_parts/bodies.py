"""Webhook requests as Meta sends them, built and signed before the clock starts."""

import hmac
import json
import os
import time
from collections.abc import Iterable, Iterator

ACCOUNT = "1234567890123456"
APP_SECRET = "made-up-for-the-bench"
FIRST_CONTACT = 4_915_100_000_000

_PATTERN = json.dumps(
    {
        "object": "whatsapp_business_account",
        "entry": [
            {
                "id": "102290129340398",
                "changes": [
                    {
                        "value": {
                            "messaging_product": "whatsapp",
                            "metadata": {
                                "display_phone_number": "15550783881",
                                "phone_number_id": ACCOUNT,
                            },
                            "contacts": [
                                {
                                    "profile": {"name": "Ann Example"},
                                    "wa_id": "%d",
                                    "user_id": "DE.1349120865530%d",
                                }
                            ],
                            "messages": [
                                {
                                    "from": "%d",
                                    "from_user_id": "DE.1349120865530%d",
                                    "id": "wamid.HBgN%sFQIAEhgU%020dAA==",
                                    "timestamp": "%d",
                                    "text": {"body": "Hello, are you open on day #%d# of May?"},
                                    "type": "text",
                                }
                            ],
                        },
                        "field": "messages",
                    }
                ],
            }
        ],
    },
    separators=(",", ":"),
).encode()


def user_id(contact: int) -> str:
    """The business-scoped user id that the requests of ``contact`` carry."""
    return f"DE.1349120865530{contact}"


class Requests:
    """Signed POSTs; no two of one bench have the same wamid."""

    def __init__(self) -> None:
        self._bench = os.urandom(6).hex().encode()
        self._number = 0

    def build(self, contacts: Iterable[int]) -> Iterator[tuple[int, bytes]]:
        """One request for each of ``contacts``, with the number that its text holds as #number#."""
        now = int(time.time())
        for contact in contacts:
            self._number += 1
            number = self._number
            body = _PATTERN % (
                contact, contact, contact, contact, self._bench, number, now, number,
            )  # fmt: skip
            signature = hmac.digest(APP_SECRET.encode(), body, "sha256").hex().encode()
            yield (
                number,
                b"POST /webhook HTTP/1.1\r\n"
                b"Host: 127.0.0.1\r\n"
                b"User-Agent: facebookexternalua\r\n"
                b"Accept: */*\r\n"
                b"Content-Type: application/json\r\n"
                b"X-Hub-Signature-256: sha256=%b\r\n"
                b"Content-Length: %d\r\n\r\n%b" % (signature, len(body), body),
            )
