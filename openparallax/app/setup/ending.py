"""The last words of ``init``: what was written, what to paste at Meta, what comes next."""

import contextlib
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import click

from openparallax.app.doctor import examine
from openparallax.app.setup.terminal import Terminal
from openparallax.app.setup.word import Level, Word
from openparallax.config import Settings
from openparallax.doctor.finding import Group, Report, is_bad
from openparallax.doctor.finding import Level as Found

FIELDS: Final = ("messages",)
"""Of the webhook: without it nothing arrives. The README names those that are good to have."""

_COME_LATER: Final = frozenset({Group.WEBHOOK, Group.OUTSIDE})
"""What cannot be right before the steps that are still to be done."""
_DAEMON: Final = "machine.daemon"
_RUNS: Final = frozenset({Found.OK, Found.FAILURE})


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What a run has led to.

    Attributes:
        copies: What was replaced: place -> its copy.
        public_url: "" where it is not known yet.
        verify_token: "" where it cannot be read from here.
        is_found: Commands find the configuration without being told where it is.
        settings: None where the file cannot be used yet; ``warnings`` say why.
        doctor: What the doctor found; None: it was not asked.
    """

    config: Path
    secrets: tuple[Path, ...]
    copies: Mapping[Path, Path]
    public_url: str
    webhook_path: str
    webhook_port: int
    verify_token: str = field(repr=False)
    is_of_system: bool
    is_found: bool
    settings: Settings | None = field(repr=False)
    warnings: list[str]
    doctor: Report | None = None

    @property
    def callback_url(self) -> str:
        """What is pasted at Meta."""
        base = self.public_url or "https://YOUR.DOMAIN"
        known = self.settings.whatsapp.callback_url if self.settings else None
        return known or f"{base}{self.webhook_path}"

    @property
    def is_running(self) -> bool:
        """A daemon has this configuration's database, as far as the doctor can tell."""
        found = self.doctor.findings if self.doctor else ()
        return any(one.check == _DAEMON and one.level in _RUNS for one in found)

    def examine(self, environment: Mapping[str, str], *, is_offline: bool) -> None:
        """Have the doctor look at it, where there is something to look at."""
        if self.settings is None:
            return
        # Whoever does not want to wait for it still gets to see what to do next.
        with contextlib.suppress(KeyboardInterrupt):
            self.doctor = examine(self.settings, environment, is_offline=is_offline)

    def as_data(self) -> dict[str, Any]:
        """Plain data for ``--json``."""
        return {
            "configuration": str(self.config),
            "secrets": [str(path) for path in self.secrets],
            "copies": {str(path): str(copy) for path, copy in self.copies.items()},
            "callback_url": self.callback_url if self.public_url else None,
            "verify_token": self.verify_token or None,
            "webhook_fields": list(FIELDS),
            "warnings": [*self.warnings, *(self.settings.warnings if self.settings else ())],
            "doctor": self.doctor.as_data() if self.doctor else None,
        }


def tell(outcome: Outcome, *, as_json: bool) -> None:
    """Say all of it."""
    if as_json:
        click.echo(json.dumps(outcome.as_data(), indent=2))
        return
    screen = Terminal()
    screen.heading("Written")
    screen.as_it_is(str(outcome.config))
    for path in outcome.secrets:
        screen.as_it_is(str(path))
    for path, copy in outcome.copies.items():
        screen.as_it_is(f"{copy}  (what {path.name} was before)")
    for warning in outcome.warnings:
        screen.note(warning)
    if outcome.doctor is None:
        for warning in outcome.settings.warnings if outcome.settings else ():
            screen.note(warning)
    else:
        _tell_report(screen, outcome.doctor)
    _tell_webhook(screen, outcome)
    _tell_next(screen, outcome)


def _tell_report(screen: Terminal, report: Report) -> None:
    """What is wrong already, without what the steps to come will mend."""
    screen.heading("What the doctor says")
    for one in report.findings:
        is_to_come = one.group in _COME_LATER or one.check == _DAEMON
        if is_to_come or not is_bad(one):
            continue
        level = Level.ODD if one.level is Found.WARNING else Level.WRONG
        screen.word(Word(level, " ".join(filter(None, (one.says, one.to_do)))))
        if one.command and not one.command.startswith("openparallax doctor"):  # a step below
            screen.as_it_is(one.command, indent=5)
    screen.word(
        Word(
            Level.WELL,
            f"{report.count(Found.OK)} things are well. openparallax doctor shows all of it,"
            " and, after the steps below, webhook and public address too.",
        )
    )


def _tell_webhook(screen: Terminal, outcome: Outcome) -> None:
    screen.heading("To paste at Meta: your app, Use cases, Customize, Configuration")
    screen.as_it_is(f"Callback URL   {outcome.callback_url}")
    token = outcome.verify_token or "the one that you have (it cannot be read from here)"
    screen.as_it_is(f"Verify token   {token}")
    screen.as_it_is(f"Webhook field  {', '.join(FIELDS)}: Subscribe")
    screen.say(
        "Verify and save only once the daemon runs and can be reached: Meta asks it at once. The"
        " verify token is shown here because it has to be pasted; it lets nobody in."
    )


def _tell_next(screen: Terminal, outcome: Outcome) -> None:
    named = "" if outcome.is_found else f" -c {shlex.quote(str(outcome.config))}"
    way_in = f"Have {outcome.callback_url} lead to http://127.0.0.1:{outcome.webhook_port}."
    if not outcome.public_url:
        way_in += " Then run init again for the address, or write it behind public_url."
    start = ("Start it:", f"openparallax serve{named}")
    if outcome.is_running:
        start = ("Have the running daemon take it over:", f"openparallax reload{named}")
    elif outcome.is_of_system:
        start = ("Install and start it as a service:", "sudo openparallax service install")
    steps = [
        start,
        (way_in, ""),
        ("Paste the three lines above at Meta, Verify and save.", ""),
        (
            "Subscribe the app to the account, and see what is missing:",
            f"openparallax doctor --fix{named}",
        ),
        ("Keep it running:", f"openparallax service install --user{named}"),
    ]
    if outcome.is_of_system or outcome.is_running:
        steps.pop()
    screen.heading("Next, in this order")
    for number, (about, command) in enumerate(steps, start=1):
        screen.say(f"{number}. {about}", hanging=3)
        if command:
            screen.as_it_is(command, indent=6)
