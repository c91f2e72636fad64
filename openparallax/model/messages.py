"""What Meta tells us: messages of contacts and statuses of our own, as parsed from a webhook."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from enum import Enum, IntEnum

from openparallax.model.noun import noun
from openparallax.model.text import Text


@noun(frozen=True, slots=True)
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
    REVOKE = "revoke"
    """A message was deleted by who wrote it; ``original`` names it."""
    SILENT = "silent"
    """Counted and otherwise ignored: reaction, edit, group message, welcome, unknown."""


@noun(frozen=True, slots=True)
class Details:
    """What came with a message beside its words; worth the same care as the words.

    Attributes:
        choice_id: Id of the button or list row that was tapped.
        quoted: Meta's id of the message that this one answers.
        is_forwarded: It was written by somebody else and passed on.
        is_forwarded_often: It was passed on more than five times.
        product: The product asked about, as ``catalog id/retailer's id``.
        referral: The advertisement that brought the person, by the field's own names; strings only.

    Source:
        Cloud API, webhooks: ``context``, ``referral``, ``interactive``, ``button``.
    """

    choice_id: str = field(default="", repr=False)
    quoted: str = field(default="", repr=False)
    is_forwarded: bool = False
    is_forwarded_often: bool = False
    product: str = field(default="", repr=False)
    referral: Mapping[str, str] = field(default_factory=dict, repr=False)


@noun(frozen=True, slots=True)
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
        details: What came beside the words; None where nothing did.
        original: For ``REVOKE``: Meta's id of the message that was deleted.
    """

    phone_number_id: str
    display_phone_number: str
    wamid: str = field(repr=False)
    sender: Sender
    sent_at: int
    kind: Kind
    type: str
    text: Text | None = None
    details: Details | None = None
    original: str = field(default="", repr=False)


@noun(frozen=True, slots=True)
class Echo:
    """What a person of ours wrote to a contact from the phone: they took over.

    Attributes:
        phone_number_id: Which of our numbers it was sent from.
        wamid: Meta's id of the message.
        to: The contact, by whatever ids the webhook carried.
        sent_at: Meta's timestamp, unix seconds.
        type: The field's own word, such as ``text``; at most 32 characters.
        text: The words, where it has any.
        original: Meta's id of the message of theirs that this one deletes, or "".

    Source:
        Cloud API, field ``smb_message_echoes`` (coexistence with the WhatsApp Business app).
    """

    phone_number_id: str
    wamid: str = field(repr=False)
    to: Sender
    sent_at: int
    type: str
    text: Text | None = None
    original: str = field(default="", repr=False)


@noun(frozen=True, slots=True)
class Relink:
    """A person's ids have changed.

    Attributes:
        phone_number_id: Which of our numbers was told; None: all that the request may speak for.
        old: The ids so far, at least one.
        new: The ids from now on, at least one.
        at: Meta's timestamp, unix seconds.

    Source:
        Cloud API: messages of type ``system`` (``user_changed_number``,
        ``user_changed_user_id``), field ``user_id_update``.
    """

    phone_number_id: str | None
    old: Sender
    new: Sender
    at: int


class Weight(IntEnum):
    """How much somebody has to care about news."""

    INFO = 0
    WARNING = 1
    ERROR = 2


@noun(frozen=True, slots=True)
class News:
    """Something about an account of ours or its templates, from an account-level field.

    Attributes:
        business: Meta's id of the WhatsApp Business Account, or "".
        field: The webhook field's own word, such as ``account_update``.
        subject: What it is about, where one account has several: a template's id, a number's last
            digits; "" for the account itself. Never a contact.
        event: Meta's word for what happened, such as ``DISABLED_UPDATE``; upper case, at most 64
            characters.
        facts: A few more words of Meta's own, such as ``{"limit": "TIER_2K"}``; from a fixed list
            of keys, each value at most 64 characters.
        weight: How much somebody has to care.
        at: Meta's timestamp, unix seconds, or 0.
    """

    business: str
    field: str
    subject: str
    event: str
    facts: Mapping[str, str]
    weight: Weight
    at: int


@noun(frozen=True, slots=True)
class Preference:
    """A contact does or does not want marketing of ours.

    Source:
        Cloud API, field ``user_preferences``: ``value`` is ``stop`` or ``resume``.
    """

    phone_number_id: str
    sender: Sender
    wants_marketing: bool
    at: int


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


@noun(frozen=True, slots=True)
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


@noun(frozen=True, slots=True)
class Notification:
    """All that one webhook request carried.

    Attributes:
        messages: In the order of the request; so are all the others.
        statuses: Of messages of ours.
        echoes: What people of ours wrote from the phone.
        relinks: Ids of contacts that have changed.
        preferences: Who wants no marketing.
        news: About our accounts.
        unsupported: How often each thing came that is not understood, by a short name.
        accounts: The phone number ids whose app secret signed the request, who alone may be spoken
            for; None where signatures are not checked.
    """

    messages: Sequence[Inbound] = ()
    statuses: Sequence[StatusUpdate] = ()
    echoes: Sequence[Echo] = ()
    relinks: Sequence[Relink] = ()
    preferences: Sequence[Preference] = ()
    news: Sequence[News] = ()
    unsupported: Mapping[str, int] = field(default_factory=dict)
    accounts: frozenset[str] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it that would have to be stored."""
        return not (
            self.messages
            or self.statuses
            or self.echoes
            or self.relinks
            or self.preferences
            or self.news
        )
