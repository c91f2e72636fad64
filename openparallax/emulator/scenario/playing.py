"""Doing what a script says.

An expectation that fails is shown, and the rest is played. A step that could not be *done* (the
daemon does not start, there is no such button) ends the play: what follows would mean nothing; it
is shown as not played.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from openparallax.emulator.daemon_side import DaemonSide
from openparallax.emulator.scenario.house import do
from openparallax.emulator.scenario.matching import text_of
from openparallax.emulator.scenario.script import Outcome, Scenario
from openparallax.emulator.scenario.showing import Style
from openparallax.emulator.scenario.stage import Stage
from openparallax.emulator.scenario.step import differs, every
from openparallax.emulator.scenario.traffic import all_taken
from openparallax.errors import ConfigError

if TYPE_CHECKING:
    from openparallax.emulator.emulator import Emulator

LEFTOVERS = "nothing else comes"


async def play(
    scenario: Scenario,
    emulator: "Emulator",
    daemon: DaemonSide | None,
    *,
    folder: Path | None,
    log: Path | None,
    show: Callable[[str], None],
    style: Style | None = None,
) -> Outcome:
    """Play a scenario.

    Changes the emulator's people, account, rules and ladder as the scenario says; the daemon's
    configuration is the caller's affair. A daemon that does not run is started. May be called once
    for each emulator.

    Args:
        scenario: As `load` made it.
        emulator: Started, and told where the bot listens.
        daemon: None: the bot is somebody else's; a step that needs the daemon is then refused.
        folder: Where the daemon keeps its state; every byte in it is searched.
        log: The daemon's log, searched too.
        show: Given each line, without its end.
        style: Colours and signs; None: what standard output bears.

    Raises:
        ConfigError: A step needs a daemon of ours, and there is none.
    """
    if daemon is None:
        _check_needs(scenario)
    style = style or Style.of(sys.stdout)
    stage = Stage(scenario, emulator, daemon, folder=folder, log=log, show=show, style=style)
    stage.tell(style.title(scenario.title, str(scenario.file)))
    prepare(scenario, emulator)
    try:
        if daemon is not None and daemon.state in ("down", "ended"):
            stage.report("the daemon starts", await do(stage, "start"))
        await stage.perform(scenario.steps)
        if not stage.is_stuck:
            await _look_for_leftovers(stage)
    finally:
        stage.witness.close()
    outcome = Outcome(
        title=scenario.title,
        played=stage.played,
        failures=tuple(stage.failures),
        skipped=stage.skipped,
        duration_s=stage.elapsed_s,
    )
    stage.tell(style.summary(outcome.played, outcome.failures, outcome.skipped, outcome.duration_s))
    return outcome


def prepare(scenario: Scenario, emulator: "Emulator") -> None:
    """Make the emulator's world what the script says it is at first."""
    world = emulator.world
    for person in scenario.people:
        world.add_person(replace(person))
    changes = scenario.account
    number = world.our_number()
    if changes.allow_list is not None:
        people = [emulator.person(key) for key in changes.allow_list]
        number.allow_list = {one.wa_id for one in people if one.wa_id is not None}
    if changes.messages_per_second is not None:
        number.messages_per_second = changes.messages_per_second
    if changes.token_expires_s is not None:
        for token in world.account.tokens.values():
            # As a person's does, in hours; a System User's the daemon would exchange in time.
            token.kind = "USER"
            token.expires_at = int(emulator.clock.now() + changes.token_expires_s)
    for name, is_kept in scenario.rules.items():
        setattr(emulator.rules, name, is_kept)
    if scenario.ladder is not None:
        emulator.statuses.ladder.steps = scenario.ladder


async def _look_for_leftovers(stage: Stage) -> None:
    """An answer that no step asked for is one too many, unless the script allows it."""
    if stage.scenario.allows_leftovers:
        return
    if stage.daemon is None or stage.daemon.state == "up":
        finding = await all_taken(stage, stage.limit_s(None))
        if finding is not None:
            stage.report("all webhooks are taken", finding)
    lines = [
        f"+ {person} heard, and no step asked for it: {text_of(message)}"
        for person in list(stage.witness.answers)
        for message in stage.witness.unheard(person)
    ]
    if lines:
        stage.report(LEFTOVERS, differs(*lines))


def _check_needs(scenario: Scenario) -> None:
    problems = [
        f"{scenario.file}:{step.line}: needs the daemon, and the bot is somebody else's"
        for step in every(scenario.steps)
        if step.needs_daemon
    ]
    if problems:
        raise ConfigError(problems)
