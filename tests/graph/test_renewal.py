"""Asking about a token, and for a fresh one: what Graph says, and what everything else says."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from openparallax.emulator.account import Account
from openparallax.graph.renewal import SIXTY_DAYS_S, Fresh, RenewalError, TokenDesk, TokenFacts
from tests.emulator.graph.desk import Desk, desk
from tests.fakes.clock import TurnedClock

DAY_S = 86_400
NOW = 1_790_000_000
SECRET = "0123456789abcdef"
OLD = "EAAold"


def asking(
    url: str, *, app_id: str | None = "1234567890", secrets: tuple[str, ...] = (SECRET,)
) -> TokenDesk:
    return TokenDesk(base_url=url, version="v25.0", app_id=app_id, app_secrets=secrets, timeout_s=5)


@asynccontextmanager
async def graph() -> AsyncIterator[Desk]:
    async with desk(Account(app_secret=SECRET), TurnedClock()) as sitting:
        sitting.account.add_token("EAAold", issued_at=NOW - 50 * DAY_S, expires_at=NOW + 10 * DAY_S)
        sitting.account.add_token("EAAdead", is_valid=False)
        yield sitting


@asynccontextmanager
async def answering(status: int, text: str) -> AsyncIterator[str]:
    """Something that answers so, whatever it is asked."""

    async def answer(_: web.BaseRequest) -> web.Response:
        return web.Response(status=status, text=text, headers={"Location": "http://127.0.0.1:1/"})

    runner = web.ServerRunner(web.Server(answer), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def why_not(office: TokenDesk, token: str = OLD) -> RenewalError:
    with pytest.raises(RenewalError) as raised:
        await office.renew(token)
    return raised.value


async def test_what_meta_knows_of_a_token() -> None:
    async with graph() as sitting:
        office = asking(sitting.emulator.url)
        assert await office.look("EAAold") == TokenFacts(
            True, "SYSTEM_USER", "1234567890", NOW + 10 * DAY_S, NOW - 50 * DAY_S
        )
        assert not (await office.look("EAAdead")).is_valid
        assert not (await office.look("EAAnobodys")).is_valid


@pytest.mark.parametrize("secrets", [(), ("wrong",), ("wrong", SECRET)])
async def test_a_token_may_ask_about_itself(secrets: tuple[str, ...]) -> None:
    """Without the app's secret, or with a wrong one, the day on which it ends is known as well."""
    async with graph() as sitting:
        office = asking(sitting.emulator.url, secrets=secrets)
        assert (await office.look("EAAold")).expires_at == NOW + 10 * DAY_S
        assert not (await office.look("EAAdead")).is_valid


async def test_a_fresh_one() -> None:
    async with graph() as sitting:
        office = asking(sitting.emulator.url, secrets=("the one from before", SECRET))
        fresh = await office.renew("EAAold")
        assert fresh.lasts_s == SIXTY_DAYS_S
        assert sitting.account.tokens[fresh.token].expires_at == NOW + 60 * DAY_S
        assert sitting.account.tokens["EAAold"].is_valid, "the old one goes on"
        assert fresh.token not in f"{fresh!r} {fresh}"
        assert fresh == Fresh(fresh.token, SIXTY_DAYS_S)


async def test_why_there_is_none() -> None:
    async with graph() as sitting:
        url = sitting.emulator.url
        wrong = await why_not(asking(url, secrets=("wrong", "as wrong")))
        assert (wrong.code, wrong.is_of_app) == (1, True)
        assert wrong.reason.startswith("does not take the app's id with its secret (code 1")
        stranger = await why_not(asking(url, app_id="99"))
        assert (stranger.code, stranger.is_of_app) == (101, True)
        dead = await why_not(asking(url, secrets=(SECRET, "never asked with")), "EAAdead")
        assert (dead.code, dead.is_of_token) == (190, True)
        assert dead.reason.startswith("refused: the access token has expired or was withdrawn")
        for office in (asking(url, app_id=None), asking(url, secrets=())):
            assert not office.can_renew
            assert "not given" in (await why_not(office)).reason
        assert len(sitting.account.tokens) == 2


@pytest.mark.parametrize(
    ("status", "said", "reason"),
    [
        (502, "<html>", "did not answer; something in front of it said 502"),
        (302, "", "did not answer; something in front of it said 302"),
        (200, "not json", "did not answer; something in front of it said 200"),
        (200, "[]", "did not answer; something in front of it said 200"),
        (200, '{"access_token": ""}', "answered without a token that could be used"),
        (200, '{"access_token": "a b"}', "answered without a token that could be used"),
        (200, '{"access_token": "a\\nb"}', "answered without a token that could be used"),
        (200, '{"access_token": 5}', "answered without a token that could be used"),
        (200, '{"data": {}}', "answered without a token that could be used"),
    ],
)
async def test_what_is_no_answer_of_graphs(status: int, said: str, reason: str) -> None:
    async with answering(status, said) as url:
        assert (await why_not(asking(url))).reason == reason
        with pytest.raises(RenewalError):
            await asking(url).look("EAAold")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"is_valid": True}, TokenFacts(True)),
        (
            {"is_valid": True, "expires_at": -5, "type": "a b", "app_id": 7},
            TokenFacts(True, "", "7"),
        ),
        ({"is_valid": True, "expires_at": "soon", "issued_at": True}, TokenFacts(True)),
        ({"is_valid": True, "expires_at": 1e300}, TokenFacts(True)),
        ({"is_valid": True, "expires_at": 5.0, "app_id": None}, TokenFacts(True, expires_at=5)),
    ],
)
async def test_odd_facts(data: dict[str, object], expected: TokenFacts) -> None:
    async with answering(200, json.dumps({"data": data})) as url:
        assert await asking(url).look("EAAold") == expected


async def test_how_long_it_lasts_may_be_left_out() -> None:
    async with answering(200, '{"access_token": "EAAx"}') as url:
        assert await asking(url).renew("EAAold") == Fresh("EAAx", 0)


async def test_nobody_is_there_and_nothing_secret_is_told() -> None:
    error = await why_not(asking("http://127.0.0.1:1"))
    assert error.reason == "could not be reached"
    assert error.__cause__ is None
    assert error.__suppress_context__
    assert "EAAold" not in f"{error!r} {error}"
