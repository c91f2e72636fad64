"""Who may write: numbers in any spelling, and business-scoped ids."""

import pytest

from openparallax.chats.allowed import AllowList
from openparallax.model.messages import Sender

USER = "US.13491208655302741918"


@pytest.mark.parametrize(
    ("entry", "sender"),
    [
        ("4915112345678", Sender(wa_id="4915112345678")),
        ("5511987654321", Sender(wa_id="551187654321")),
        ("551187654321", Sender(wa_id="5511987654321")),
        ("525512345678", Sender(wa_id="5215512345678")),
        ("541123456789", Sender(wa_id="5491123456789")),
        ("4915112345678", Sender(wa_id="4915112345678", user_id=USER)),
        (USER, Sender(user_id=USER)),
        (USER, Sender(wa_id="4915112345678", user_id=USER)),
        (USER, Sender(parent_user_id=USER, user_id="US.1")),
    ],
)
def test_let_in(entry: str, sender: Sender) -> None:
    assert AllowList([entry]).lets_in(sender)
    assert AllowList(["4915199999999", entry, "US.9"]).lets_in(sender)


@pytest.mark.parametrize(
    ("entry", "sender"),
    [
        ("4915112345678", Sender(wa_id="4915112345679")),
        ("4915112345678", Sender(user_id="US.4915112345678")),
        ("4915112345678", Sender(user_id=USER)),
        ("4915112345678", Sender(parent_user_id="4915112345678")),
        ("551123456789", Sender(wa_id="5511923456789")),
        (USER, Sender(wa_id="13491208655302741918")),
        (USER, Sender(user_id=USER.lower())),
        (USER, Sender(user_id=USER + "0")),
        (USER, Sender(wa_id="4915112345678", name=USER)),
        ("4915112345678", Sender(wa_id="")),
        ("4915112345678", Sender()),
    ],
)
def test_kept_out(entry: str, sender: Sender) -> None:
    assert not AllowList([entry]).lets_in(sender)


def test_an_empty_list_lets_everybody_in() -> None:
    assert AllowList([]).lets_in(Sender(wa_id="4915112345678"))
    assert AllowList([]).lets_in(Sender())
