"""Every access token of the configuration looked after, each by one task of its own.

A System User's token lasts sixty days or for ever. One that ends is exchanged for a fresh one in
time, which is kept beside the database (`config.kept`) and swapped in while the house runs. The old
one goes on until its own end, so there is no moment without a token.
"""

import asyncio
from collections.abc import Callable

from openparallax.app.care import Care, Means, TokenState, desk_for
from openparallax.config import Settings, WhatsApp
from openparallax.config.kept import configured_tokens, fingerprint
from openparallax.graph.renewal import RenewalError
from openparallax.trail import Note, Step

_OF_TOKEN = frozenset({0, 190})
"""Meta's codes for a token that is none, or none any more."""


class Renewing:
    """Has one `Care` for each configured token, so that none is refreshed twice at a time.

    Args:
        configured: The settings in force as the file has them, before `KeptTokens.put_in`.
    """

    def __init__(self, means: Means, *, configured: Callable[[], Settings]) -> None:
        self._means = means
        self._configured = configured
        self._cares: dict[str, Care] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin; asks about every token at once, without holding anything up."""
        kept = self._means.kept
        if kept.trouble:
            self._means.log.warning(
                "tokens_not_read",
                path=str(kept.path),
                reason=kept.trouble,
                hint="the configured tokens are used, and refreshed when it is time",
            )
        self.follow()

    async def stop(self) -> None:
        """End; what is under way is given up, and the tokens in use stay good."""
        for care in self._cares.values():
            self._end(care)
        self._cares.clear()
        if self._ending:
            await asyncio.wait(self._ending)

    def follow(self, _in_force: Settings | None = None) -> None:
        """Look after what is configured now; a token that stays is not disturbed."""
        whatsapp = self._configured().whatsapp
        groups: dict[str, list[WhatsApp]] = {}
        for number in whatsapp.numbers:
            groups.setdefault(number.access_token.get_secret_value(), []).append(number)
        before, self._cares = self._cares, {}
        for token, numbers in groups.items():
            care = before.pop(fingerprint(token), None)
            if care is None:
                care = Care(token, numbers, self._means)
            else:
                care.follow(numbers)
            self._cares[care.key] = care
        for care in before.values():
            self._end(care)
        # With the next save: nothing waits for that.
        self._means.kept.drop_expired(self._means.clock.now(), in_use=configured_tokens(whatsapp))

    def hear(self, note: Note) -> None:
        """Sending was paused: where that is the token's fault, ask about it soon."""
        if note.step is Step.PAUSED and note.code in _OF_TOKEN:
            for care in self._cares.values():
                if note.account in care.state.accounts:
                    care.look_soon()

    def states(self) -> list[TokenState]:
        """How each token is."""
        return [care.state for care in self._cares.values()]

    def state_of(self, account: str) -> TokenState | None:
        """How the token of one of our numbers is."""
        return next((one for one in self.states() if account in one.accounts), None)

    def ends(self) -> dict[str, float]:
        """When the token of each number ends: unix seconds; 0: never. Without what is not known."""
        return {
            account: float(state.expires_at)
            for state in self.states()
            if state.expires_at is not None
            for account in state.accounts
        }

    async def refused_of(self, settings: Settings) -> list[str]:
        """Ask about the tokens of ``settings`` that are not in use yet.

        A file that is being written while it is read may hold half a token.

        Returns:
            Phone number ids whose new token Meta says is none, while the one in use is good; those
            of which Meta says nothing are not among them.
        """
        refused = []
        for number in settings.whatsapp.numbers:
            token = number.access_token.get_secret_value()
            state = self.state_of(number.phone_number_id)
            if fingerprint(token) in self._cares or state is None or not state.is_valid:
                continue
            try:
                facts = await desk_for(number).look(token)
            except RenewalError:
                continue
            if not facts.is_valid:
                refused.append(number.phone_number_id)
        return refused

    def _end(self, care: Care) -> None:
        task = care.end()
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
