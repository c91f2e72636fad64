"""The parts of a house, built and introduced to each other.

Long, and on purpose in one piece: whoever asks who knows whom reads it here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from openparallax.app.graphs import Graphs
from openparallax.app.housekeeping import Housekeeping
from openparallax.app.operator import Operator
from openparallax.app.plugins import load_engine, load_stages
from openparallax.chats.directory import Directory
from openparallax.clock import Clock
from openparallax.config import Settings, WhatsApp
from openparallax.dispatch.asking import Asking
from openparallax.dispatch.dispatcher import Dispatcher
from openparallax.dispatch.finish import Finisher, Post
from openparallax.dispatch.obeying import Obeying
from openparallax.dispatch.presence import Presence
from openparallax.dispatch.turn import TurnTaker
from openparallax.graph.client import GraphClient
from openparallax.graph.errors import classify, what_to_do
from openparallax.inbox.account import Account
from openparallax.inbox.door import Door
from openparallax.inbox.limits import RateLimit
from openparallax.logs import Logger
from openparallax.metrics import Metrics
from openparallax.model.session import Mode
from openparallax.model.turn import Reply, Turn
from openparallax.outbox.delivery import Delivery
from openparallax.outbox.outbox import Outbox
from openparallax.outbox.pacing import Pacing
from openparallax.outbox.posting import Posting
from openparallax.outbox.quoting import SentLately
from openparallax.outbox.receipts import ReceiptDesk
from openparallax.pipeline import Engine, EngineError, Next, compose
from openparallax.plugin import Tools
from openparallax.session.ageing import Retention
from openparallax.session.erasure import Erasure, Live
from openparallax.session.notices import Notices
from openparallax.session.retention import Forgetting
from openparallax.storage import Connection, Database, chats, meta
from openparallax.storage.chats import ChatRow
from openparallax.storage.meta import Numbers
from openparallax.transcript import Transcripts
from openparallax.transcript.durable import DurableTranscript
from openparallax.transcript.volatile import VolatileTranscript


@dataclass(frozen=True, slots=True)
class Parts:
    """What a house is made of, save its listener.

    Attributes:
        closables: Engines and stages, to be closed in the end.
        first_new: Messages below this number were admitted by an earlier process.
        was_clean: That process had stopped in order.
    """

    metrics: Metrics
    durable: DurableTranscript
    volatile: VolatileTranscript
    transcripts: Transcripts
    directory: Directory
    door: Door
    desk: ReceiptDesk
    dispatcher: Dispatcher
    outbox: Outbox
    posting: Posting
    graph: Graphs
    housekeeping: Housekeeping
    operator: Operator
    closables: list[object]
    presence: Presence
    first_new: int
    was_clean: bool


async def build(
    settings: Settings, database: Database, *, clock: Clock, log: Logger, metrics: Metrics
) -> Parts:
    """Build every part over an open database; nothing runs yet.

    Raises:
        ConfigError: An engine or stage could not be made.
        NotStored: The file could not be written to.
    """
    turn_numbers, parcel_numbers = Numbers("turn"), Numbers("parcel")

    def begin(connection: Connection) -> tuple[bytes, bool, int]:
        was_clean = meta.ended_cleanly(connection)
        return meta.file_key(connection), was_clean, turn_numbers.take(connection)

    hash_key, was_clean, first_new = await database.unit(begin)
    conversation = settings.conversation
    numbers = {one.phone_number_id: one for one in settings.whatsapp.numbers}
    off = settings.off_the_record
    durable = DurableTranscript(database, history_entries=conversation.history_messages)
    volatile = VolatileTranscript(history_entries=conversation.history_messages)
    transcripts: Transcripts = {Mode.ON_THE_RECORD: durable, Mode.OFF_THE_RECORD: volatile}
    notices = Notices(settings.notices)
    plugged = _plugged(settings, Tools(clock=clock, log=log))
    if keepers := plugged.keepers:
        log.warning(
            "off_the_record_refused",
            name=", ".join(keepers),
            hint="keeps what is said; see off_the_record.engine and off_the_record.pipeline",
        )
    directory = Directory()
    door = Door(
        accounts={one: _account(number, hash_key) for one, number in numbers.items()},
        directory=directory,
        transcripts=transcripts,
        notices=notices,
        turn_numbers=turn_numbers,
        parcel_numbers=parcel_numbers,
        clock=clock,
        refuses_otr=bool(keepers),
    )
    database.on_failure(door.drop)
    graph = Graphs(
        {
            one: GraphClient(
                base_url=number.graph_api_url,
                version=number.graph_api_version,
                access_token=number.access_token.get_secret_value(),
                timeout_s=number.graph_timeout_seconds,
                max_in_flight=settings.outbox.max_in_flight,
                log=log,
                metrics=metrics,
            )
            for one, number in numbers.items()
        }
    )
    sent_lately = SentLately()
    delivery = Delivery(
        database=database,
        transcripts=transcripts,
        notices=notices,
        send=graph.send_text,
        sent_lately=sent_lately,
        advise=what_to_do,
        forget_chats=directory.drop,
        receipt_wait_s=settings.outbox.receipt_wait_seconds,
        clock=clock,
        log=log,
        metrics=metrics,
    )
    outbox = Outbox(
        database=database,
        deliver=delivery.step,
        pacing=partial(_pacing, settings, clock),
        serves=numbers.__contains__,
        clock=clock,
        log=log,
        most_in_flight=settings.outbox.max_in_flight,
    )
    posting = Posting(
        database=database,
        transcripts=transcripts,
        directory=directory,
        turn_numbers=turn_numbers,
        parcel_numbers=parcel_numbers,
        outbox=outbox,
        accounts=tuple(numbers),
        is_draining=lambda: door.is_draining,
        advise=what_to_do,
        clock=clock,
        log=log,
    )
    engine_names = {
        Mode.ON_THE_RECORD: settings.engine.type,
        Mode.OFF_THE_RECORD: (off.engine or settings.engine).type,
    }
    finisher = Finisher(
        database=database,
        transcripts=transcripts,
        notices=notices,
        parcel_numbers=parcel_numbers,
        post=Post(outbox.reserve, outbox.unreserve, outbox.take),
        renderers=plugged.renderers,
        engine_names=engine_names,
        clock=clock,
        log=log,
        metrics=metrics,
    )
    presence = Presence(
        shown={one: number.presence for one, number in numbers.items()},
        show=graph.show_presence,
        clock=clock,
    )
    taker = TurnTaker(
        database=database,
        transcripts=transcripts,
        pipelines=plugged.pipelines,
        obeying=Obeying(
            database=database,
            notices=notices,
            engine_names=engine_names,
        ),
        finisher=finisher,
        asking=Asking(transcripts=transcripts, find_sent=sent_lately.find),
        presence=presence,
        serves=numbers.__contains__,
        find_chat=partial(_find_chat, database, directory),
        is_stopping=lambda: dispatcher.is_stopping,
        forget_chats=directory.drop,
        clock=clock,
        log=log,
        metrics=metrics,
    )
    dispatcher = Dispatcher(
        database=database,
        take_turn=taker.take,
        interrupt=taker.interrupt,
        clock=clock,
        log=log,
        most_turns=conversation.max_concurrent_turns,
        coalesces=conversation.coalesce == "queued",
        is_sending=outbox.has_work,
    )
    forgetting = Forgetting(
        held=volatile.sessions,
        forget=volatile.forget,
        database=database,
        idle_s=off.idle_minutes * 60,
        clock=clock,
    )
    live = Live(
        forget_chats=directory.drop,
        end_turn=dispatcher.ended,
        end_presence=presence.end,
        reload=outbox.reload,
        forget_off=volatile.forget,
        forget_on=durable.forget_all,
        renew=partial(durable.forget, turns=()),
    )
    erasure = Erasure(database, clock=clock, log=log, live=live)
    retention = Retention(
        database,
        days=settings.storage.retention_days,
        live=live,
        erasure=erasure,
        clock=clock,
        log=log,
    )
    return Parts(
        metrics=metrics,
        durable=durable,
        volatile=volatile,
        transcripts=transcripts,
        directory=directory,
        door=door,
        desk=ReceiptDesk(transcripts=transcripts, classify=classify, clock=clock),
        dispatcher=dispatcher,
        outbox=outbox,
        posting=posting,
        graph=graph,
        housekeeping=Housekeeping(
            look_again=partial(_look_again, dispatcher, outbox),
            remove_old=retention.sweep,
            database=database,
            forgetting=forgetting,
            clock=clock,
            log=log,
        ),
        operator=Operator(database, clock=clock, log=log, erasure=erasure),
        closables=plugged.closables,
        presence=presence,
        first_new=first_new,
        was_clean=was_clean,
    )


@dataclass(frozen=True, slots=True)
class _Plugged:
    """What was plugged in.

    Attributes:
        pipelines: Stages round an engine, by mode.
        renderers: From what the engine of a mode writes to WhatsApp's marks.
        keepers: Who of those off the record keeps content.
        closables: Every engine and stage.
    """

    pipelines: dict[Mode, Next]
    renderers: dict[Mode, Callable[[str], str]]
    keepers: list[str]
    closables: list[object]


def _plugged(settings: Settings, tools: Tools) -> _Plugged:
    """Make the engines and stages, and the pipeline of each mode.

    Off the record has an engine or stages of its own only if told so. Where one of them keeps
    content, nobody can go off the record, and who is there already is not answered by it.
    """
    off = settings.off_the_record
    engine = load_engine(settings.engine, tools)
    engine_off = engine if off.engine is None else load_engine(off.engine, tools)
    stages = load_stages(settings.pipeline, tools)
    choices_off = settings.pipeline if off.pipeline is None else off.pipeline
    stages_off = stages if off.pipeline is None else load_stages(off.pipeline, tools)
    keepers = [(off.engine or settings.engine).type] if engine_off.keeps_content else []
    keepers += [
        choice.name
        for choice, stage in zip(choices_off, stages_off, strict=True)
        if getattr(stage, "keeps_content", False)
    ]
    return _Plugged(
        pipelines={
            Mode.ON_THE_RECORD: compose(stages, engine),
            Mode.OFF_THE_RECORD: _refuse if keepers else compose(stages_off, engine_off),
        },
        renderers={
            Mode.ON_THE_RECORD: _renderer(engine),
            Mode.OFF_THE_RECORD: _renderer(engine_off),
        },
        keepers=keepers,
        closables=list(
            {id(one): one for one in (engine, engine_off, *stages, *stages_off)}.values()
        ),
    )


def _renderer(engine: Engine) -> Callable[[str], str]:
    if not engine.writes_markdown:
        return str
    from openparallax.rendering.markdown import render  # noqa: PLC0415 - only if it is needed

    return render


def _account(number: WhatsApp, hash_key: bytes) -> Account:
    limit = number.rate_limit
    return Account(
        number.phone_number_id,
        allowed=number.allowed_numbers,
        limit=RateLimit(
            window_s=limit.window_seconds if limit else 60,
            most=limit.max_messages if limit else None,
        ),
        takeover_s=number.human_takeover_minutes * 60,
        hash_key=hash_key,
    )


class _KeepsContentError(EngineError):
    """What would answer keeps what is said."""

    notice = "otr_refused"


async def _refuse(turn: Turn) -> Reply:
    del turn
    raise _KeepsContentError


async def _look_again(dispatcher: Dispatcher, outbox: Outbox) -> None:
    """The wall clock was set back: windows that only seemed closed are open."""
    await dispatcher.look_again()
    outbox.look_again()


def _pacing(settings: Settings, clock: Clock, account: str) -> Pacing:
    del account  # each number has its own pace, and all the same one
    limits = settings.outbox
    return Pacing(
        clock,
        per_second=limits.messages_per_second,
        pair_burst=limits.pair_burst,
        pair_interval_s=limits.pair_interval_seconds,
    )


async def _find_chat(database: Database, directory: Directory, chat: int) -> ChatRow:
    cached = directory.cached(chat)
    if cached is not None:
        return cached
    found = await database.read(partial(chats.chat_by_id, chat=chat))
    if found is None:
        raise LookupError("an envelope of a chat that is not there")
    return found
