"""How the house is: whether it is ready and why not, and its gauges.

In one place, and read by `status` too, so that the three never tell different stories. What is
asked here costs little and waits a bounded time; tables are read on the reading thread, and what
was found is used again for some seconds, so that whoever asks often costs no more than one who asks
seldom.
"""

import asyncio
import os
import platform
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from openparallax import __version__
from openparallax.app.parts import Parts
from openparallax.app.reused import Reused
from openparallax.build import commit
from openparallax.clock import Clock
from openparallax.config import Settings
from openparallax.errors import NotStored
from openparallax.graph.errors import what_to_do
from openparallax.metrics import Metrics
from openparallax.outbox.account import AccountState
from openparallax.storage import Connection, Database, meta
from openparallax.storage.backlog import Backlog, backlog
from openparallax.storage.leftovers import Leftover, leftovers
from openparallax.storage.trouble import advice_on
from openparallax.webhook.server import WebhookServer

if TYPE_CHECKING:
    from openparallax.admin.exposition import Exposition
    from openparallax.admin.samples import Samples

PROBED_FOR_S = 5.0
"""How long a write to the disk speaks for the next ones: probes come every ten seconds or so."""
COUNTED_FOR_S = 3.0
"""How long a count of what waits is used again; several scrapers read it once."""
PATIENCE_S = 2.0
"""How long a probe waits for the disk; most probes give up after some seconds themselves."""
MOST_WAITING = 10_000
"""Messages, or parts, that may wait: a hundred turns at a time need most of an hour for so many."""
LONGEST_WAIT_S = 900.0
"""How long the same may be the oldest: after a quarter of an hour nobody believes in an answer."""


class Tables(NamedTuple):
    """What was found on the disk; ``free_bytes``: its room for us, or -1 where it does not say."""

    waiting: Backlog
    database_bytes: int
    log_bytes: int
    free_bytes: int
    left_over: tuple[Leftover, ...]


class Condition:
    """Knows how the house is.

    Attributes:
        state: Before it has started, while it runs, and once it is told to stop.
        started_at: When, unix seconds.
        commit: What runs, or "".
        tables: What waits, and how long the files are.
    """

    def __init__(
        self, settings: Settings, database: Database, *, metrics: Metrics, clock: Clock
    ) -> None:
        self._settings = settings
        self._database = database
        self._metrics = metrics
        self._clock = clock
        self.started_at = clock.now()
        self.commit = commit()
        self._served = frozenset(one.phone_number_id for one in settings.whatsapp.numbers)
        self._path = settings.storage.path
        self.state: Literal["starting", "running", "draining"] = "starting"
        self._exposition: Exposition | None = None
        self._one_scrape = asyncio.Lock()
        self.also: Callable[[], Mapping[str, Samples]] = dict
        """Gauges of others, by family."""
        self._oldest: int | None = None
        self._oldest_since = 0.0
        self._probe: Reused[None] = Reused(
            self._write, for_s=PROBED_FOR_S, patience_s=PATIENCE_S, clock=clock
        )
        database.on_trouble(self._probe.doubt)
        self.tables = Reused(self._read, for_s=COUNTED_FOR_S, patience_s=PATIENCE_S, clock=clock)

    def follow(self, settings: Settings) -> None:
        """Other settings are in force."""
        self._settings = settings
        self._served = frozenset(one.phone_number_id for one in settings.whatsapp.numbers)

    def introduce(self, parts: Parts, listener: WebhookServer) -> None:
        """At whom it looks; before anything is asked."""
        self.parts, self.listener = parts, listener

    async def stop(self) -> None:
        await self._probe.stop()
        await self.tables.stop()

    # -- is it ready? ---------------------------------------------------------------------------

    async def reasons(self) -> list[str]:
        """Why it is not ready, a sentence each; none: it is. Never about the model."""
        if self.state == "starting":
            return ["starting: what an earlier process left is being read"]
        found = []
        if self.state == "draining":
            found.append("stopping: turns are finished, and no more are begun")
        found += await self._storage_reasons()
        for state in self.accounts():
            if state.is_paused:
                code = f"code {state.code}" if state.code is not None else "without a code"
                found.append(
                    f"account {state.account} is paused ({code}): {what_to_do(state.code)}"
                )
        return found

    async def _storage_reasons(self) -> list[str]:
        refusals, tables = await self.disk()
        if refusals or tables is None:
            return refusals  # or somebody reads at length; what comes is stored all the same
        waiting, now = tables.waiting, self._clock.now()
        message_s, part_s = self.standing_s(waiting), age(waiting.oldest_part, now) or 0.0
        return [
            *_too_much("messages wait for a turn", waiting.messages, message_s),
            *_too_much("parts wait to be sent", waiting.parts, part_s),
        ]

    async def disk(self) -> tuple[list[str], Tables | None]:
        """Why the disk cannot be relied on, in sentences; and what is on it, as far as is known."""
        try:
            await self._probe.get()
        except (NotStored, TimeoutError) as error:
            return [self._in_words(error)], None
        try:
            tables = await self.tables.get()
        except TimeoutError:
            return [], None
        except NotStored as error:
            return [self._in_words(error)], None
        if self._database.trouble.is_damaged:
            return [f"storage: {self._path}: {advice_on('SQLITE_CORRUPT')}"], tables
        return [], tables

    def _in_words(self, error: NotStored | TimeoutError) -> str:
        """A sentence about a database that cannot be written to or read."""
        trouble = self._database.trouble
        if isinstance(error, NotStored):
            advice = advice_on(error.reason)
            return f"storage: {self._path}: {error}: {advice or 'see that it may be written to'}"
        if trouble.is_on:
            return f"storage: {self._path} does not answer: {advice_on(trouble.reason)}"
        return f"storage: {self._path} does not answer: see whether its disk does"

    def standing_s(self, waiting: Backlog) -> float:
        """For how long the same message has been the oldest, as far as somebody has looked.

        Not how old it is. After an outage Meta brings messages of hours ago: they wait a moment
        only, and whoever takes the webhook away from a house that is not ready has them wait more.
        """
        now, oldest = self._clock.monotonic(), waiting.oldest_message
        if oldest is None or oldest != self._oldest:
            self._oldest, self._oldest_since = oldest, now
        return now - self._oldest_since

    async def _write(self) -> None:
        """A real write: it takes the same way to the disk as what Meta brings."""
        await self._database.unit(meta.begin_life)

    async def _read(self) -> Tables:
        return await self._database.read(partial(_look, self._served, self._path))

    def accounts(self) -> Iterator[AccountState]:
        for one in sorted(self._served):
            yield self.parts.outbox.account(one)

    # -- its gauges -----------------------------------------------------------------------------

    async def exposition(self, accept: str) -> tuple[bytes, str]:
        """All metrics, in the format that suits the ``Accept`` header, and its content type.

        One after the other, with what else there is to do in between: rendering takes some
        milliseconds, in which nothing is acknowledged.
        """
        if self._exposition is None:
            from openparallax.admin.exposition import Exposition  # noqa: PLC0415 - if it is asked

            self._exposition = Exposition(self._metrics)
        # Measured by all at once: where the disk hangs, nobody waits for the patience of others.
        measured = await self.measured()
        async with self._one_scrape:
            await asyncio.sleep(0)
            return self._exposition.render(measured, accept)

    async def measured(self) -> "Mapping[str, Samples]":
        """The gauges, by family; those that cannot be found out now are left out."""
        found: dict[str, Samples] = {
            "openparallax_start_time_seconds": {(): self.started_at},
            "openparallax_build_info": {(__version__, self.commit, platform.python_version()): 1},
        }
        queues: dict[tuple[str, ...], float] = {
            ("turns_running",): self.parts.dispatcher.running,
            ("sends_in_flight",): self.parts.outbox.in_flight,
        }
        try:
            tables = await self.tables.get()
        except (NotStored, TimeoutError):
            tables = None
        if tables is not None:
            waiting, now = tables.waiting, self._clock.now()
            queues |= {
                ("messages_waiting",): waiting.messages,
                ("messages_held",): waiting.messages_held,
                ("parts_waiting",): waiting.parts,
                ("parts_in_doubt",): waiting.parts_in_doubt,
                ("parts_held",): waiting.parts_held,
                ("messages_left_over",): sum(one.messages for one in tables.left_over),
                ("parts_left_over",): sum(one.parts for one in tables.left_over),
            }
            found["openparallax_oldest_waiting_seconds"] = {
                ("messages",): age(waiting.oldest_message, now) or 0.0,
                ("parts",): age(waiting.oldest_part, now) or 0.0,
            }
            found["openparallax_database_bytes"] = {(): tables.database_bytes}
            found["openparallax_database_log_bytes"] = {(): tables.log_bytes}
            if tables.free_bytes >= 0:
                found["openparallax_disk_free_bytes"] = {(): tables.free_bytes}
        found["openparallax_queue_depth"] = queues
        found["openparallax_last_webhook_timestamp_seconds"] = {(): self.listener.last_at}
        found["openparallax_account_paused"] = {
            (state.account,): int(state.is_paused) for state in self.accounts()
        }
        found["openparallax_ready"] = {(): int(not await self.reasons())}
        return found | dict(self.also())


def _look(served: frozenset[str], path: Path, connection: Connection) -> Tables:
    sizes = _size(path), _size(Path(f"{path}-wal")), _free(path.parent)
    return Tables(backlog(connection, served), *sizes, leftovers(connection, served))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _free(folder: Path) -> int:
    try:
        facts = os.statvfs(folder)
    except OSError:
        return -1
    return facts.f_bavail * facts.f_frsize


def age(then: int | None, now: float) -> float | None:
    """Seconds since ``then``; Meta's clock may be ahead of ours."""
    return None if then is None else max(0.0, now - then)


def _too_much(what: str, count: int, waited_s: float) -> Iterator[str]:
    if count > MOST_WAITING:
        yield f"backlog: {count} {what}: see whether the engine and Graph answer, and how fast"
    if waited_s > LONGEST_WAIT_S:
        yield (
            f"backlog: {what}, the oldest for {waited_s / 60:.0f} minutes: "
            "see in the log what holds them up"
        )
