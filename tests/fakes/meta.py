"""Meta's side of a webhook: payloads as Meta builds them, signed and delivered until taken.

An *item* is one update: a message with its contact, a status, an echo, a change of somebody's ids,
a preference, or a whole change of another field.
`envelope` puts items into one request the way Meta batches them.
"""

import asyncio
import base64
import io
import itertools
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from openparallax.emulator.webhooks import envelope as webhook
from openparallax.emulator.webhooks import pieces
from openparallax.emulator.webhooks.envelope import Change

PHONE_NUMBER_ID = "1234567890123456"
DISPLAY_PHONE_NUMBER = "15550001111"
WABA_ID = "102290129340398"
SECRET = "test_app_secret"
VERIFY_TOKEN = "test_verify_token"

Item = dict[str, Any]

dump = webhook.dump

_numbers = itertools.count(1)


def new_wamid(sender: str) -> str:
    """An id like Meta's: it holds the person's number, and no two are alike."""
    inside = b"\x1d\x0b" + sender.encode() + b"\x15\x02\x00" + b"%016d" % next(_numbers)
    return "wamid." + base64.b64encode(inside).decode("ascii")


def message(
    sender: str | None,
    kind: str,
    content: object = None,
    *,
    wamid: str | None = None,
    at: int | None = None,
    phone_number_id: str = PHONE_NUMBER_ID,
    name: str | None = "Ann",
    user_id: str | None = None,
    parent_user_id: str | None = None,
    **more: Any,
) -> Item:
    """A message of any type, as an item.

    Args:
        sender: Digits of the number, or None for a person who took a username.
        content: What stands under the type's own name.
        at: Unix seconds; now, if not given.
        more: Further fields of the message, such as ``context``.
    """
    known_as = sender or user_id or parent_user_id or ""
    ids = {"wa_id": sender, "user_id": user_id, "parent_user_id": parent_user_id}
    said = pieces.message(
        kind, content, wamid=wamid or new_wamid(known_as), at=_at(at), **ids, **more
    )
    return {
        "phone_number_id": phone_number_id,
        "contact": pieces.contact(name, **ids),
        "message": said,
    }


def text(sender: str | None, words: str, **details: Any) -> Item:
    """A text message; ``details`` as in `message`."""
    return message(sender, "text", {"body": words}, **details)


def media(
    sender: str | None, kind: str = "image", *, caption: str | None = None, **details: Any
) -> Item:
    """A picture or the like; ``details`` as in `message`."""
    content = {
        "mime_type": {"image": "image/jpeg", "audio": "audio/ogg; codecs=opus"}.get(kind, "x/y"),
        "sha256": "wvfEbGLLHcHY3vbuDxMvH8LhrGPPLpDLkM3tRsgZGmE=",
        "id": str(next(_numbers)),
        **({} if caption is None else {"caption": caption}),
    }
    return message(sender, kind, content, **details)


def button(sender: str | None, title: str, choice_id: str, **details: Any) -> Item:
    """A tap on a reply button; ``details`` as in `message`."""
    reply = {"type": "button_reply", "button_reply": {"id": choice_id, "title": title}}
    return message(sender, "interactive", reply, **details)


def status(
    wamid: str,
    state: str = "delivered",
    *,
    callback: str | None = None,
    code: int | None = None,
    at: int | None = None,
    recipient: str = "4915112345678",
    phone_number_id: str = PHONE_NUMBER_ID,
) -> Item:
    """A delivery status of one of our messages, as an item.

    Args:
        callback: The ``biz_opaque_callback_data`` of the send.
        code: Meta's error code, where ``state`` is ``failed``.
    """
    told = pieces.status(
        wamid,
        state,
        at=_at(at),
        wa_id=recipient,
        callback=callback,
        errors=None if code is None else [{"code": code, "title": "made up"}],
    )
    return {"phone_number_id": phone_number_id, "status": told}


def revoke(sender: str | None, original: str, **details: Any) -> Item:
    """A message of theirs is deleted; ``details`` as in `message`."""
    return message(sender, "revoke", {"original_message_id": original}, **details)


def system(
    sender: str | None,
    what: str = "user_changed_number",
    *,
    wa_id: str | None = None,
    new_user_id: str | None = None,
    **details: Any,
) -> Item:
    """The ids of ``sender`` have changed; no contact comes with it.

    Args:
        what: The type of the system message.
        wa_id: The new number.
        new_user_id: The new business-scoped id.
        details: As in `message`; the ids are those before.
    """
    content = {"body": "User Ann changed from one to another", "type": what}
    new = {"wa_id": wa_id, "user_id": new_user_id}
    content |= {key: value for key, value in new.items() if value is not None}
    return message(sender, "system", content, **details) | {"contact": {}}


def user_id_update(
    previous: str,
    current: str,
    *,
    wa_id: str | None = None,
    at: int | None = None,
    phone_number_id: str | None = PHONE_NUMBER_ID,
    **more: Any,
) -> Item:
    """A business-scoped id has changed.

    Args:
        wa_id: The number that the person has now.
        phone_number_id: None leaves ``metadata`` out.
        more: Further fields of the update, such as ``parent_user_id``.
    """
    update = pieces.user_id_update(previous, current, at=_at(at), wa_id=wa_id, **more)
    return {"phone_number_id": phone_number_id, "user_id_update": update}


def echo(
    to: str | None,
    words: str | None = None,
    *,
    kind: str = "text",
    content: object = None,
    wamid: str | None = None,
    at: int | None = None,
    phone_number_id: str = PHONE_NUMBER_ID,
    **more: Any,
) -> Item:
    """A person of ours wrote to ``to`` from the phone.

    Args:
        words: The text of a text message.
        kind: The type, where it is another.
        content: What stands under the type's own name, where ``words`` are not given.
        more: Further fields of the echo, such as ``to_user_id``.
    """
    content = {"body": words} if words is not None else content
    written = pieces.echo(
        kind,
        content,
        wamid=wamid or new_wamid(to or "echo"),
        at=_at(at),
        sender=DISPLAY_PHONE_NUMBER,
        to=to,
        **more,
    )
    return {"phone_number_id": phone_number_id, "echo": written}


def echo_revoke(to: str | None, original: str, **details: Any) -> Item:
    """A person of ours deleted what they wrote; ``details`` as in `echo`."""
    return echo(to, kind="revoke", content={"original_message_id": original}, **details)


def preference(
    sender: str | None,
    value: str = "stop",
    *,
    user_id: str | None = None,
    at: int | None = None,
    phone_number_id: str = PHONE_NUMBER_ID,
    **more: Any,
) -> Item:
    """A contact does or does not want marketing; ``value`` is ``stop`` or ``resume``."""
    known = pieces.known(wa_id=sender, user_id=user_id)
    return {
        "phone_number_id": phone_number_id,
        "contact": pieces.contact("Ann", wa_id=sender, user_id=user_id),
        "preference": {
            **known,
            "detail": f"User requested to {value} marketing messages",
            "category": "marketing_messages",
            "value": value,
            "timestamp": pieces.stamp(_at(at)),
            **more,
        },
    }


def errors(*codes: int, phone_number_id: str = PHONE_NUMBER_ID) -> Item:
    """Troubles of the number as a whole, in field ``messages``."""
    found = [{"code": code, "title": "made up", "message": "made up"} for code in codes]
    return change("messages", pieces.value(_metadata(phone_number_id), errors=found))


def news(field: str, *, at: int | None = None, **value: Any) -> Item:
    """An account-level change, such as ``account_update``, with the entry's time."""
    return {**change(field, value), "time": int(_at(at))}


def change(field: str, value: object) -> Item:
    """A whole change, such as an ``account_update``, as an item."""
    return {"change": {"field": field, "value": value}}


def envelope(*items: Item, spread: bool = False) -> dict[str, Any]:
    """One request with ``items`` in their order.

    Args:
        spread: Give each item an entry of its own; otherwise neighbours of one number and one sort
            share a change, and each person is listed once among its contacts.
    """
    return webhook.envelope(map(_change, items), WABA_ID, spread=spread)


def _change(item: Item) -> Change:
    if "change" in item:
        whole = item["change"]
        return Change(
            topic=whole["field"], value=whole["value"], time=item.get("time"), is_whole=True
        )
    sort = next(sort for sort in _SORTS if sort in item)
    topic, several = _SORTS[sort]
    contacts = [item["contact"]] if item.get("contact") else None
    parts = {"contacts": contacts, several: [item[sort]]}
    return Change(topic=topic, value=pieces.value(_metadata(item["phone_number_id"]), **parts))


_SORTS = {
    "message": ("messages", "messages"),
    "status": ("messages", "statuses"),
    "echo": ("smb_message_echoes", "message_echoes"),
    "user_id_update": ("user_id_update", "user_id_update"),
    "preference": ("user_preferences", "user_preferences"),
}
"""Sort of item -> the webhook's field, and the list in its value."""


def _metadata(phone_number_id: str | None) -> dict[str, str] | None:
    if phone_number_id is None:
        return None
    return pieces.metadata(phone_number_id, DISPLAY_PHONE_NUMBER)


def _at(at: int | None) -> float:
    return time.time() if at is None else at


def body(*items: Item, spread: bool = False) -> bytes:
    """The bytes of one request; arguments as in `envelope`."""
    return dump(envelope(*items, spread=spread))


def sign(raw: bytes, secret: str = SECRET) -> str:
    """The value of ``X-Hub-Signature-256``."""
    return webhook.sign(raw, secret)


async def post(
    session: aiohttp.ClientSession, url: str, raw: bytes, secret: str | None = SECRET
) -> int:
    """Post one request and return the status; unsigned if ``secret`` is None."""
    headers = {"Content-Type": "application/json"}
    if secret is not None:
        headers["X-Hub-Signature-256"] = sign(raw, secret)
    async with session.post(url, data=io.BytesIO(raw), headers=headers) as response:
        await response.read()
        return response.status


async def _soon() -> None:
    await asyncio.sleep(0.02)


class Meta:
    """Delivers as Meta does: again and again until the answer is 200, up to ``max_tries``.

    Attributes:
        statuses: Every answer so far; 0 where there was none.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        *,
        secret: str | None = SECRET,
        max_tries: int = 50,
        pause: Callable[[], Awaitable[None]] = _soon,
    ) -> None:
        self._session = session
        self.url = url
        self._secret = secret
        self._max_tries = max_tries
        self._pause = pause
        self.statuses: list[int] = []

    async def deliver(self, *items: Item, spread: bool = False) -> int:
        """Deliver ``items`` in one request; the number of tries that it took."""
        return await self.deliver_raw(body(*items, spread=spread))

    async def deliver_raw(self, raw: bytes) -> int:
        """The same for bytes.

        Raises:
            AssertionError: No try was answered 200.
        """
        for tries in range(1, self._max_tries + 1):
            try:
                answer = await post(self._session, self.url, raw, self._secret)
            except (aiohttp.ClientError, TimeoutError, OSError):
                answer = 0
            self.statuses.append(answer)
            if answer == 200:
                return tries
            await self._pause()
        raise AssertionError(f"not taken in {self._max_tries} tries: {self.statuses[-5:]}")
