"""What is plugged in: the engines and stages of the configuration, and who answers in each mode."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from openparallax.app.plugins import load_engine, load_stages
from openparallax.config import EngineChoice, Settings, StageChoice
from openparallax.dispatch.answering import Answering
from openparallax.errors import ConfigError
from openparallax.model.session import Mode
from openparallax.model.turn import Reply, Turn
from openparallax.pipeline import Engine, EngineError, Next, Stage, compose
from openparallax.plugin import Tools


@dataclass(frozen=True, slots=True)
class Half:
    """What is plugged in for one mode, and by which choices of the configuration."""

    engine_choice: EngineChoice
    engine: Engine
    stage_choices: tuple[StageChoice, ...]
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class Plugged:
    """Both halves, and what they come to.

    Attributes:
        answerers: Who answers, by mode.
        keepers: Who of those off the record keeps content.
    """

    on: Half
    off: Half
    answerers: dict[Mode, Answering]
    keepers: tuple[str, ...]

    @property
    def closables(self) -> list[object]:
        """Every engine and stage, once."""
        halves = (self.on, self.off)
        every = [one for half in halves for one in (half.engine, *half.stages)]
        return list({id(one): one for one in every}.values())

    def made_beside(self, before: "Plugged | None") -> list[object]:
        """What is in this one and not in ``before``."""
        known = {id(one) for one in before.closables} if before else set()
        return [one for one in self.closables if id(one) not in known]


class NotPlugged(ConfigError):  # noqa: N818 - a state of things, as its siblings
    """Some could not be made.

    Attributes:
        made: Those that could, to be closed.
    """

    def __init__(self, problems: list[str], made: list[object]) -> None:
        self.made = made
        super().__init__(problems)


def plug(settings: Settings, tools: Tools, before: Plugged | None = None) -> Plugged:
    """Make the engines and stages, and the pipeline of each mode.

    Off the record has an engine or stages of its own only if told so. Where one of them keeps
    content, nobody can go off the record, and who is there already is not answered by it.

    Args:
        settings: Their choices.
        tools: What each is given.
        before: What is in use: those whose choice is the same are taken from it and not made anew,
            so that they keep what they know.

    Raises:
        NotPlugged: One could not be made; every one that could not is named.
    """
    making = _Making(before)
    aside, was_on, was_off = settings.off_the_record, None, None
    if before is not None:
        was_on, was_off = before.on, before.off
    engine = making.engine(settings.engine, tools, was_on)
    stages = making.stages(settings.pipeline, tools, was_on)
    engine_off, stages_off = engine, stages
    if aside.engine is not None:
        was_apart = was_on and was_off and was_off.engine is not was_on.engine
        engine_off = making.engine(aside.engine, tools, was_off if was_apart else None)
    if aside.pipeline is not None:
        was_apart = was_on and was_off and was_off.stages is not was_on.stages
        stages_off = making.stages(aside.pipeline, tools, was_off if was_apart else None)
    if making.problems or engine is None or engine_off is None:
        raise NotPlugged(making.problems, making.made)
    on = Half(settings.engine, engine, settings.pipeline, stages)
    choices_off = settings.pipeline if aside.pipeline is None else aside.pipeline
    off = Half(aside.engine or settings.engine, engine_off, choices_off, stages_off)
    keepers = _keepers(off)
    answer_off = _refuse if keepers else compose(off.stages, off.engine)
    return Plugged(
        on,
        off,
        answerers={
            Mode.ON_THE_RECORD: _answering(on, compose(on.stages, on.engine)),
            Mode.OFF_THE_RECORD: _answering(off, answer_off),
        },
        keepers=keepers,
    )


class _Making:
    """Makes one after the other, and goes on where one cannot be made."""

    def __init__(self, before: Plugged | None) -> None:
        self.problems: list[str] = []
        self.made: list[object] = []
        self._in_use = {id(one) for one in before.closables} if before else set()

    def engine(self, choice: EngineChoice, tools: Tools, before: Half | None) -> Engine | None:
        if before is not None and before.engine_choice == choice:
            return before.engine
        try:
            engine = load_engine(choice, tools)
        except ConfigError as error:
            self.problems += error.problems
            return None
        self._note(engine)
        return engine

    def stages(
        self, choices: Sequence[StageChoice], tools: Tools, before: Half | None
    ) -> tuple[Stage, ...]:
        """A stage that is in its old place stays; the others are made anew."""
        found: list[Stage] = []
        for place, choice in enumerate(choices):
            if before is not None and before.stage_choices[place : place + 1] == (choice,):
                found.append(before.stages[place])
                continue
            try:
                [stage] = load_stages((choice,), tools)
            except ConfigError as error:
                self.problems += error.problems
            else:
                found.append(stage)
                self._note(stage)
        return tuple(found)

    def _note(self, made: object) -> None:
        if id(made) not in self._in_use:
            self.made.append(made)


def _keepers(half: Half) -> tuple[str, ...]:
    found = [half.engine_choice.type] if half.engine.keeps_content else []
    found += [
        choice.name
        for choice, stage in zip(half.stage_choices, half.stages, strict=True)
        if getattr(stage, "keeps_content", False)
    ]
    return tuple(found)


def _answering(half: Half, ask: Next) -> Answering:
    return Answering(
        ask,
        render=_renderer(half.engine),
        engine=half.engine_choice.type,
        lets_go=bool(half.stages) and getattr(half.stages[0], "lets_go", False) is True,
    )


def _renderer(engine: Engine) -> Callable[[str], str]:
    if not engine.writes_markdown:
        return str
    from openparallax.rendering.markdown import render  # noqa: PLC0415 - only if it is needed

    return render


class _KeepsContentError(EngineError):
    """What would answer keeps what is said."""

    notice = "otr_refused"


async def _refuse(turn: Turn) -> Reply:
    del turn
    raise _KeepsContentError
