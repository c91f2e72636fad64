"""A run of ``init``: ask or take what is given, write all of it or nothing, say what comes next."""

import contextlib
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from openparallax import config
from openparallax.app.plugins import engine_catalog, stage_catalog
from openparallax.app.settings import load
from openparallax.app.setup import ending, existing, places, terminal
from openparallax.app.setup.answers import HARMLESS, Answers, Offers
from openparallax.app.setup.dialogue import Dialogue
from openparallax.app.setup.engines import Engines
from openparallax.app.setup.existing import Existing
from openparallax.app.setup.files import Files
from openparallax.app.setup.meta import Number
from openparallax.app.setup.plan import Layout, Plan, make
from openparallax.app.setup.terminal import Ended, Terminal
from openparallax.app.setup.unattended import settle
from openparallax.config import Settings
from openparallax.config.places import state_file
from openparallax.errors import ConfigError, Refusal

_INTERRUPTED: Final = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line says.

    Attributes:
        config: None: found, or the usual place.
        given: Values of options.
        is_system: Lay it out for the system's service.
        is_offline: Ask neither Meta nor the engine's provider.
        asks_nobody: ``--yes``.
        as_json: Print one document.
    """

    config: Path | None
    given: Answers = field(repr=False)
    is_system: bool = False
    is_offline: bool = False
    asks_nobody: bool = False
    as_json: bool = False


def run(wanted: Wanted, environment: Mapping[str, str]) -> int:
    """Do it; the exit code.

    Raises:
        ConfigError: What is there already cannot be read, and nobody can be asked about it.
        Refusal: Something is missing or wrong (2, 1); nothing was written.
        StartError: It cannot be written; nothing was.
    """
    layout = places.choose(wanted.config, environment, is_system=wanted.is_system)
    places.see(layout)
    engines = Engines(engine_catalog(), environment)
    if wanted.asks_nobody or wanted.as_json or not terminal.is_there():
        there = existing.read(layout.config)
        if there is not None and not wanted.asks_nobody:
            raise Refusal(
                f"{layout.config} is there already; --yes changes it, and keeps a copy beside it"
            )
        offers = _offers(there, layout, environment, {})
        settled = settle(
            wanted.given,
            offers,
            engines,
            is_offline=wanted.is_offline,
            how_to_ask=(
                "On a terminal, without --yes and --json, openparallax init asks for all of it."
            ),
        )
        outcome = _write(settled.answers, settled.number, offers, there, layout, environment)
        outcome.warnings[:0] = settled.warnings
        outcome.examine(environment, is_offline=wanted.is_offline)
        ending.tell(outcome, as_json=wanted.as_json)
        return 0
    return _converse(wanted, layout, engines, environment)


def _converse(
    wanted: Wanted, layout: Layout, engines: Engines, environment: Mapping[str, str]
) -> int:
    screen = Terminal()
    state = state_file(environment)
    left = state.with_name("init.json") if state else None
    dialogue: Dialogue | None = None
    try:
        with _interruptible():
            there = _see_what_is_there(screen, layout)
            offers = _offers(there, layout, environment, existing.left_behind(left))
            dialogue = Dialogue(screen, wanted.given, offers, engines, is_offline=wanted.is_offline)
            answers = dialogue.run()
            plan = _plan(answers, dialogue.number, offers, there, layout)
            _confirm(screen, plan, layout)
    except (KeyboardInterrupt, Ended):
        screen.say()
        kept = existing.leave(left, _harmless(dialogue)) if dialogue else False
        what = " The ids are remembered for the next time; secrets are not." if kept else ""
        screen.say(f"Nothing was written.{what}", indent=0)
        return _INTERRUPTED
    outcome = _put(plan, answers, offers, layout, environment)
    if left is not None:
        with contextlib.suppress(OSError):
            left.unlink()
    with screen.waiting("the doctor looks at it"):
        outcome.examine(environment, is_offline=wanted.is_offline)
    ending.tell(outcome, as_json=False)
    return 0


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Let a request to end be an interrupt: the terminal must not stay as it is while it hides."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, signal.default_int_handler) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _harmless(dialogue: Dialogue) -> dict[str, str]:
    return {name: str(getattr(dialogue.answers, name)) for name in HARMLESS}


def _offers(
    there: Existing | None,
    layout: Layout,
    environment: Mapping[str, str],
    left: Mapping[str, str],
) -> Offers:
    return existing.offers(there, layout.config, environment, left, credentials=layout.credstore)


def _see_what_is_there(screen: Terminal, layout: Layout) -> Existing | None:
    screen.as_it_is("OpenParallax: connecting a WhatsApp business number", indent=0)
    screen.say()
    try:
        there = existing.read(layout.config)
    except ConfigError as error:
        screen.say(f"{layout.config} is there, and cannot be read as settings:", indent=0)
        for problem in error.problems:
            screen.say(problem)
        if not screen.confirm("Begin a new one? (what is there is kept beside it)", is_usual=False):
            raise Ended from None
        there = None
    if there is not None:
        screen.say(
            f"{layout.config} is there. Its values stand in brackets, and Enter keeps them; what"
            " you do not touch stays as it is, and a copy of the file is kept.",
            indent=0,
        )
    else:
        screen.say(
            f"Six questions or so, in the order of Meta's pages, and {layout.config} is written."
            ' If you have no app or number at Meta yet: README, "Connecting a real number", steps 1'
            " to 4.",
            indent=0,
        )
    screen.say(
        "Nothing is written before the last answer; Ctrl-C leaves everything as it is.", indent=0
    )
    return there


def _plan(
    answers: Answers,
    number: Number | None,
    offers: Offers,
    there: Existing | None,
    layout: Layout,
) -> Plan:
    about = f"{number.shown} {number.name}".strip() if number else ""
    return make(
        answers,
        offers,
        there,
        layout,
        about=about,
        catalogs=(engine_catalog(), stage_catalog()),
    )


def _confirm(screen: Terminal, plan: Plan, layout: Layout) -> None:
    """Raise `Ended` where it is not to be written."""
    screen.heading("That is all")
    rows = [str(layout.config), *(f"{path}  (secret)" for path in plan.secrets)]
    screen.say("These files are written, for you alone to read:")
    screen.as_it_is("\n".join(rows), indent=5)
    if not plan.keeps_comments:
        screen.say(
            "The file is laid out in a way that cannot be changed in place: all its settings stay,"
            " its comments only in the copy."
        )
    if not screen.confirm("Write them?", is_usual=True):
        raise Ended


def _write(
    answers: Answers,
    number: Number | None,
    offers: Offers,
    there: Existing | None,
    layout: Layout,
    environment: Mapping[str, str],
) -> ending.Outcome:
    plan = _plan(answers, number, offers, there, layout)
    return _put(plan, answers, offers, layout, environment)


def _put(
    plan: Plan,
    answers: Answers,
    offers: Offers,
    layout: Layout,
    environment: Mapping[str, str],
) -> ending.Outcome:
    """Write, and see that ``check`` takes it; else all is as it was."""
    surroundings = dict(environment)
    if layout.credstore is not None:
        surroundings["CREDENTIALS_DIRECTORY"] = str(layout.credstore)
    loaded: list[Settings] = []
    doubts: list[str] = []

    def check() -> None:
        try:
            loaded.append(load(layout.config, environment=surroundings))
        except ConfigError as error:
            if plan.is_new:
                raise
            # What is wrong was so before: a variable of the service, say, that is not set here.
            doubts.extend(error.problems)

    files = Files(*plan.files)
    files.put(check)
    kept = offers.secrets.get("verify_token")
    return ending.Outcome(
        config=layout.config,
        secrets=plan.secrets,
        copies=files.copies,
        public_url=answers.public_url,
        webhook_path=offers.webhook_path,
        webhook_port=answers.webhook_port or offers.webhook_port,
        verify_token=answers.verify_token or (kept.value if kept else ""),
        is_of_system=layout.credstore is not None,
        is_found=config.search(environment) == layout.config,
        settings=loaded[0] if loaded else None,
        warnings=doubts,
    )
