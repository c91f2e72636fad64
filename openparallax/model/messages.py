"""What Meta tells us: messages of contacts and statuses of our own, as parsed from a webhook."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, IntEnum

from openparallax.model.text import Text


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote, by whatever ids the webhook carried; at least one of the three ids is set.

    Attributes:
        wa_id: The number as Meta writes it: digits without ``+``. Absent for people who
            took a username.
        user_id: Business-scoped user id, such as ``US.13491208655302741918``.
        parent_user_id: The same for a managed business's parent, ``US.ENT.…``.
        name: Display name of the profile; chosen by the person, so no identity.

    Source:
        Cloud API, business-scoped user ids (2026).
    """

    wa_id: str | None = None
    user_id: str | None = None
    parent_user_id: str | None = None
    name: str | None = field(default=None, repr=False)


class Kind(Enum):
    """What sort of message came, as far as its outcome depends on it."""

    TEXT = "text"
    """Words to answer: text, or the title of a button or list row that was tapped."""
    UNREADABLE = "unreadable"
    """Something a person sent that the engine cannot read: media, location, contacts, order."""
    RESEND = "resend"
    """Code 131060: the content was not available to us; the person is asked to send it again."""
    SILENT = "silent"
    """Counted and otherwise ignored: reaction, edit, group message, welcome, system, unknown."""


@dataclass(frozen=True, slots=True)
class Inbound:
    """One message of a contact.

    Attributes:
        phone_number_id: Which of our numbers it was sent to.
        display_phone_number: That number's digits, as Meta prints them.
        wamid: Meta's id of the message; holds the person's number, so it is never logged.
        sent_at: Meta's timestamp, unix seconds.
        kind: Decides the outcome.
        type: The field's own word, such as ``image``; for counts and logs. At most 32 characters.
        text: The words; set when, and only when, ``kind`` is ``TEXT``, and for a caption.
        choice_id: Id of the button or row that was tapped.
    """

    phone_number_id: str
    display_phone_number: str
    wamid: str
    sender: Sender
    sent_at: int
    kind: Kind
    type: str
    text: Text | None = None
    choice_id: str | None = field(default=None, repr=False)


class DeliveryStatus(IntEnum):
    """What became of a message of ours, in rising order; ``FAILED`` never overrides a higher one.

    Source:
        Cloud API, status webhooks; ``played`` since November 2025.
    """

    FAILED = 0
    SENT = 1
    DELIVERED = 2
    READ = 3
    PLAYED = 4


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """One delivery status of one of our messages.

    Attributes:
        phone_number_id: Which of our numbers had sent it.
        wamid: Meta's id of our message.
        status: What became of it.
        callback: The ``biz_opaque_callback_data`` of the send, if Meta returned one.
        code: Meta's error code where the status is ``FAILED``, else None.
    """

    phone_number_id: str
    wamid: str
    status: DeliveryStatus
    callback: str | None
    code: int | None = None


@dataclass(frozen=True, slots=True)
class Notification:
    """All that one webhook request carried.

    Attributes:
        messages: In the order of the request.
        statuses: In the order of the request.
        unsupported: How often each thing came that is not understood, by a short name.
    """

    messages: Sequence[Inbound] = ()
    statuses: Sequence[StatusUpdate] = ()
    unsupported: Mapping[str, int] = field(default_factory=dict)
