"""The parts of a house, built and introduced to each other.

Long, and on purpose in one piece: whoever asks who knows whom reads it here.
"""

from dataclasses import dataclass
from functools import partial

from openparallax.app.fittings import Fitter, Fittings, Paces
from openparallax.app.graphs import Graphs
from openparallax.app.housekeeping import Housekeeping
from openparallax.app.leftovers import Leftovers
from openparallax.app.operator import Operator
from openparallax.app.standing import Standing
from openparallax.chats.directory import Directory
from openparallax.clock import Clock
from openparallax.config import Settings
from openparallax.dispatch.answering import Answering
from openparallax.dispatch.asking import Asking
from openparallax.dispatch.dispatcher import Dispatcher
from openparallax.dispatch.finish import Finisher, Post
from openparallax.dispatch.obeying import Obeying
from openparallax.dispatch.presence import Presence
from openparallax.dispatch.steps import Steps
from openparallax.dispatch.turn import TurnTaker
from openparallax.graph.errors import classify, what_to_do
from openparallax.inbox.door import Door
from openparallax.logs import Logger
from openparallax.metrics import Metrics
from openparallax.model.session import Mode
from openparallax.outbox.delivery import Delivery
from openparallax.outbox.outbox import Outbox
from openparallax.outbox.posting import Posting
from openparallax.outbox.quoting import SentLately
from openparallax.outbox.receipts import ReceiptDesk
from openparallax.plugin import Tools
from openparallax.session.ageing import Retention
from openparallax.session.erasure import Erasure, Live
from openparallax.session.notices import Notices
from openparallax.session.retention import Forgetting
from openparallax.storage import Connection, Database, meta
from openparallax.storage.meta import Numbers
from openparallax.trail import Trail
from openparallax.transcript import Transcripts
from openparallax.transcript.durable import DurableTranscript
from openparallax.transcript.volatile import VolatileTranscript


@dataclass(frozen=True, slots=True)
class Parts:
    """What a house is made of, save its listener.

    Attributes:
        answerers: Who answers now, by mode.
        fittings: What was made of the settings and may be exchanged.
        first_new: Messages below this number were admitted by an earlier process.
        was_clean: That process had stopped in order.
    """

    metrics: Metrics
    trail: Trail
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
    presence: Presence
    notices: Notices
    delivery: Delivery
    retention: Retention
    forgetting: Forgetting
    paces: Paces
    answerers: dict[Mode, Answering]
    fitter: Fitter
    fittings: Fittings
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
    trail = Trail(clock.now)

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
    fitter = Fitter(
        hash_key=hash_key,
        tools=Tools(clock=clock, log=log),
        clock=clock,
        log=log,
        metrics=metrics,
    )
    fittings = fitter.fit(settings)
    if keepers := fittings.plugged.keepers:
        log.warning(
            "off_the_record_refused",
            name=", ".join(keepers),
            hint="keeps what is said; see off_the_record.engine and off_the_record.pipeline",
        )
    directory = Directory()
    door = Door(
        accounts=fittings.accounts,
        directory=directory,
        transcripts=transcripts,
        notices=notices,
        turn_numbers=turn_numbers,
        parcel_numbers=parcel_numbers,
        clock=clock,
        refuses_otr=bool(keepers),
    )
    database.on_failure(door.drop)
    graph = Graphs(fittings.clients)
    paces = Paces(settings.outbox, clock)
    sent_lately = SentLately()
    delivery = Delivery(
        database=database,
        transcripts=transcripts,
        notices=notices,
        send=graph.send_text,
        sent_lately=sent_lately,
        trail=trail,
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
        pacing=paces.make,
        serves=graph.__contains__,
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
        trail=trail,
        is_draining=lambda: door.is_draining,
        advise=what_to_do,
        clock=clock,
        log=log,
    )
    answerers = dict(fittings.plugged.answerers)
    finisher = Finisher(
        database=database,
        transcripts=transcripts,
        notices=notices,
        parcel_numbers=parcel_numbers,
        post=Post(outbox.reserve, outbox.unreserve, outbox.take),
        clock=clock,
        log=log,
        metrics=metrics,
        trail=trail,
    )
    presence = Presence(
        shown={one: number.presence for one, number in numbers.items()},
        show=graph.show_presence,
        clock=clock,
    )
    taker = TurnTaker(
        database=database,
        transcripts=transcripts,
        answerers=answerers,
        obeying=Obeying(database=database, notices=notices, answerers=answerers),
        finisher=finisher,
        steps=Steps(trail, clock),
        asking=Asking(transcripts=transcripts, find_sent=sent_lately.find),
        presence=presence,
        serves=graph.__contains__,
        is_doubtful=door.lists.is_doubtful,
        lets_in=Standing(database, to_ask=door.lists.to_ask, log=log).lets_in,
        find_chat=partial(directory.by_id, database),
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
        trail=trail,
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
            expire=Leftovers(
                database,
                transcripts=transcripts,
                served=graph.numbers,
                clock=clock,
                log=log,
                metrics=metrics,
            ).expire,
            database=database,
            forgetting=forgetting,
            clock=clock,
            log=log,
        ),
        operator=Operator(database, clock=clock, log=log, erasure=erasure),
        presence=presence,
        notices=notices,
        delivery=delivery,
        retention=retention,
        forgetting=forgetting,
        paces=paces,
        answerers=answerers,
        fitter=fitter,
        fittings=fittings,
        first_new=first_new,
        was_clean=was_clean,
    )


async def _look_again(dispatcher: Dispatcher, outbox: Outbox) -> None:
    """The wall clock was set back: windows that only seemed closed are open."""
    await dispatcher.look_again()
    outbox.look_again()
