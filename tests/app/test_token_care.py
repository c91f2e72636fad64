"""Tokens that end: refreshed in time, kept, and taken into use; and what is told where not."""

import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from openparallax import config, logs
from openparallax.app.care import Means
from openparallax.app.plugins import engine_catalog, stage_catalog
from openparallax.app.renewing import Renewing
from openparallax.config import Settings
from openparallax.config.kept import KeptTokens
from openparallax.emulator.account import Account, Token
from openparallax.metrics import Metrics
from openparallax.trail import Note, Step
from tests.app.patience import until
from tests.emulator.graph.desk import Desk, desk
from tests.fakes.clock import TurnedClock

DAY_S = 86_400
NOW = 1_790_000_000
SECRET = "0123456789abcdef"
NUMBER = "1234567890123456"
FILE = """\
channels:
  whatsapp:
    phone_number_id: "{number}"
    access_token: {token}
    app_secret: {secret}
    app_id: {app_id}
    verify_token: verify
    allowed_numbers: ["+1234567890"]
    graph_api_url: {url}
    accounts: {accounts}
engine: {{type: echo}}
storage: {{url: "sqlite:///openparallax.db"}}
"""


class Charge:
    """Tokens in the care of a house, beside Graph and on a clock that is turned."""

    def __init__(self, sitting: Desk, clock: TurnedClock, folder: Path) -> None:
        self.sitting = sitting
        self.clock = clock
        self.folder = folder
        self.log = io.StringIO()
        self.metrics = Metrics()
        self.swapped: list[str] = []
        self.problems: tuple[str, ...] = ()
        self.says: dict[str, Any] = {}
        self.renewing: Renewing | None = None

    @property
    def account(self) -> Account:
        return self.sitting.account

    @property
    def settings(self) -> Settings:
        said = {
            "number": NUMBER,
            "token": "EAAold",
            "secret": SECRET,
            "app_id": '"1234567890"',
            "accounts": "[]",
            "url": self.sitting.emulator.url,
            **self.says,
        }
        file = self.folder / "config.yaml"
        file.write_text(FILE.format(**said))
        return config.load(file, environment={}, engines=engine_catalog(), stages=stage_catalog())

    def token(self, days_left: float, value: str = "EAAold", **more: Any) -> Token:
        """One of sixty days of which so many are left."""
        ends = int(self.clock.now() + days_left * DAY_S)
        return self.account.add_token(value, expires_at=ends, issued_at=ends - 60 * DAY_S, **more)

    def begin(self, **says: Any) -> Renewing:
        self.says |= says
        self.kept = KeptTokens(self.folder / "openparallax.db.tokens")
        settings = self.settings

        async def swap() -> tuple[str, ...]:
            settings = self.kept.put_in(self.settings)
            self.swapped.append(settings.whatsapp.access_token.get_secret_value())
            return self.problems

        means = Means(
            self.kept,
            swap,
            self.clock,
            logs.configure(level="debug", stream=self.log),
            self.metrics,
        )
        self.renewing = Renewing(means, configured=lambda: settings)
        self.renewing.start()
        return self.renewing

    async def again(self, **says: Any) -> Renewing:
        """Another process, after this one."""
        await self.end()
        return self.begin(**says)

    async def end(self) -> None:
        if self.renewing is not None:
            await self.renewing.stop()

    @property
    def fresh(self) -> list[str]:
        """Tokens that Meta gave."""
        return [one for one in self.account.tokens if len(one) > 100]

    def asked(self, what: str) -> int:
        return sum(what in one.path for one in self.sitting.emulator.wire.exchanges)

    async def looked(self, count: int) -> None:
        """The token was asked about so often, and what follows has been done."""
        await until(lambda: self.asked("debug_token") >= count)
        await self.rested()

    async def rested(self) -> None:
        """What is under way has been done."""
        assert self.renewing is not None
        cares = self.renewing._cares.values()
        await until(lambda: all(care._wake._waiters for care in cares))

    async def days(self, count: int) -> None:
        for _ in range(count):
            before = self.asked("debug_token")
            await self.clock.turn(DAY_S)
            await self.looked(before + 1)

    async def swapped_so_often(self, count: int) -> None:
        await until(lambda: len(self.swapped) == count)

    async def told(self, event: str, count: int) -> None:
        await until(lambda: len(self.lines(event)) >= count)

    def lines(self, event: str) -> list[dict[str, Any]]:
        found = [json.loads(line) for line in self.log.getvalue().splitlines()]
        return [one for one in found if one["event"] == event]

    @property
    def state(self) -> Any:
        assert self.renewing is not None
        return self.renewing.state_of(NUMBER)


@pytest_asyncio.fixture
async def charge(tmp_path: Path) -> AsyncIterator[Charge]:
    clock = TurnedClock()
    async with desk(Account(app_secret=SECRET), clock) as sitting:
        made = Charge(sitting, clock, tmp_path)
        yield made
        await made.end()
        written = made.log.getvalue()
        assert not [one for one in (*made.account.tokens, SECRET) if one in written]


async def test_it_is_refreshed_when_a_quarter_of_its_life_is_left(charge: Charge) -> None:
    charge.token(60)
    charge.begin()
    await charge.looked(1)
    assert (charge.state.is_refreshed, charge.state.is_valid) == (True, True)
    await charge.days(44)
    assert (charge.fresh, charge.swapped) == ([], [])
    await charge.days(1)
    await until(lambda: bool(charge.swapped))
    await charge.rested()
    assert charge.swapped == charge.fresh
    assert charge.account.tokens["EAAold"].is_valid
    assert charge.state.expires_at == NOW + 105 * DAY_S
    assert charge.state.refreshed_at == NOW + 45 * DAY_S
    assert charge.metrics.value("token_refreshes", "done") == 1
    assert charge.lines("token_refreshed")[0]["seconds"] == 60 * DAY_S
    # And so for ever: the configured one has long ended.
    for round_ in (2, 3):
        await charge.days(45)
        await charge.swapped_so_often(round_)
        await charge.rested()
    assert charge.swapped == charge.fresh
    assert len(charge.fresh) == 3


async def test_at_a_start_that_comes_late_and_never_twice(charge: Charge) -> None:
    charge.token(3)
    charge.begin()
    await until(lambda: bool(charge.swapped))
    await charge.rested()
    await charge.again()
    await charge.looked(charge.asked("debug_token"))
    await charge.days(2)
    assert len(charge.fresh) == 1
    assert (
        charge.kept.put_in(charge.settings).whatsapp.access_token.get_secret_value()
        == (charge.fresh[0])
    )


async def test_numbers_with_one_token_share_what_comes_of_it(charge: Charge) -> None:
    charge.token(3)
    charge.token(4, "EAAother")
    accounts = '[{phone_number_id: "2"}, {phone_number_id: "3", access_token: EAAother}]'
    renewing = charge.begin(accounts=accounts)
    await until(lambda: len(charge.swapped) == 2)
    assert len(charge.fresh) == 2
    assert {one.accounts for one in renewing.states()} == {(NUMBER, "2"), ("3",)}
    assert renewing.ends() == dict.fromkeys((NUMBER, "2", "3"), NOW + 60.0 * DAY_S)


async def test_what_fails_is_tried_again_less_and_less_often(charge: Charge) -> None:
    charge.token(15)
    charge.begin(secret="wrong")
    await until(lambda: bool(charge.lines("token_not_refreshed")))
    waits = []
    for count in range(1, 14):
        told = charge.lines("token_not_refreshed")
        assert len(told) == count
        waits.append(told[-1]["wait_s"])
        await charge.rested()
        await charge.clock.turn(told[-1]["wait_s"])
        await charge.told("token_not_refreshed", count + 1)
    assert waits[:4] == [60, 120, 240, 480]
    assert set(waits[9:]) == {6 * 3600}
    first = charge.lines("token_not_refreshed")[0]
    assert (first["level"], first["code"], first["account"]) == ("warning", 1, NUMBER)
    assert "app's id with its secret" in first["reason"]
    assert "app's id with its secret" in charge.state.trouble
    assert charge.state.is_valid, "it is known by asking with the token itself"
    # With days left it is nobody's last moment; with less than a week it is an error.
    while charge.state.expires_at - charge.clock.now() >= 7 * DAY_S:
        count = len(charge.lines("token_not_refreshed"))
        await charge.rested()
        await charge.clock.turn(6 * 3600)
        await charge.told("token_not_refreshed", count + 1)
    assert charge.lines("token_not_refreshed")[-1]["level"] == "error"
    assert charge.metrics.value("token_refreshes", "failed") > 13
    # Somebody mends the secret: that is not waited for.
    charge.says["secret"] = SECRET
    settings = charge.settings
    assert charge.renewing is not None
    charge.renewing._configured = lambda: settings
    charge.renewing.follow()
    await until(lambda: bool(charge.swapped))
    assert charge.state.trouble == ""


async def test_nobody_is_there_for_a_while(charge: Charge) -> None:
    """Graph is away: told once, and asked again; nothing is refused or dropped for it."""
    charge.token(10)
    charge.begin(url="http://127.0.0.1:1")
    for _ in range(4):
        await charge.rested()
        await charge.clock.turn(600)
    told = charge.lines("token_not_known")
    assert [one["reason"] for one in told] == ["could not be reached"]
    assert (charge.state.is_valid, charge.state.expires_at) == (None, None)
    assert charge.swapped == []


async def test_a_kept_one_is_refreshed_even_if_nothing_is_said_of_it(charge: Charge) -> None:
    """`debug_token` may be refused to an app that may well exchange its tokens."""
    charge.token(3)
    charge.begin()
    await until(lambda: bool(charge.swapped))
    await charge.rested()
    charge.account.app_id = "999"  # whoever asks about it now is told nothing
    charge.account.tokens[charge.fresh[0]].app_id = "999"
    await charge.again()
    await charge.rested()
    assert charge.state.expires_at == NOW + 60 * DAY_S
    assert charge.swapped == charge.fresh


async def test_a_refreshed_one_that_is_withdrawn_gives_way(charge: Charge) -> None:
    """The configured one is used again where it is still good; and there is one more exchange."""
    charge.token(3)
    renewing = charge.begin()
    await until(lambda: bool(charge.swapped))
    await charge.rested()
    charge.account.tokens[charge.fresh[0]].is_valid = False
    # Sending is paused: it is not waited for until tomorrow.
    await charge.clock.turn(700)
    renewing.hear(Note(0.0, Step.PAUSED, account="4711", code=190))
    renewing.hear(Note(0.0, Step.PAUSED, account=NUMBER, code=131042))
    assert not charge.lines("token_dropped")
    renewing.hear(Note(0.0, Step.PAUSED, account=NUMBER, code=190))
    await until(lambda: len(charge.swapped) == 3)
    assert charge.swapped == [charge.fresh[0], "EAAold", charge.fresh[1]]
    assert [one["level"] for one in charge.lines("token_dropped")] == ["warning"]


async def test_it_is_asked_again_at_most_every_ten_minutes(charge: Charge) -> None:
    charge.token(30)
    renewing = charge.begin()
    await charge.looked(1)
    for _ in range(21):
        renewing.hear(Note(0.0, Step.PAUSED, account=NUMBER, code=190))
        await charge.clock.turn(60)
        await charge.rested()
    assert charge.asked("debug_token") == 3


async def test_a_configured_one_that_is_withdrawn_is_told(charge: Charge) -> None:
    charge.token(30, is_valid=False)
    charge.begin()
    await until(lambda: bool(charge.lines("token_refused")))
    await charge.rested()
    assert "Meta takes the token no more" in charge.state.trouble
    assert charge.lines("token_refused")[0]["level"] == "error"
    assert charge.fresh == []


@pytest.mark.parametrize(
    ("more", "says", "hint"),
    [
        ({}, {"app_id": "null"}, "give app_id and app_secret"),
        ({"kind": "USER"}, {}, "not a System User's"),
    ],
)
async def test_one_that_nobody_can_refresh_is_told_once_a_day(
    charge: Charge, more: dict[str, Any], says: dict[str, Any], hint: str
) -> None:
    charge.token(17, **more)
    charge.begin(**says)
    await charge.looked(1)
    assert not charge.lines("token_ends")
    assert not charge.state.is_refreshed
    await charge.days(12)
    told = charge.lines("token_ends")
    assert [round(one["seconds"] / DAY_S) for one in told] == list(range(15, 4, -1))
    assert {one["level"] for one in told} == {"warning", "error"}
    assert hint in told[0]["hint"]
    assert hint in charge.state.trouble
    assert charge.fresh == []


async def test_one_that_never_ends_is_looked_at_once_a_day(charge: Charge) -> None:
    charge.account.add_token("EAAold")
    renewing = charge.begin()
    await charge.looked(1)
    await charge.days(3)
    assert charge.asked("debug_token") == 4
    assert renewing.ends() == {NUMBER: 0.0}
    assert charge.log.getvalue() == ""


async def test_a_full_disk_loses_no_token(charge: Charge, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is used from memory, told, and written as soon as there is room: not exchanged again."""
    charge.token(3)
    with monkeypatch.context() as patched:

        def refuse(_number: int) -> None:
            raise OSError(28, "No space left on device")

        patched.setattr("os.fsync", refuse)
        charge.begin()
        await until(lambda: bool(charge.swapped))
        await charge.rested()
        assert charge.swapped == charge.fresh
        assert charge.lines("token_not_kept")[0]["reason"] == "No space left on device"
        assert "could not be kept" in charge.state.trouble
    await charge.clock.turn(60)
    await until(lambda: charge.kept.is_saved)
    await charge.again()
    await charge.rested()
    assert charge.swapped == charge.fresh
    assert charge.state.refreshed_at == NOW


async def test_a_token_that_meta_does_not_take_itself_is_not_taken(
    charge: Charge, monkeypatch: pytest.MonkeyPatch
) -> None:
    charge.token(3)
    add = charge.account.add_token

    def add_dead(value: str, **details: Any) -> Token:
        return add(value, **{**details, "is_valid": False})

    monkeypatch.setattr(Account, "add_token", lambda _, value, **more: add_dead(value, **more))
    charge.begin()
    await until(lambda: bool(charge.lines("token_not_refreshed")))
    assert "does not take itself" in charge.lines("token_not_refreshed")[0]["reason"]
    assert charge.swapped == []
    assert not charge.kept.path.exists()


async def test_another_token_is_configured(charge: Charge) -> None:
    """The one from before is looked after no more, and not forgotten before its time."""
    charge.token(3)
    charge.token(50, "EAAnew")
    renewing = charge.begin()
    await until(lambda: bool(charge.swapped))
    await charge.rested()
    charge.says["token"] = "EAAnew"
    settings = charge.settings
    renewing._configured = lambda: settings
    renewing.follow()
    await charge.looked(3)
    await until(lambda: charge.state.expires_at == NOW + 50 * DAY_S)
    assert len(renewing.states()) == 1
    assert charge.state.refreshed_at is None
    await charge.days(30)
    assert charge.kept.of("EAAold") is not None
    await charge.days(32)
    renewing.follow()
    await charge.days(1)
    assert charge.kept.of("EAAold") is None
    assert len(KeptTokens(charge.kept.path)._kept) == 1


async def test_what_is_damaged_is_told_and_the_configured_one_used(charge: Charge) -> None:
    charge.token(3)
    (charge.folder / "openparallax.db.tokens").write_text("{")
    charge.begin()
    assert charge.lines("tokens_not_read")[0]["reason"] == "it is damaged"
    await until(lambda: bool(charge.swapped))
    assert charge.swapped == charge.fresh


async def test_a_new_token_of_a_file_is_tried_out(charge: Charge) -> None:
    charge.token(50)
    charge.token(60, "EAAnext")
    renewing = charge.begin()
    await charge.looked(1)
    for token, refused in (("EAAold", []), ("EAAnext", []), ("EAAne", [NUMBER])):
        charge.says["token"] = token
        assert await renewing.refused_of(charge.settings) == refused
    # Where the one in use is good no more, or Meta says nothing, a new one is taken as it is.
    charge.state.is_valid = False
    assert await renewing.refused_of(charge.settings) == []
    charge.state.is_valid = True
    charge.says["url"] = "http://127.0.0.1:1"
    assert await renewing.refused_of(charge.settings) == []
