"""One access token looked after: asked about, and refreshed when a quarter of its life is left.

That is about day 45 of sixty, and at once where a start finds less left. Meta does not say when a
token becomes invalid, so it is asked once a day too. What fails is tried again, less and less
often, and each failure to refresh is logged: there are fifteen days in which to notice.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from openparallax.clock import Clock
from openparallax.config import WhatsApp
from openparallax.config.kept import KeptToken, KeptTokens, fingerprint
from openparallax.graph.errors import what_to_do
from openparallax.graph.renewal import (
    SIXTY_DAYS_S,
    SYSTEM_USER,
    RenewalError,
    TokenDesk,
    TokenFacts,
)
from openparallax.logs import Logger
from openparallax.metrics import Metrics

DAY_S: Final = 86_400.0
WEEK_S: Final = 7 * DAY_S
"""With less than this left a failure is an error, and no longer a warning."""
FIRST_RETRY_S: Final = 60.0
LONGEST_RETRY_S: Final = 6 * 3600.0
LOOK_AGAIN_S: Final = 600.0
"""A token that was refused while sending is asked about at most so often."""
PATIENCE_S: Final = 20.0
_NO_APP = "give app_id and app_secret, and it is refreshed in time; or make one that never expires"
_NO_SYSTEM_USER = "it is not a System User's, so it is not refreshed: make one that is"


@dataclass(slots=True)
class TokenState:
    """How an access token is; no part of it.

    Attributes:
        accounts: Phone number ids of ours that it is for.
        expires_at: Unix seconds; 0: never; None: not known.
        refreshed_at: When the one in use was refreshed, unix seconds; None: it is the one that
            the configuration names.
        is_valid: What Meta said last; None: it was not asked yet, or did not say.
        is_refreshed: It will be refreshed in time.
        trouble: What is wrong, as a sentence without a stop; "" where nothing is.
    """

    accounts: tuple[str, ...]
    expires_at: int | None = None
    refreshed_at: int | None = None
    is_valid: bool | None = None
    is_refreshed: bool = False
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Means:
    """What every token is looked after with.

    Attributes:
        kept: The refreshed tokens.
        swap: Puts into force what is kept by now; returns what was in the way.
    """

    kept: KeptTokens
    swap: Callable[[], Awaitable[Sequence[str]]]
    clock: Clock
    log: Logger
    metrics: Metrics


class Care:
    """Looks after one configured token, alone and one step after the other.

    Args:
        token: As the configuration has it.
        numbers: Those of ours that it is for; at least one.
    """

    def __init__(self, token: str, numbers: Sequence[WhatsApp], means: Means) -> None:
        self.key = fingerprint(token)
        self.state = TokenState(())
        self._token = token
        self._kept, self._swap = means.kept, means.swap
        self._clock, self._log, self._metrics = means.clock, means.log, means.metrics
        self._wake = asyncio.Event()
        self._looked_at = float("-inf")
        self._silent = self._failed = 0
        self._asked_with: tuple[object, ...] = ()
        self.follow(numbers)
        self._task = asyncio.get_running_loop().create_task(self._run())

    def follow(self, numbers: Sequence[WhatsApp]) -> None:
        """The numbers that it is for, or the app that is asked with, may be others now."""
        self.state.accounts = tuple(one.phone_number_id for one in numbers)
        # Whichever of them says how: a number may leave it to another one.
        asking = next((one for one in numbers if one.app_id and one.app_secret), numbers[0])
        asked_with = (
            asking.graph_api_url, asking.graph_api_version, asking.app_id, asking.app_secret
        )  # fmt: skip
        if asked_with != self._asked_with:
            self._desk, self._asked_with = desk_for(asking), asked_with
            self._silent = self._failed = 0
            self._wake.set()

    def look_soon(self) -> None:
        """Perhaps Meta takes it no more: ask, unless that was done just now."""
        if self._clock.monotonic() - self._looked_at >= LOOK_AGAIN_S:
            self._wake.set()

    def end(self) -> "asyncio.Task[None]":
        """Give up what is under way; the task that then ends."""
        self._task.cancel()
        return self._task

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                rest_s = await self._step()
            except Exception as error:  # noqa: BLE001 - the next look may fare better
                self._log.error("token_care_broke", account=self._names, exc_info=error)
                rest_s = LONGEST_RETRY_S
            if not rest_s:
                continue
            timer = self._clock.call_later(rest_s, self._wake.set)
            try:
                await self._wake.wait()
            finally:
                timer.cancel()

    async def _step(self) -> float:
        """Ask about it, and refresh it if it is time; for how many seconds to rest."""
        state, kept = self.state, self._kept.of(self._token)
        facts = await self._look(self._token if kept is None else kept.token)
        state.refreshed_at = None if kept is None else kept.refreshed_at
        if facts is not None and not facts.is_valid:
            return await self._refused(kept)
        if facts is not None:
            state.expires_at = facts.expires_at
        elif kept is not None:
            state.expires_at = kept.expires_at
        if not self._kept.is_saved:
            await self._save()
        if not state.expires_at:
            return DAY_S if facts is not None else _back_off(self._silent)
        left_s = state.expires_at - self._clock.now()
        due_s = _quarter(state.expires_at, facts)
        state.is_refreshed = self._desk.can_renew and (facts is None or facts.kind == SYSTEM_USER)
        if left_s <= due_s:
            if state.is_refreshed:
                return await self._renew(left_s)
            self._tell_end(left_s)
        if facts is None:
            return _back_off(self._silent)
        return max(min(DAY_S, left_s - due_s), FIRST_RETRY_S) if left_s > due_s else DAY_S

    async def _look(self, token: str) -> TokenFacts | None:
        """What Meta says of it; None: nothing, for the moment."""
        self._looked_at = self._clock.monotonic()
        try:
            facts = await self._desk.look(token)
        except RenewalError as error:
            self._silent += 1
            self.state.is_valid = None
            self.state.trouble = f"asked about the token, Meta {error.reason}"
            if self._silent == 1:
                # Without the app's id and secret nothing depends on it.
                tell = self._log.warning if self._desk.can_renew else self._log.debug
                tell("token_not_known", account=self._names, reason=error.reason, code=error.code)
            return None
        self._silent = 0
        self.state.is_valid = facts.is_valid
        self.state.trouble = ""
        return facts

    async def _refused(self, kept: KeptToken | None) -> float:
        """Meta takes it no more; where it is a refreshed one, the configured one may be good."""
        if kept is not None:
            self._kept.drop(self.key)
            self._log.warning(
                "token_dropped",
                account=self._names,
                hint="Meta takes the refreshed one no more: the configured one is used again",
            )
            await self._save()
            await self._take()
            return 0.0
        self.state.trouble = "Meta takes the token no more"
        self._log.error("token_refused", account=self._names, hint=what_to_do(190))
        return LONGEST_RETRY_S

    async def _renew(self, left_s: float) -> float:
        kept = self._kept.of(self._token)
        try:
            fresh = await self._desk.renew(self._token if kept is None else kept.token)
            expires_at = await self._try_out(fresh.token, fresh.lasts_s)
        except RenewalError as error:
            return self._not_renewed(error, left_s)
        self._failed = 0
        now = int(self._clock.now())
        self._kept.keep(KeptToken(self.key, fresh.token, expires_at, now))
        self.state.expires_at, self.state.refreshed_at = expires_at, now
        self.state.is_valid, self.state.trouble = True, ""
        await self._save()
        self._metrics.count("token_refreshes", "done")
        self._log.info("token_refreshed", account=self._names, seconds=expires_at - now)
        await self._take()
        return DAY_S if self._kept.is_saved else FIRST_RETRY_S

    def _not_renewed(self, error: RenewalError, left_s: float) -> float:
        self._failed += 1
        rest_s = _back_off(self._failed)
        self._metrics.count("token_refreshes", "failed")
        self.state.trouble = f"asked for a fresh token, Meta {error.reason}"
        tell = self._log.error if left_s < WEEK_S else self._log.warning
        tell(
            "token_not_refreshed",
            account=self._names,
            reason=error.reason,
            code=error.code,
            seconds=round(left_s),
            wait_s=rest_s,
            hint="see that app_id and app_secret are those of the token's app",
        )
        return rest_s

    async def _try_out(self, token: str, lasts_s: int) -> int:
        """When a fresh token expires.

        Raises:
            RenewalError: Meta does not take what it gave.
        """
        expires_at = int(self._clock.now()) + (lasts_s or SIXTY_DAYS_S)
        try:
            facts = await self._desk.look(token)
        except RenewalError:
            return expires_at
        if not facts.is_valid:
            raise RenewalError("gave one that it does not take itself")
        return facts.expires_at

    async def _save(self) -> None:
        """On the disk, or told, and tried again with the next look; it is used either way."""
        try:
            await asyncio.to_thread(self._kept.save)
        except OSError as error:
            self.state.trouble = f"the refreshed token could not be kept ({error.strerror})"
            self._log.error(
                "token_not_kept",
                account=self._names,
                path=str(self._kept.path),
                reason=error.strerror,
                hint="it is used until this process ends; see that there is room on the disk",
            )

    async def _take(self) -> None:
        if problems := await self._swap():
            self._log.error("token_not_taken", account=self._names, reason="; ".join(problems))

    def _tell_end(self, left_s: float) -> None:
        """It ends soon, and nobody but a person can do anything about that; once a day."""
        hint = _NO_SYSTEM_USER if self._desk.can_renew else _NO_APP
        self.state.trouble = f"the token ends soon: {hint}"
        tell = self._log.error if left_s < WEEK_S else self._log.warning
        tell("token_ends", account=self._names, seconds=round(left_s), hint=hint)

    @property
    def _names(self) -> str:
        return ", ".join(self.state.accounts)


def desk_for(number: WhatsApp) -> TokenDesk:
    """Who asks about the token of a number."""
    return TokenDesk(
        base_url=number.graph_api_url,
        version=number.graph_api_version,
        app_id=number.app_id,
        app_secrets=[one.get_secret_value() for one in number.app_secret],
        timeout_s=PATIENCE_S,
    )


def _quarter(expires_at: int, facts: TokenFacts | None) -> float:
    """A quarter of its life, which is taken for sixty days where Meta does not say."""
    issued_at = facts.issued_at if facts is not None else 0
    lasts_s = expires_at - issued_at if 0 < issued_at < expires_at else SIXTY_DAYS_S
    return lasts_s / 4


def _back_off(count: int) -> float:
    """Seconds after so many failures in a row: 1, 2, 4 … minutes, at most six hours."""
    return min(FIRST_RETRY_S * 2.0 ** min(count - 1, 20), LONGEST_RETRY_S)
