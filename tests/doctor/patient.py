"""A bot that is well, what can be wrong with it, and the doctor beside it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

from openparallax.doctor.finding import Finding, Level
from openparallax.doctor.graph import Reader
from openparallax.doctor.meta import see_meta
from openparallax.doctor.number import MENU
from openparallax.doctor.subject import Subject, Ward
from openparallax.emulator import Account
from openparallax.emulator.account import Subscription
from tests.emulator.graph.desk import Desk, desk
from tests.fakes.clock import TurnedClock

HOUR_S, DAY_S = 3600, 86_400
OURS = "https://bot.example/webhook"
FOREIGN = "https://other.example/webhook"
TOKEN = "EAAgood" + "0123456789" * 4

COMMANDS = [{"command_name": name, "command_description": says} for name, says in MENU.items()]


@dataclass(slots=True, kw_only=True)
class Patient:
    """What a bot's configuration says, and whom it is at.

    Attributes:
        clock: The bot's own.
    """

    desk: Desk
    clock: TurnedClock
    subject: Subject
    wards: list[Ward] = field(default_factory=list)

    def told(self, **details: Any) -> None:
        """The configuration says something else."""
        self.subject = replace(self.subject, **details)

    @asynccontextmanager
    async def ward(self) -> AsyncIterator[Ward]:
        subject = self.subject
        async with Reader(
            subject.graph_url, subject.version, subject.token, now=self.clock.now
        ) as graph:
            yield Ward(subject, graph, self.clock)

    async def examined(self) -> list[Finding]:
        """What the doctor finds about what Meta knows."""
        async with self.ward() as ward:
            await see_meta(ward)
            return ward.findings

    @property
    def asked(self) -> list[tuple[str, str]]:
        """Method and path of everything that Graph was asked."""
        exchanges = self.desk.emulator.wire.exchanges
        return [(one.method, one.path) for one in exchanges if one.direction == "graph"]


Seed = Callable[[Patient], object]
"""Makes something wrong."""


@asynccontextmanager
async def patient(seed: Seed = lambda _: None) -> AsyncIterator[Patient]:
    """A healthy bot, once ``seed`` was done to it."""
    account = Account(subscription=Subscription(callback_url=OURS))
    account.add_token(TOKEN, target_ids=(account.waba_id,))
    account.numbers[0].automation = {"commands": list(COMMANDS)}
    clock = TurnedClock()
    async with desk(account, clock) as sitting:
        found = Patient(
            desk=sitting,
            clock=TurnedClock(clock.now()),
            subject=Subject(
                place="channels.whatsapp",
                phone_number_id=sitting.number.id,
                token=TOKEN,
                verify_token="my-secret-verify-token",
                app_secrets=(account.app_secret,),
                app_id=account.app_id,
                waba_id=account.waba_id,
                callback_url=OURS,
                graph_url=sitting.emulator.url,
            ),
        )
        seed(found)
        yield found


def wrong(findings: list[Finding]) -> set[str]:
    """The checks that are not well."""
    return {one.check for one in findings if one.level is not Level.OK}


async def diagnosis(seed: Seed) -> list[Finding]:
    """What is not well, once ``seed`` was done to a healthy bot; nothing was changed by looking."""
    async with patient(seed) as found:
        findings = await found.examined()
        assert {method for method, _ in found.asked} <= {"GET"}
        return [one for one in findings if one.level is not Level.OK]


def token(**details: Any) -> Seed:
    """The bot's token is like that."""

    def seed(found: Patient) -> None:
        kept = found.desk.account.tokens[TOKEN]
        for name, value in details.items():
            setattr(kept, name, value(found) if callable(value) else value)

    return seed


def ends_in(seconds: float) -> Seed:
    return token(expires_at=lambda found: int(found.clock.now() + seconds))


def number(**details: Any) -> Seed:
    """What the doctor mends changes this patient, and no seed that others have too."""

    def seed(found: Patient) -> None:
        for name, value in details.items():
            setattr(found.desk.number, name, deepcopy(value))

    return seed


def account(**details: Any) -> Seed:
    def seed(found: Patient) -> None:
        for name, value in details.items():
            setattr(found.desk.account, name, deepcopy(value))

    return seed


def subscription(**details: Any) -> Seed:
    def seed(found: Patient) -> None:
        for name, value in details.items():
            setattr(found.desk.account.subscription, name, deepcopy(value))

    return seed


def told(**details: Any) -> Seed:
    """The configuration says something else."""
    return lambda found: found.told(**details)


def moved(seconds: float) -> Seed:
    """Meta's clock is ahead of the bot's."""
    return lambda found: found.desk.emulator.clock.move(seconds)


def with_the_clock_of_meta(found: Patient) -> None:
    found.clock.jump(found.desk.emulator.clock.now() - found.clock.now())


def both(*seeds: Seed) -> Seed:
    return lambda found: [seed(found) for seed in seeds]


def refusing(value: str) -> Seed:
    """Graph refuses everything with this code."""
    return lambda found: found.desk.emulator.faults.set("refuse_other", value=value)
