"""Secrets that the configuration reads from files, taken anew when the files change.

Whoever rotates a token or an app secret writes the file, and that is all. The configuration itself
is not read for it, so that an edit which is not finished does not come into force that way: only
the files that it names are. A variable of the environment and a credential of the service manager
are given to a process once; a new value of theirs is taken by a restart.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final, Protocol

from openparallax.clock import Clock
from openparallax.config import Settings
from openparallax.config.secrets import Stamp, stamp_of
from openparallax.errors import ConfigError
from openparallax.logs import Logger

LOOK_EVERY_S: Final = 5.0
"""How often the files are looked at: a call of the kernel each."""
_KEPT: Final = "the value read before stays in use; the file is read again when it changes"


class Outcome(Protocol):
    """What `Reload.reload` returns."""

    @property
    def applied(self) -> tuple[str, ...]: ...
    @property
    def problems(self) -> tuple[str, ...]: ...


class SecretFiles:
    """Looks at the files every few seconds, through symbolic links.

    What has changed is read as soon as it has rested for one look, since whoever writes a file may
    not be done. A value that cannot be used is not taken: an empty file, one that is no text, a
    token that Meta does not know. That is logged once, the old value stays, and the file is read
    again when it changes again.

    Args:
        configured: The settings in force as the configuration has them.
        read: Reads it, given what the configuration file holds; called in a thread.
        take: Puts settings into force that were read already.
        refused: Which of our numbers have a token in these settings that Meta does not know.
    """

    def __init__(
        self,
        *,
        configured: Callable[[], Settings],
        read: Callable[[bytes], Settings],
        take: Callable[[Settings], Awaitable[Outcome]],
        refused: Callable[[Settings], Awaitable[Sequence[str]]],
        clock: Clock,
        log: Logger,
    ) -> None:
        self._configured = configured
        self._read = read
        self._take = take
        self._refused = refused
        self._clock = clock
        self._log = log
        self._seen: dict[Path, Stamp] = {}
        self._tried: dict[Path, Stamp] = {}
        """Of what was read and not taken: so it is not read again and again."""
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Look no more; may be called twice."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _run(self) -> None:
        while True:
            await self._clock.sleep(LOOK_EVERY_S)
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - the next look may fare better
                self._log.error("secret_files_broke", exc_info=error)

    async def look(self) -> None:
        """Take what has changed and has rested since the look before."""
        in_use = self._in_use()
        before, self._seen = self._seen, {path: stamp_of(path) for path in in_use}
        changed = [
            path
            for path, stamp in self._seen.items()
            if stamp not in (in_use[path], self._tried.get(path))
        ]
        # All of them together: a token and its app's secret may be exchanged as one.
        if changed and all(before.get(path) == self._seen[path] for path in changed):
            self._tried = dict(self._seen)
            await self._rotate(changed)

    async def _rotate(self, changed: Sequence[Path]) -> None:
        names = ", ".join(str(path) for path in changed)
        before = self._configured()
        try:
            settings = await asyncio.to_thread(self._read, before.text)
        except ConfigError as error:
            self._log.error(
                "secret_refused", path=names, reason="; ".join(error.problems), hint=_KEPT
            )
            return
        if settings == before:
            return  # written, and the same as before
        if refused := await self._refused(settings):
            self._log.error(
                "secret_refused",
                path=names,
                account=", ".join(refused),
                reason="Meta does not know this access token",
                hint=_KEPT,
            )
            return
        outcome = await self._take(settings)
        if outcome.problems:
            self._log.error(
                "secret_refused", path=names, reason="; ".join(outcome.problems), hint=_KEPT
            )
            return
        self._log.info("secret_rotated", path=names, setting=", ".join(outcome.applied))

    def _in_use(self) -> dict[Path, Stamp]:
        """The files, and what each was like when what is in force was read from it."""
        origins = self._configured().origins.values()
        return {one.path: one.stamp for one in origins if one.kind == "file" and one.path}
