"""Traces: one of each turn, in a collector that speaks OTLP; and nothing where there is none."""

import ast
import re
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from openparallax.app.watchers import tracer_of
from openparallax.config import watching as settings_of_watching
from openparallax.errors import ConfigError
from openparallax.plugin import Reply, Turn
from openparallax.trail import Note, Step
from openparallax.watching import tracing
from openparallax.watching.tracing import Tracer
from tests.architecture.source import PACKAGE, modules, tree_of
from tests.canary import Canary
from tests.config.files import problems, with_block
from tests.fakes import meta
from tests.fakes.behaviours import error
from tests.fakes.engines import FakeEngine
from tests.pipeline.doubles import RecordedLog
from tests.town import ANN, BOB, Town
from tests.watching.collector import Collector, attributes

ON = {"tracing": {"enabled": True}}
_SPOKEN_OF = re.compile("opentelemetry|watching.*tracing")  # to read all as Python takes seconds


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with Collector() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        yield collector


async def test_a_turn_is_a_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: FakeEngine, collector: Collector
) -> None:
    canary, person = Canary(), "491755512340987"

    async def answer(turn: Turn) -> Reply:
        return Reply(text=turn.text, usage={"input": 9, "output": 3}, model="made-up")

    engine.answer_with = answer
    began = time.time()
    async with Town(tmp_path, monkeypatch, engine=engine, changes=ON) as town:
        await town.say(person, f"hello {canary}", name=str(canary))
        await town.hears(person, 1)
        [call] = town.graph.accepted
        for status in ("delivered", "read"):
            await town.post(meta.status(call.wamid, status, callback=call.callback))
        await town.quiet()
    ended = time.time()
    [turn] = collector.roots()
    assert (turn.name, turn.kind) == ("turn", Span.SPAN_KIND_CONSUMER)
    about = attributes(turn)
    assert about["openparallax.result"] == "answered"
    assert about["openparallax.messages"] == 1
    children = collector.children(turn)
    assert set(children) >= {"wait", "engine", "send", "delivered", "read"}
    [asked] = children["engine"]
    assert attributes(asked)["gen_ai.usage.output_tokens"] == 3
    assert attributes(asked)["gen_ai.response.model"] == "made-up"
    for span in collector.spans:
        assert span.trace_id == turn.trace_id
        assert began - 1 <= span.start_time_unix_nano / 1e9 <= span.end_time_unix_nano / 1e9 + 1e-6
        assert span.end_time_unix_nano / 1e9 <= ended + 1
        assert span.status.code == Status.STATUS_CODE_UNSET
    assert collector.resources[0]["service.name"] == "openparallax"
    sent = b"".join(collector.raw)
    assert canary.found_in(sent) == []
    for whole in (person, person[2:], meta.PHONE_NUMBER_ID, meta.DISPLAY_PHONE_NUMBER):
        assert whole.encode() not in sent


async def test_what_goes_wrong_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: FakeEngine, collector: Collector
) -> None:
    async def fail(_turn: Turn) -> Reply:
        raise RuntimeError("words")

    async with Town(tmp_path, monkeypatch, engine=engine, changes=ON) as town:
        town.graph.queue(error(131026))
        await town.say(ANN, "hello")
        await town.until(lambda: town.up.metrics.value("sends", "failed") == 1)
        engine.answer_with = fail
        await town.say(BOB, "hello")
        await town.hears(BOB, 1)
        await town.quiet()
    refused, failed = collector.roots()
    [sent] = collector.children(refused)["send"]
    assert sent.status.code == Status.STATUS_CODE_ERROR
    assert attributes(sent)["openparallax.code"] == 131026
    [asked] = collector.children(failed)["engine"]
    assert asked.status.code == Status.STATUS_CODE_ERROR
    assert attributes(asked)["error.type"] == "engine_failed"
    assert b"words" not in b"".join(collector.raw)


async def test_a_collector_that_is_not_there_harms_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: FakeEngine
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setattr(tracing, "FLUSH_S", 0.2)
    async with Town(tmp_path, monkeypatch, engine=engine, changes=ON) as town:
        await town.say(ANN, "hello")
        await town.hears(ANN, 1)
        await town.quiet()
    assert not [one for one in threading.enumerate() if one.name.startswith("Otel")]


def test_a_collector_that_refuses_is_logged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
    log = RecordedLog()
    with Collector(status=400) as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        tracer = Tracer(log=log)
        for turn in (1, 2, 3):
            play(tracer, chat=turn, turn=turn)
            _until(partial(_has, collector, turn))
        collector.status = 200
        play(tracer, chat=4, turn=4)
        tracer.close()
    assert [event for _, event, _ in log.lines] == ["traces_not_sent", "traces_sent_again"]


def _has(collector: Collector, count: int) -> bool:
    return len(collector.raw) >= count


def play(tracer: Tracer, *, chat: int, turn: int) -> None:
    """One whole turn."""
    steps = [
        Note(10.0, Step.QUEUED, chat, turn),
        Note(11.0, Step.ASKED, chat, turn, turn),
        Note(12.0, Step.ANSWERED, chat, turn, turn, about="echo", seconds=1.0),
        Note(12.5, Step.POSTED, chat, turn, turn, parcel=turn * 10, about="answered", amount=2),
        Note(13.0, Step.DEFERRED, chat, turn, parcel=turn * 10, code=4),
        Note(14.0, Step.SENT, chat, turn, parcel=turn * 10, seconds=0.25, amount=2),
        Note(14.5, Step.SENT, chat, turn, parcel=turn * 10 + 1, seconds=0.25, amount=1),
    ]
    for step in steps:
        tracer.hear(step)


def test_messages_that_are_answered_together_and_parts(collector: Collector) -> None:
    tracer = Tracer(log=RecordedLog())
    tracer.hear(Note(9.0, Step.QUEUED, 7, 1))
    tracer.hear(Note(9.5, Step.QUEUED, 8, 2))
    tracer.hear(Note(10.0, Step.QUEUED, 7, 3))
    tracer.hear(Note(11.0, Step.QUEUED, 7, 5))
    tracer.hear(Note(12.0, Step.ASKED, 7, 1, 3))
    tracer.hear(Note(13.0, Step.PUT_OFF, 7, 1, 3, about="disk"))
    tracer.hear(Note(13.5, Step.REVOKED, 7, 5))
    play(tracer, chat=9, turn=4)
    tracer.close()
    put_off, whole = collector.roots()
    assert attributes(put_off)["openparallax.messages"] == 2
    assert attributes(put_off)["openparallax.result"] == "put_off"
    assert put_off.start_time_unix_nano == 9 * 10**9
    assert whole.start_time_unix_nano == 10 * 10**9
    assert whole.end_time_unix_nano == 14_500_000_000
    assert [event.name for event in whole.events] == ["deferred"]
    first, second = collector.children(whole)["send"]
    assert first.start_time_unix_nano == 13_750_000_000
    assert attributes(first)["openparallax.attempt"] == 2
    assert attributes(second)["openparallax.parcel"] == 41


def test_what_is_followed_is_bounded(monkeypatch: pytest.MonkeyPatch, collector: Collector) -> None:
    monkeypatch.setattr(tracing, "MOST_OPEN", 5)
    tracer = Tracer(log=RecordedLog())
    for number in range(1, 40):
        tracer.hear(Note(1.0, Step.QUEUED, number, number))
        tracer.hear(Note(2.0, Step.ASKED, number, number, number))
        tracer.hear(Note(3.0, Step.SENT, number, number, parcel=number))
        tracer.hear(Note(1.0, Step.QUEUED, number + 100, number + 100))
        posted = Note(2.0, Step.POSTED, number + 100, number + 100, 0, number, amount=2)
        tracer.hear(posted)
        tracer.hear(Note(3.0, Step.SENT, number + 100, number + 100, parcel=number))
    for held in (tracer._queued, tracer._running, tracer._posted, tracer._sent):
        assert len(held) <= 5
    tracer.close()
    assert len(collector.roots()) == 78


# -- without it -----------------------------------------------------------------------------------


def imported_at_once(path: Path) -> set[str]:
    """What a module imports whenever it is imported itself: not in a function, nor for types."""
    found = set()
    for statement in tree_of(path).body:
        match statement:
            case ast.Import():
                found |= {one.name for one in statement.names}
            case ast.ImportFrom():
                found |= {f"{statement.module}.{one.name}" for one in statement.names}
                found.add(str(statement.module))
    return found


def test_a_daemon_without_traces_imports_nothing_of_them() -> None:
    tracing_file = PACKAGE / "watching" / "tracing.py"
    assert any(name.startswith("opentelemetry") for name in imported_at_once(tracing_file))
    for path in modules():
        if path != tracing_file and _SPOKEN_OF.search(path.read_text("utf-8")):
            names = imported_at_once(path)
            assert not any(name.startswith("opentelemetry") for name in names), path
            assert "openparallax.watching.tracing" not in names, path


def test_the_packages_that_are_missing_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    block = with_block("tracing: {enabled: true}")
    assert problems(tmp_path, block) == []
    monkeypatch.setattr(
        settings_of_watching,
        "find_spec",
        lambda name: None if "exporter" in name else find_spec(name),
    )
    [problem] = problems(tmp_path, block)
    assert problem.endswith(
        "tracing.enabled: needs packages that are not installed: pip install openparallax[otel]"
    )
    assert problems(tmp_path, with_block("tracing: {enabled: false}")) == []


def test_variables_that_cannot_be_used_are_a_configuration_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "9999999")
    with pytest.raises(ConfigError, match=r"tracing\.enabled: the OTEL_… variables"):
        tracer_of(RecordedLog())


def _until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.005)
