"""Each wrong paste and its sentence; each odd one, and what is made of it."""

from collections.abc import Callable
from functools import partial

import pytest

from openparallax.app.setup import addresses, pasted
from openparallax.app.setup.pasted import Pasted, Wrong

HEX = "0123456789abcdef" * 2
TOKEN = "EAAGm0PX4ZCpsBA" + "x" * 80
number_id = partial(pasted.phone_number_id, app="1234567890", account="102290129340398")
account_id = partial(pasted.waba_id, app="1234567890", number="1234567890123456")
address = partial(addresses.public_url, path="/webhook")


@pytest.mark.parametrize(
    ("judge", "text", "sentence"),
    [
        (number_id, "+1 (555) 010-0000", "This is the telephone number itself"),
        (number_id, "+15550100000", "This is the telephone number itself"),
        (number_id, "555 010 0000", "This is the telephone number itself"),
        (number_id, "0049 151 12345678", "This is the telephone number itself"),
        (number_id, "15550100000", "looks like the telephone number itself"),
        (number_id, "102290129340398", "This is the account's id"),
        (number_id, "1234567890", "This is the App ID"),
        (number_id, TOKEN, "This is an access token"),
        (number_id, "twelve", "is digits only"),
        (number_id, '""', "It is empty"),
        (account_id, "1234567890123456", "This is the phone number ID once more"),
        (account_id, "1234567890", "This is the App ID"),
        (account_id, "+1 555 010 0000", "This is a telephone number"),
        (pasted.app_id, HEX, "This is the app secret"),
        (pasted.app_id, "My app", "is digits only"),
        (
            pasted.app_secret,
            HEX[:-1],
            "An app secret is 32 characters, each one of 0-9 and a-f; this has 31",
        ),
        (pasted.app_secret, HEX[:-1] + "g", "An app secret is 32 characters"),
        (pasted.app_secret, TOKEN, "This is an access token"),
        (pasted.app_secret, "1234567890", "This is an id"),
        (pasted.app_secret, "●●●●●●●●", "press Show"),
        (pasted.access_token, HEX, "This looks like the app secret"),
        (pasted.access_token, f"1234567890|{HEX}", "This is an app's own token"),
        (pasted.access_token, "1234567890123456", "This is an id"),
        (pasted.access_token, "sk-ant-api03-x", "key of an engine"),
        (pasted.access_token, f"{TOKEN}…", "it was cut off"),
        (pasted.access_token, f"{TOKEN}...", "it was cut off"),
        (pasted.access_token, "EAAГ" + "x" * 80, "a letter that no token has"),
        (pasted.access_token, " \n ", "It is empty"),
        (pasted.engine_key, TOKEN, "This is an access token of Meta's"),
        (pasted.verify_token, "two words", "without spaces"),
        (address, "http://bot.example.org", "Meta calls https only"),
        (address, "HTTP://bot.example.org", "Meta calls https only"),
        (address, "https://localhost:9443", "Meta calls from the internet"),
        (address, "192.168.1.10", "Meta calls from the internet"),
        (address, "https://bot.example.org/?x=1", "no user, question mark"),
        (address, "ftp://bot.example.org", "no address such as"),
        (address, "https://[::1", "no address such as"),
    ],
)
def test_wrong_pastes(judge: Callable[[str], Pasted], text: str, sentence: str) -> None:
    with pytest.raises(Wrong) as caught:
        judge(text)
    assert sentence in str(caught.value)
    for secret in (HEX[:8], TOKEN[:12]):
        assert secret not in str(caught.value)


@pytest.mark.parametrize(
    ("judge", "text", "value", "note"),
    [
        (pasted.access_token, TOKEN, TOKEN, ""),
        (pasted.access_token, f"  {TOKEN}\n", TOKEN, ""),
        (pasted.access_token, f'"{TOKEN}"', TOKEN, "quotes"),
        (pasted.access_token, f"\u201c{TOKEN}\u201d", TOKEN, "quotes"),
        (pasted.access_token, f"Bearer {TOKEN}", TOKEN, "Bearer"),
        (pasted.access_token, f"'Authorization: Bearer {TOKEN}'", TOKEN, "Bearer"),
        (pasted.access_token, f"export WHATSAPP_TOKEN='{TOKEN}'", TOKEN, "name"),
        (pasted.access_token, f"{TOKEN[:40]}\n{TOKEN[40:]}", TOKEN, "line breaks"),
        (pasted.access_token, f"{TOKEN[:40]} {TOKEN[40:]}", TOKEN, "Spaces"),
        (pasted.access_token, f"{TOKEN[:9]}\u200b{TOKEN[9:]}", TOKEN, ""),
        (pasted.access_token, "abc123", "abc123", "begin with EAA"),
        (pasted.app_secret, HEX.upper(), HEX, "small letters"),
        (pasted.app_secret, f"{HEX},", HEX, ""),
        (
            pasted.app_id,
            "https://developers.facebook.com/apps/1234567890/dashboard/",
            "1234567890",
            "address",
        ),
        (number_id, "1234 5678 9012 3456", "1234567890123456", ""),
        (
            account_id,
            "https://business.facebook.com/wa/manage/?waba_id=102290129340398",
            "102290129340398",
            "address",
        ),
        (address, "bot.example.org", "https://bot.example.org", "https://"),
        (address, "https://Bot.Example.org/webhook/", "https://bot.example.org", "by itself"),
        (address, "https://bot.example.org:443/x/", "https://bot.example.org/x", ""),
        (address, "https://bot.example.org:8443", "https://bot.example.org:8443", "Port 8443"),
    ],
)
def test_odd_pastes(judge: Callable[[str], Pasted], text: str, value: str, note: str) -> None:
    found = judge(text)
    assert found.value == value
    assert note in " ".join(found.notes)
    assert bool(note) == bool(found.notes)
    assert value not in repr(found)


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["+1 (555) 000-1111"], ("+15550001111",)),
        (
            ["+1 555 000 1111, 0049 151/12345678; US.134"],
            ("+15550001111", "+4915112345678", "US.134"),
        ),
        (["+49 (0)151 12345678 +1 555 000 1111"], ("+4915112345678", "+15550001111")),
        (["+15550001111", "'+1 555 000 1111'"], ("+15550001111",)),
    ],
)
def test_numbers_in_odd_spellings(texts: list[str], found: tuple[str, ...]) -> None:
    assert addresses.contacts(texts) == (found, [])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("0151 12345678", "country code is missing"),
        ("12", "neither a telephone number"),
        ("+1 555 010 0000", "the business's own number"),
    ],
)
def test_numbers_that_are_none(text: str, sentence: str) -> None:
    found, [wrong] = addresses.contacts([text], own_number="15550100000")
    assert found == ()
    assert sentence in wrong
    assert wrong.startswith("\N{HORIZONTAL ELLIPSIS}" if len(text) > 3 else text)
