"""Traces of OpenTelemetry, made of the trail: one of each turn.

::

    turn        from the first message being queued until the last part of the answer is out
      wait        until the engine is asked
      engine      the engine, with its model and the tokens that it wrote
      send        each part of the answer, as long as Meta took to take it
      delivered   until the person's phone had it, and ``read`` until it was looked at

Built from what the trail says afterwards, so nothing on the way of a message knows of it. Spans
carry the numbers of chat and turn that the log has, and neither words nor whole numbers. A thread
of the SDK's sends them; where that fails they are dropped.

Source:
    OpenTelemetry, environment variable specification; semantic conventions for generative AI.
"""

import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context

from openparallax import __version__
from openparallax.logs import Logger
from openparallax.trail import Note, Step

MOST_OPEN: Final = 5000
"""Turns, and likewise messages and parts, that are followed at a time."""
FLUSH_S: Final = 3.0
"""How long the last spans may take to go out when the daemon stops."""

_BREAK_OFF: Final = frozenset({Step.HELD, Step.LOST, Step.OVERTAKEN, Step.PUT_OFF})
_SETTLES: Final = frozenset(
    {Step.SENT, Step.FAILED, Step.WITHDRAWN, Step.UNCONFIRMED, Step.HELD, Step.LOST}
)
_OF_A_PART: Final = frozenset({*_SETTLES, Step.DEFERRED, Step.IN_DOUBT, Step.SENT_AGAIN})

T = TypeVar("T")
Attributes = dict[str, str | int | float]


@dataclass(slots=True)
class _Turn:
    """A turn under way; ``left``: parts of its answer of which nobody knows yet."""

    span: Span
    asked_at: float
    left: int = 0

    @property
    def context(self) -> Context:
        return set_span_in_context(self.span, Context())


@dataclass(frozen=True, slots=True)
class _Sent:
    """A part that is out."""

    context: Context
    at: float


class Tracer:
    """Makes spans of the trail's steps; see `hear`.

    Args:
        exporter: Where they go; as the ``OTEL_…`` variables say if not given.
    """

    def __init__(self, *, log: Logger, exporter: SpanExporter | None = None) -> None:
        # Its own warnings come with every batch; `_Watched` says it once.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        self._provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
        self._exporter = _Watched(exporter or OTLPSpanExporter(), log)
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("openparallax", __version__)
        # When each message of a chat was queued; by chat, since each has one turn at a time; by
        # the last message; by parcel.
        self._queued: OrderedDict[int, dict[int, float]] = OrderedDict()
        self._running: OrderedDict[int, _Turn] = OrderedDict()
        self._posted: OrderedDict[int, _Turn] = OrderedDict()
        self._sent: OrderedDict[int, _Sent] = OrderedDict()
        self._takes: dict[Step, Callable[[Note], None]] = {
            Step.QUEUED: self._queue,
            Step.REVOKED: self._go,
            Step.HANDED_OVER: self._go,
            Step.MOVED: self._go,
            Step.ASKED: self._ask,
            Step.ANSWERED: self._answer,
            Step.ENGINE_FAILED: self._answer,
            Step.POSTED: self._post,
            Step.DELIVERED: self._out,
            Step.READ: self._out,
            Step.PLAYED: self._out,
            **dict.fromkeys(_BREAK_OFF, self._break_off),
        }

    def close(self) -> None:
        """Send what is left, but not for long."""
        for turns in (self._running, self._posted):
            while turns:
                turns.popitem()[1].span.end()
        flushing = threading.Thread(target=self._provider.shutdown, daemon=True)
        flushing.start()
        flushing.join(FLUSH_S)
        if flushing.is_alive():
            self._exporter.shutdown()  # it tries again and again for longer than that
            flushing.join(FLUSH_S)

    # -- the steps ------------------------------------------------------------------------------

    def hear(self, note: Note) -> None:
        """Take note of a step; called in the midst of the work, and quick."""
        if note.parcel and note.step in _OF_A_PART:
            self._follow(note)
        elif (take := self._takes.get(note.step)) is not None:
            take(note)

    def _queue(self, note: Note) -> None:
        waiting = self._queued.get(note.chat)
        if waiting is None:
            _put(self._queued, note.chat, {note.turn: note.at})
        else:
            waiting[note.turn] = note.at

    def _go(self, note: Note) -> None:
        """A message that waits no more."""
        self._queued.get(note.chat, {}).pop(note.turn, None)

    def _break_off(self, note: Note) -> None:
        """A turn ends without an answer; where it is asked anew, that is another turn."""
        if turn := self._running.pop(note.chat, None):
            turn.span.set_attribute("openparallax.result", note.step.value)
            turn.span.end(_ns(note.at))

    def _begin(self, note: Note) -> _Turn:
        """A turn begins: for whoever waited longest of those whom it answers."""
        last = note.last or note.turn
        waiting = self._queued.pop(note.chat, {})
        since = [at for number, at in waiting.items() if number <= last]
        if later := {number: at for number, at in waiting.items() if number > last}:
            self._queued[note.chat] = later
        began = min([*since, note.at - (note.seconds or 0.0)])
        span = self._tracer.start_span(
            "turn",
            context=Context(),
            kind=SpanKind.CONSUMER,
            attributes={
                "openparallax.chat": note.chat,
                "openparallax.turn": note.turn,
                "openparallax.messages": max(1, len(since)),
            },
            start_time=_ns(began),
        )
        turn = _Turn(span, note.at)
        if began < note.at and note.step is Step.ASKED:
            self._child(turn.context, "wait", began, note.at, {})
        return turn

    def _ask(self, note: Note) -> None:
        if earlier := self._running.pop(note.chat, None):
            earlier.span.end(_ns(note.at))
        fallen = _put(self._running, note.chat, self._begin(note))
        if fallen is not None:
            fallen.span.end(_ns(note.at))

    def _answer(self, note: Note) -> None:
        turn = self._running.get(note.chat)
        if turn is None:
            return
        about: Attributes = {}
        failed = ""
        if note.step is Step.ENGINE_FAILED:
            failed = note.about or "failed"
        else:
            engine, _, model = note.about.partition(" ")
            about = {"openparallax.engine": engine, "gen_ai.usage.output_tokens": note.amount}
            about |= {"gen_ai.response.model": model} if model else {}
        began = note.at - note.seconds if note.seconds is not None else turn.asked_at
        self._child(turn.context, "engine", began, note.at, about, SpanKind.CLIENT, failed)

    def _post(self, note: Note) -> None:
        turn = self._running.pop(note.chat, None) or self._begin(note)
        turn.span.set_attribute("openparallax.result", note.about)
        turn.left = note.amount or int(bool(note.parcel))
        if not turn.left:
            turn.span.end(_ns(note.at))
            return
        fallen = _put(self._posted, note.last or note.turn, turn)
        if fallen is not None:
            fallen.span.end(_ns(note.at))

    def _follow(self, note: Note) -> None:
        """A part of an answer got on."""
        turn = self._posted.get(note.turn)
        if turn is None:
            return
        about: Attributes = {"openparallax.parcel": note.parcel}
        about |= {"openparallax.code": note.code} if note.code is not None else {}
        if note.step not in _SETTLES:
            turn.span.add_event(note.step.value, about, _ns(note.at))
            return
        failed = "" if note.step is Step.SENT else note.step.value
        about |= {"openparallax.attempt": note.amount} if note.amount else {}
        began = note.at - (note.seconds or 0.0)
        self._child(turn.context, "send", began, note.at, about, SpanKind.CLIENT, failed)
        if note.step is Step.SENT:
            _put(self._sent, note.parcel, _Sent(turn.context, note.at))
        turn.left -= 1
        if turn.left <= 0:
            del self._posted[note.turn]
            turn.span.end(_ns(note.at))

    def _out(self, note: Note) -> None:
        sent = self._sent.get(note.parcel)
        if sent is not None:
            self._child(sent.context, note.step.value, sent.at, note.at, {})
            if note.step is not Step.DELIVERED:
                del self._sent[note.parcel]

    def _child(
        self,
        context: Context,
        name: str,
        began: float,
        ended: float,
        about: Attributes,
        kind: SpanKind = SpanKind.INTERNAL,
        failed: str = "",
    ) -> None:
        if failed:
            about = {**about, "error.type": failed}
        span = self._tracer.start_span(
            name, context=context, kind=kind, attributes=about, start_time=_ns(began)
        )
        if failed:
            span.set_status(Status(StatusCode.ERROR))
        span.end(_ns(max(began, ended)))


class _Watched(SpanExporter):
    """An exporter, and the log told once when it fails, and once when it goes on."""

    def __init__(self, exporter: SpanExporter, log: Logger) -> None:
        self._exporter = exporter
        self._log = log
        self._is_failing = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        try:
            result = self._exporter.export(spans)
        except Exception:  # noqa: BLE001 - whatever it was; its text may name an address
            result = SpanExportResult.FAILURE
        has_failed = result is not SpanExportResult.SUCCESS
        if has_failed and not self._is_failing:
            self._log.warning(
                "traces_not_sent",
                count=len(spans),
                hint="see OTEL_EXPORTER_OTLP_ENDPOINT; what is not taken is dropped",
            )
        elif self._is_failing and not has_failed:
            self._log.info("traces_sent_again")
        self._is_failing = has_failed
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def _resource() -> Resource:
    """Our name and version, unless the environment has another name."""
    named = os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    ours: Attributes = {"service.version": __version__}
    if not os.environ.get("OTEL_SERVICE_NAME") and "service.name=" not in named:
        ours["service.name"] = "openparallax"
    return Resource.create(ours)


def _put(where: OrderedDict[int, T], key: int, value: T) -> T | None:
    """Keep it, at most `MOST_OPEN` of its like; the oldest that fell out."""
    where[key] = value
    return where.popitem(last=False)[1] if len(where) > MOST_OPEN else None


def _ns(seconds: float) -> int:
    return int(seconds * 1_000_000_000)
