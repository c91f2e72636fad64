"""What is said of a value once Graph was asked; the emulator is Graph."""

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from openparallax.app.setup.meta import Meta
from openparallax.app.setup.word import Level, worst
from openparallax.emulator import Account, Emulator, Number

APP, WABA, NUMBER = "1234567890", "102290129340398", "1234567890123456"
SECRET = "0123456789abcdef0123456789abcdef"
TOKEN = "EAA" + "x" * 100


@pytest_asyncio.fixture
async def emulator() -> AsyncIterator[Emulator]:
    account = Account(app_id=APP, waba_id=WABA, app_secret=SECRET)
    account.numbers.append(
        Number(id="2234567890123456", display_phone_number="4915110000000", waba_id="999")
    )
    account.add_token(TOKEN, target_ids=(WABA,))
    async with Emulator(account=account) as emulator:
        yield emulator


def _meta(emulator: Emulator) -> Meta:
    return Meta(emulator.url, "v25.0")


@pytest.mark.parametrize(
    ("app_id", "secret", "level", "says"),
    [
        (APP, SECRET, Level.WELL, 'The app "OpenParallax dev", and this is its secret.'),
        (APP, "f" * 32, Level.WRONG, "The secret is not this app's."),
        ("999", SECRET, Level.WRONG, "Meta knows no app with this App ID."),
    ],
)
async def test_an_app(
    emulator: Emulator, app_id: str, secret: str, level: Level, says: str
) -> None:
    [word] = await _meta(emulator).app(app_id, secret)
    assert word.level is level
    assert word.says.startswith(says)


@pytest.mark.parametrize(
    ("details", "level", "says"),
    [
        ({}, Level.WELL, "A system user's token that does not end."),
        ({"expires_at": 40}, Level.ODD, "it ends in 40 days"),
        ({"kind": "USER", "expires_at": 0.5}, Level.DOUBT, "a temporary token, a person's own"),
        ({"kind": "APP"}, Level.WRONG, "cannot send messages"),
        ({"expires_at": -1}, Level.WRONG, "This token has expired"),
        ({"is_valid": False}, Level.WRONG, "This token was revoked"),
        ({"app_id": "77"}, Level.WRONG, "was made for another app"),
        ({"scopes": ("whatsapp_business_management",)}, Level.DOUBT, "whatsapp_business_messaging"),
    ],
)
async def test_a_token(
    emulator: Emulator, details: dict[str, Any], level: Level, says: str
) -> None:
    if "expires_at" in details:
        details = {**details, "expires_at": int(time.time() + details["expires_at"] * 86_400 + 60)}
    emulator.world.account.add_token(TOKEN, **details)
    said = await _meta(emulator).token(TOKEN, APP, SECRET)
    assert worst(said.said) is level
    assert says in " ".join(word.says for word in said.said)


async def test_a_token_that_is_none(emulator: Emulator) -> None:
    said = await _meta(emulator).token("EAAnobody", APP, SECRET)
    assert worst(said.said) is Level.WRONG
    assert "Meta does not know this token" in said.said[0].says


@pytest.mark.parametrize(
    ("number_id", "waba_id", "says", "choices"),
    [
        ("15550100000", WABA, "the telephone number itself; Meta's id of it is", [NUMBER]),
        ("5550100000", WABA, "the telephone number itself; Meta's id of it is", [NUMBER]),
        ("15550100000", "4711", "the telephone number itself; Meta's id of it is", [NUMBER]),
        (WABA, NUMBER, "This is the id of the account, not of a number in it.", [NUMBER]),
        (WABA, WABA, "The account has no number with this id.", [NUMBER]),
        ("4711", WABA, "The account has no number with this id.", [NUMBER]),
        (NUMBER, "4711", "There is such a number, but no account with that id", [NUMBER]),
        ("4711", "4712", "Neither a number nor an account with these ids", [NUMBER]),
    ],
)
async def test_ids_that_are_others(
    emulator: Emulator, number_id: str, waba_id: str, says: str, choices: list[str]
) -> None:
    said = await _meta(emulator).place(TOKEN, number_id, waba_id, (WABA,))
    assert worst(said.said) is Level.WRONG
    assert says in said.said[0].says
    assert [one.id for one in said.choices] == choices
    assert {one.waba_id for one in said.choices} == {WABA}


async def test_a_number_of_another_account(emulator: Emulator) -> None:
    emulator.world.account.add_token(TOKEN)
    said = await _meta(emulator).place(TOKEN, "2234567890123456", WABA, ())
    assert "it is not one of its" in said.said[0].says


async def test_the_account_is_found_by_the_number_alone(emulator: Emulator) -> None:
    """Where the token does not say what it is for, the health of the number names its account."""
    emulator.world.account.add_token(TOKEN)
    said = await _meta(emulator).place(TOKEN, NUMBER, "4711", ())
    assert [(one.id, one.waba_id) for one in said.choices] == [(NUMBER, WABA)]


async def test_a_number_that_is_right(emulator: Emulator) -> None:
    emulator.world.account.numbers[0].status = "PENDING"
    emulator.world.account.numbers[0].verified_name = "A\x1b[2J\nB"
    said = await _meta(emulator).place(TOKEN, NUMBER, WABA, (WABA,))
    assert said.number is not None
    assert said.number.digits == "15550100000"
    assert [word.level for word in said.said] == [Level.WELL, Level.ODD]
    assert '+1 555-010-0000, "A[2JB"; it belongs' in said.said[0].says
    assert "registered" in said.said[1].says


async def test_graph_that_is_down_or_tired_keeps_nobody(emulator: Emulator) -> None:
    emulator.faults.set("refuse_other", value="4")
    meta = _meta(emulator)
    tired = [
        *await meta.app(APP, SECRET),
        *(await meta.token(TOKEN, APP, SECRET)).said,
        *(await meta.place(TOKEN, NUMBER, WABA, ())).said,
    ]
    assert [word.level for word in tired] == [Level.UNKNOWN] * 3
    await emulator.close()
    [word] = await meta.app(APP, SECRET)
    assert word.level is Level.UNKNOWN
    assert "This could not be checked: Graph could not be reached" in word.says
