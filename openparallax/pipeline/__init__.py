"""Stages round an engine.

In comes a `Turn`, out goes a `Reply`. A stage is any callable ``(turn, call_next)``; ``call_next``
really nests, so a stage can time, change, catch or replace what happens inside. A turn is frozen: a
stage that changes it passes a changed copy on. There is no bag of values and no application object:
what a stage needs is handed to it when it is made. Dispatch may enter; engines and stages see this
room through `openparallax.plugin`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

from openparallax.errors import OpenParallaxError
from openparallax.model.turn import Reply, Turn

Next = Callable[[Turn], Awaitable[Reply]]


class EngineError(OpenParallaxError):
    """The engine could not answer.

    The person is told with the notice ``engine_failed``; the turn is not run again by itself. The
    text of the exception must not quote anybody's words.

    Attributes:
        usage: Tokens that were spent all the same, by kind; as in `Reply`.
        model: Which model the usage belongs to.
    """

    notice = "engine_failed"

    def __init__(
        self, message: str | None = None, *, usage: Mapping[str, int] | None = None, model: str = ""
    ) -> None:
        super().__init__(message)
        self.usage = usage or {}
        self.model = model


class TooSlow(EngineError):  # noqa: N818 - named for what happened, as TimeoutError is not ours
    """The engine did not answer in its time."""

    notice = "too_slow"


class Stage(Protocol):
    """One layer round the engine.

    Says ``keeps_content``, as an engine does. May have a ``close()``, async or not, which is called
    once in the end and given two seconds.
    """

    async def __call__(self, turn: Turn, call_next: Next) -> Reply:
        """Answer ``turn``, by ``await call_next(turn)`` or instead of it."""
        ...


class Engine(Protocol):
    """What answers."""

    keeps_content: bool
    """True: may not serve off-the-record turns."""
    writes_markdown: bool
    """True: the reply is rendered to WhatsApp's marks before it is sent."""

    async def answer(self, turn: Turn) -> Reply:
        """Answer ``turn``.

        May run twice for one turn after a crash; ``turn.id`` is then the same. Cancelled when its
        time is over or the daemon stops.

        Raises:
            EngineError: It cannot answer; the person is told.
        """
        ...

    async def close(self) -> None:
        """Let go of connections; called once, when no turn runs."""
        ...


def compose(stages: Sequence[Stage], engine: Engine) -> Next:
    """Fold ``stages`` round ``engine``, the first one outermost."""
    run: Next = engine.answer
    for stage in reversed(stages):
        run = partial(stage, call_next=run)
    return run
