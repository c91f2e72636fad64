"""The configuration read anew, and all of it that may change swapped in while the house runs.

Reading, checking and making come first, and beside everything else: the file is read in a thread,
and what is made of it is in no use yet. Then all of it takes its place in one step of the loop (see
`exchange`), or, if anything at all is wrong, nothing does.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from openparallax.app.differences import NEED_A_RESTART, differences, in_force, unsafe
from openparallax.app.exchange import Exchange, Follow
from openparallax.app.fittings import Fitter, Fittings
from openparallax.app.plugged import NotPlugged
from openparallax.app.plugins import close_all
from openparallax.clock import Clock
from openparallax.config import Settings
from openparallax.errors import ConfigError, Refusal
from openparallax.logs import Logger
from openparallax.metrics import Metrics

NOT_NOW: Final = {
    "starting": "the daemon is starting, and has read its configuration: try again in a while",
    "draining": "the daemon is stopping: the next one reads the configuration as it is by then",
}
_USAGE, _TRY_AGAIN = 2, 75


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a reload came to; names of keys and sentences, never values.

    Attributes:
        applied: Keys that changed and are in force now.
        needs_restart: Keys that changed in the file and are in force after a restart only.
        problems: Why nothing at all was changed, each as ``file:line: key: what is wrong``.
        warnings: What the operator should see of what is in force; sentences.
        is_too_early: Nothing is wrong with the file: the daemon starts, or stops.
    """

    applied: tuple[str, ...] = ()
    needs_restart: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    is_too_early: bool = False


class Reload:
    """Reads the file again and puts into force what it says.

    Args:
        read: Reads and checks the file; called in a thread.
        state: What the house is doing: ``starting``, ``running``, ``draining``.

    Attributes:
        on_reload: Called with True where one begins, and with False when it is over; quick, never
            raises.
    """

    def __init__(
        self,
        exchange: Exchange,
        fitter: Fitter,
        *,
        read: Callable[[], Settings] | None,
        state: Callable[[], str],
        clock: Clock,
        log: Logger,
        metrics: Metrics,
    ) -> None:
        self._exchange = exchange
        self._fitter = fitter
        self._read = read
        self._state = state
        self._clock = clock
        self._log = log
        self._metrics = metrics
        self.on_reload: Callable[[bool], None] = lambda _is_begun: None
        self._one = asyncio.Lock()
        self._last: Outcome | None = None
        self._last_at: float | None = None

    @property
    def settings(self) -> Settings:
        """What is in force."""
        return self._exchange.fittings.settings

    @property
    def note(self) -> str:
        """A clause for whoever asks how the daemon is; "" where the file is in force."""
        last = self._last
        if last is not None and last.problems:
            return "the configuration file is wrong, so the one from before is in force"
        if last is not None and last.needs_restart:
            return f"a restart is needed for {', '.join(last.needs_restart)}"
        return ""

    def told(self) -> dict[str, Any]:
        """What `openparallax status` shows of it."""
        last = self._last or Outcome()
        return {
            "file": str(self.settings.file),
            "reloaded_at": self._last_at,
            "problems": list(last.problems),
            "needs_restart": list(last.needs_restart),
        }

    async def reload(
        self, why: str, *, dry_run: bool = False, read: Callable[[], Settings] | None = None
    ) -> Outcome:
        """Read, check, build, and swap in one step; or change nothing and say why.

        May be called at any time, and again: one at a time is done, the others wait. Never raises
        for what stands in the file.

        Args:
            why: Who wants it, for the log: ``SIGHUP``, ``control``, ``secret_file``.
            dry_run: Only say what would change.
            read: Gives what is wanted, in place of the file; called in a thread.
        """
        async with self._one:
            if dry_run:
                return await self._reload(read or self._read, dry_run=True)
            self.on_reload(True)
            try:
                outcome = await self._reload(read or self._read, dry_run=False)
                if read is None and not outcome.is_too_early:
                    self._last, self._last_at = outcome, self._clock.now()
            finally:
                self.on_reload(False)
            self._tell(why, outcome)
        return outcome

    def follow(self, follower: Follow) -> None:
        """Have ``follower`` told of the settings in force after each reload that changed some."""
        self._exchange.follow(follower)

    async def control(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Answer the control ``reload``.

        Args:
            asked: ``dry_run``, a truth value: only say what would change; ``file``, a path or
                null: do it only where this is the file.

        Returns:
            ``file``, which was read; ``applied``, ``needs_restart``, ``problems``, ``warnings``, as
            in `Outcome`; ``secrets_until_restart``, keys; ``dry_run``, as asked.

        Raises:
            Refusal: The daemon starts or stops (75), has another file (1), or the arguments are
                wrong (2).
        """
        dry_run = asked.get("dry_run", False)
        if not isinstance(dry_run, bool):
            raise Refusal("dry_run must be true or false", exit_code=_USAGE)
        only = asked.get("file")
        if not isinstance(only, str | None):
            raise Refusal("file must be a path or null", exit_code=_USAGE)
        file = self.settings.file.absolute()
        if only is not None and not _is_same(Path(only), file):
            raise Refusal(f"the daemon was started with {file}, and not with that file")
        outcome = await self.reload("control", dry_run=dry_run)
        if outcome.is_too_early:
            raise Refusal(outcome.problems[0], exit_code=_TRY_AGAIN)
        return {
            "file": str(file),
            "applied": list(outcome.applied),
            "needs_restart": list(outcome.needs_restart),
            "problems": list(outcome.problems),
            "warnings": list(outcome.warnings),
            "secrets_until_restart": list(self.settings.until_restart),
            "dry_run": dry_run,
        }

    # -- the work -------------------------------------------------------------------------------

    async def _reload(self, read: Callable[[], Settings] | None, *, dry_run: bool) -> Outcome:
        if refusal := self._not_now():
            return refusal
        if read is None:
            return Outcome(problems=("this daemon was started without a file to read again",))
        try:
            wanted = await asyncio.to_thread(read)
        except ConfigError as error:
            return Outcome(problems=tuple(error.problems))
        except Exception as surprise:  # noqa: BLE001 - the daemon goes on, and whoever asked is told
            self._log.error("reload_broke", exc_info=surprise)
            return Outcome(problems=(_broke(surprise),))
        running = self._exchange.fittings
        settings = in_force(running.settings, wanted)
        if wrong := unsafe(settings, is_public=self._exchange.is_public):
            return Outcome(problems=(wrong,))
        needed = NEED_A_RESTART & set(differences(running.settings, wanted))
        outcome = Outcome(
            applied=differences(running.settings, settings),
            needs_restart=tuple(sorted(needed)),
            warnings=settings.warnings,
        )
        try:
            await self._fitter.import_for(settings, running)
            made = self._fitter.fit(settings, running)
        except NotPlugged as error:
            await close_all(error.made, self._log)
            return Outcome(problems=tuple(error.problems))
        except ConfigError as error:
            return Outcome(problems=tuple(error.problems))
        return await self._take(made, running, outcome, dry_run=dry_run)

    async def _take(
        self, made: Fittings, running: Fittings, outcome: Outcome, *, dry_run: bool
    ) -> Outcome:
        """Swap; or, if it is not to be, let go of what was made."""
        is_taken = False
        keepers = _refused_now(made, running)
        try:
            for client in made.clients.values():
                await client.open()
            if refusal := self._not_now():
                return refusal
            if not dry_run:
                self._exchange.take(made)
                is_taken = True
            return replace(outcome, warnings=(*outcome.warnings, *keepers))
        finally:
            if not is_taken:
                await self._let_go(made, running)

    async def _let_go(self, made: Fittings, running: Fittings) -> None:
        for id_, client in made.clients.items():
            if running.clients.get(id_) is not client:
                await client.close()
        await close_all(made.plugged.made_beside(running.plugged), self._log)

    def _not_now(self) -> Outcome | None:
        text = NOT_NOW.get(self._state())
        return None if text is None else Outcome(problems=(text,), is_too_early=True)

    def _tell(self, why: str, outcome: Outcome) -> None:
        if outcome.problems:
            self._metrics.count("reloads", "refused")
            self._log.error(
                "reload_refused",
                reason=why,
                count=len(outcome.problems),
                hint="nothing was changed: the configuration from before stays in force",
            )
            for problem in outcome.problems:
                self._log.error("setting_refused", hint=problem)
            return
        self._metrics.count("reloads", "applied" if outcome.applied else "unchanged")
        self._log.info(
            "reloaded", reason=why, count=len(outcome.applied), setting=_named(outcome.applied)
        )
        if outcome.needs_restart:
            self._log.warning("restart_needed", setting=_named(outcome.needs_restart))
        for warning in outcome.warnings:
            self._log.warning("setting_noted", hint=warning)


def _refused_now(made: Fittings, running: Fittings) -> tuple[str, ...]:
    """That nobody can go off the record any more is worth a sentence."""
    keepers = made.plugged.keepers
    if not keepers or keepers == running.plugged.keepers:
        return ()
    sentence = (
        f"{' and '.join(keepers)} keeps what is said: /otr is refused from now on, and who is off"
        " the record is told so instead of answered; off_the_record.engine and"
        " off_the_record.pipeline may name others"
    )
    return (sentence,)


def _named(keys: Collection[str]) -> str:
    return ", ".join(keys)


def _broke(surprise: Exception) -> str:
    return f"the file could not be read: internal error ({type(surprise).__name__}); see the log"


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return one == other
