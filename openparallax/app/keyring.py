"""The secrets of a running house: tokens refreshed in time, files taken when they change.

Both end in a reload, which swaps in what is new as it does everything else. Where a refreshed token
is kept, and when it gives way to the configured one: `config.kept`.
"""

from collections.abc import Callable, Sequence

from openparallax.app.care import Means, TokenState
from openparallax.app.reload import Outcome, Reload
from openparallax.app.renewing import Renewing
from openparallax.app.rotating import SecretFiles
from openparallax.clock import Clock
from openparallax.config import Settings
from openparallax.config.kept import KeptTokens, as_configured, kept_path
from openparallax.errors import ConfigError
from openparallax.logs import Logger
from openparallax.metrics import Metrics
from openparallax.trail import Step, Trail

Reread = Callable[[bytes | None], Settings]
"""Reads the configuration again: the file, or, given what the file is to hold, what it names."""


class Keyring:
    """Holds what looks after secrets; made before the house has settings in force.

    Args:
        settings: As the configuration has them.
        reread: Called in a thread; None: there is no file to read again.

    Attributes:
        renewing: Knows how each access token is; once `introduce` was called.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        reread: Reread | None,
        clock: Clock,
        log: Logger,
        metrics: Metrics,
    ) -> None:
        self._kept = KeptTokens(kept_path(settings.storage.path))
        self.put_in = self._kept.put_in
        self._reread = reread
        self._clock = clock
        self._log = log
        self._metrics = metrics

    def introduce(self, reload: Reload, trail: Trail) -> None:
        """By whom secrets are swapped in, and where it is heard that one was refused."""
        self._reload = reload
        self._trail = trail
        means = Means(self._kept, self._swap, self._clock, self._log, self._metrics)
        self.renewing = Renewing(means, configured=self._configured)
        self._files = SecretFiles(
            configured=self._configured,
            read=self._read,
            take=self._take,
            refused=self.renewing.refused_of,
            clock=self._clock,
            log=self._log,
        )
        reload.follow(self.renewing.follow)

    def start(self) -> None:
        """Begin; nothing is waited for."""
        self._trail.listen(self.renewing.hear, Step.PAUSED)
        self.renewing.start()
        if self._reread is not None:
            self._files.start()

    async def stop(self) -> None:
        """Look after nothing more."""
        await self._files.stop()
        await self.renewing.stop()

    def states(self) -> list[TokenState]:
        """How each access token is."""
        return self.renewing.states()

    def state_of(self, account: str) -> TokenState | None:
        """How the token of one of our numbers is."""
        return self.renewing.state_of(account)

    @property
    def read_anew(self) -> Callable[[], Settings] | None:
        """What a reload reads: the file as it is now, with the tokens that were refreshed."""
        reread = self._reread
        return None if reread is None else lambda: self.put_in(reread(None))

    def _configured(self) -> Settings:
        return as_configured(self._reload.settings)

    def _read(self, text: bytes) -> Settings:
        if self._reread is None:
            raise ConfigError(["this daemon was started without a file to read again"])
        return self._reread(text)

    async def _take(self, settings: Settings) -> Outcome:
        def read() -> Settings:
            # Meanwhile another file may be in force: what it names is read, and not what was.
            text = self._configured().text
            return self.put_in(settings if text == settings.text else self._read(text))

        return await self._reload.reload("secret_file", read=read)

    async def _swap(self) -> Sequence[str]:
        """What is configured stays as it is: only what is kept in its place has changed."""
        outcome = await self._reload.reload(
            "token_refreshed", read=lambda: self.put_in(self._configured())
        )
        return () if outcome.is_too_early else outcome.problems
