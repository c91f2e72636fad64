"""Webhook requests as Meta sends them, signed; messages are built before the clock starts."""

import hmac
import json
import os
import time
from collections.abc import Iterable, Iterator

ACCOUNT = "1234567890123456"
APP_SECRET = "made-up-for-the-bench"
FIRST_CONTACT = 4_915_100_000_000
STATUSES = ("sent", "delivered", "read")
"""What Meta tells of an answer that arrives and is looked at, in this order."""


def _pattern(value: dict[str, object]) -> bytes:
    """A request's body with %-marks for what differs."""
    about = {"display_phone_number": "15550783881", "phone_number_id": ACCOUNT}
    value = {"messaging_product": "whatsapp", "metadata": about} | value
    entry = {"id": "102290129340398", "changes": [{"value": value, "field": "messages"}]}
    payload = {"object": "whatsapp_business_account", "entry": [entry]}
    return json.dumps(payload, separators=(",", ":")).encode()


_MESSAGE = _pattern(
    {
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
    }
)
_STATUS = _pattern(
    {
        "statuses": [
            {
                "id": "%b",
                "status": "%b",
                "timestamp": "%d",
                "recipient_id": "%b",
                "conversation": {"id": "%032x", "origin": {"type": "service"}},
                "pricing": {
                    "billable": True,
                    "pricing_model": "PMP",
                    "type": "regular",
                    "category": "service",
                },
                "biz_opaque_callback_data": "%b",
            }
        ]
    }
)
_WITHOUT_TOKEN = _STATUS.replace(b',"biz_opaque_callback_data":"%b"', b"")


def user_id(contact: int) -> str:
    """The business-scoped user id that the requests of ``contact`` carry."""
    return f"DE.1349120865530{contact}"


class Requests:
    """Signed POSTs; no two of one bench have the same wamid.

    Args:
        closing: Each request says that its connection ends with it.
        after: The numbers in the texts follow this one.
    """

    def __init__(self, *, closing: bool = False, after: int = 0) -> None:
        self._bench = os.urandom(6).hex().encode()
        self._number = after
        self.closing = closing

    def build(self, contacts: Iterable[int]) -> Iterator[tuple[int, bytes]]:
        """One request for each of ``contacts``, with the number that its text holds as #number#."""
        now = int(time.time())
        for contact in contacts:
            self._number += 1
            number = self._number
            body = _MESSAGE % (
                contact, contact, contact, contact, self._bench, number, now, number,
            )  # fmt: skip
            yield number, _request(body, closing=self.closing)

    def statuses(self, wamid: bytes, to: bytes, token: bytes) -> Iterator[bytes]:
        """What Meta tells of one answer, each in a request of its own.

        Args:
            wamid: The answer's.
            to: Who got it.
            token: The ``biz_opaque_callback_data`` that it was sent with; empty: none.
        """
        now = int(time.time())
        for status in STATUSES:
            told = (wamid, status.encode(), now, to, now)
            body = _STATUS % (*told, token) if token else _WITHOUT_TOKEN % told
            yield _request(body, closing=self.closing)


def _request(body: bytes, *, closing: bool) -> bytes:
    signature = hmac.digest(APP_SECRET.encode(), body, "sha256").hex().encode()
    return (
        b"POST /webhook HTTP/1.1\r\n"
        b"Host: 127.0.0.1\r\n"
        b"User-Agent: facebookexternalua\r\n"
        b"Accept: */*\r\n"
        b"Content-Type: application/json\r\n"
        b"X-Hub-Signature-256: sha256=%b\r\n%b"
        b"Content-Length: %d\r\n\r\n%b"
    ) % (signature, b"Connection: close\r\n" if closing else b"", len(body), body)
