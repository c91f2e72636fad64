"""The named points at which the daemon can be told to die: real functions of it, wrapped.

Each is a function of the daemon, and whether the moment is the one before its first line or the one
after its last. A function that is renamed or gone makes `install` fail, and with it every start of
the tortured daemon and a test of the suite.
"""

import functools
import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from tests.torture.board import Board

When = Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class Point:
    """One moment in the life of the daemon.

    Attributes:
        name: As reports and programmes have it.
        at: ``module:function`` or ``module:Class.method``, below ``openparallax``.
        when: Before its first line or after its last.
        through: What brings the daemon there, so that a programme can see to it: a key of
            `generating.BAIT`.
    """

    name: str
    at: str
    when: When
    through: str = "words"


POINTS = (
    # the group commit
    Point("before BEGIN of a group", "storage.writer:Writer._begin", "before"),
    Point("inside a group, nothing written", "storage.writer:Writer._run_group", "before"),
    Point("inside a group, all written", "storage.writer:Writer._run_group", "after"),
    Point("before COMMIT", "storage.writer:Writer._commit", "before"),
    Point("after COMMIT, the loop has not heard", "storage.writer:Writer._ended", "before"),
    Point("after COMMIT, the loop has heard", "storage.writer:Writer._ended", "after"),
    # a request
    Point("a request is read, nothing is stored", "app.reception:Reception.accept", "before"),
    Point("the door has decided", "inbox.door:Door.admit", "after"),
    Point("stored, and words not yet held", "app.reception:Reception._accepted", "before"),
    Point("stored and told", "app.reception:Reception._accepted", "after"),
    Point("before the 200", "webhook.intake:Intake._note", "after"),
    Point("a repeat brings words again", "inbox.words:Keeper.bring_again", "after", "again"),
    Point("a message is revoked", "inbox.revoking:Revoked.revoke", "after", "revoke"),
    Point("a status is applied", "outbox.receipts:ReceiptDesk.apply", "after"),
    # commands
    Point("in the middle of /otr", "session.placement:go_off", "after", "/otr"),
    Point("/otr is placed and confirmed", "inbox.moving:Mover.go_off", "after", "/otr"),
    Point("in the middle of moving words off", "inbox.moving:_move_newer", "after", "late /otr"),
    Point(
        "words have moved, the log is whole",
        "app.housekeeping:Housekeeping.truncate",
        "before",
        "late /otr",
    ),
    Point(
        "words have moved, the log is cut",
        "app.housekeeping:Housekeeping.truncate",
        "after",
        "late /otr",
    ),
    Point("in the middle of /new", "session.placement:start_fresh", "after", "/new"),
    Point("in the middle of /otr off", "session.placement:come_back", "after", "/otr off"),
    # a turn
    Point("a turn begins", "dispatch.turn:TurnTaker.take", "before"),
    Point("a turn is claimed", "dispatch.claiming:Claiming.claim", "after"),
    Point("the engine has answered", "dispatch.turn:TurnTaker._ask", "after"),
    Point("before the answer is written", "dispatch.finish:Finisher._write", "before"),
    Point("the answer is posted", "dispatch.finish:Finisher._write", "after"),
    Point("a turn has ended", "dispatch.turn:TurnTaker.take", "after"),
    # a send
    Point("a send is claimed", "outbox.delivery:Delivery._claim", "after", "two parts"),
    Point("before a send leaves", "graph.client:GraphClient._post", "before"),
    Point("Graph has answered", "graph.client:GraphClient._post", "after"),
    Point("before the answer is settled", "outbox.settling:Settling.follow", "before"),
    Point("the answer is settled", "outbox.settling:Settling.follow", "after"),
    Point("a send is in doubt", "outbox.settling:Settling._wonder", "after", "doubt"),
    # forgetting
    Point(
        "before words are forgotten",
        "transcript.volatile:VolatileTranscript.forget",
        "before",
        "idle",
    ),
    Point("words are forgotten", "transcript.volatile:VolatileTranscript.forget", "after", "idle"),
    Point("before the sweep", "app.housekeeping:Housekeeping.sweep", "before"),
    Point("after the sweep", "app.housekeeping:Housekeeping.sweep", "after"),
    Point("before retention", "session.ageing:Retention.sweep", "before"),
    Point("after retention", "session.ageing:Retention.sweep", "after"),
    # people
    Point("two chats are merged", "storage.chats:merge", "after", "merge"),
    # the start
    Point("before the file is opened", "storage.file:DatabaseFile.open", "before", "start"),
    Point("before the file is migrated", "storage.upgrading:migrate", "before", "old file"),
    Point("the file is migrated", "storage.upgrading:migrate", "after", "old file"),
    Point("the file is open", "storage.file:DatabaseFile.open", "after", "start"),
    Point("all is built", "app.house:build", "after", "start"),
    Point(
        "the listener is up, nothing else", "webhook.server:WebhookServer.start", "after", "start"
    ),
    Point("its life has begun", "storage.meta:begin_life", "after", "start"),
    Point("recovery begins", "dispatch.dispatcher:Dispatcher.start", "after", "start"),
    Point("what was left is read", "dispatch.cursor:Cursor._catch_up", "after", "start"),
    Point("what was unsent is read", "outbox.outbox:Outbox._load", "after", "start"),
    Point("before words count as lost", "dispatch.turn:TurnTaker._lose", "before", "lost"),
    # the end
    Point("a stop begins", "app.house:House.stop", "before", "stop"),
    Point("turns are drained", "dispatch.dispatcher:Dispatcher.drain", "after", "stop"),
    Point("the door is closed", "webhook.server:WebhookServer.close", "after", "stop"),
    Point("sends have ended", "outbox.outbox:Outbox.stop", "after", "stop"),
    Point("the end is noted", "app.house:_end", "after", "stop"),
    Point("before the file is closed", "storage.file:DatabaseFile.close", "before", "stop"),
    Point("the file is closed", "storage.database:Database.close", "after", "stop"),
)

NUMBERS = {point.name: number for number, point in enumerate(POINTS)}


class MissingPointError(Exception):
    """The daemon has no such function any more; the message names it."""


def find(point: Point) -> tuple[Any, str]:
    """Where the function of a point stands: the module or class, and the name in it.

    Raises:
        MissingPointError: It does not.
    """
    module, _, path = point.at.partition(":")
    try:
        holder: Any = importlib.import_module(f"openparallax.{module}")
        *outer, name = path.split(".")
        for step in outer:
            holder = getattr(holder, step)
        function = vars(holder)[name]
    except (ImportError, AttributeError, KeyError):
        raise MissingPointError(f"{point.name}: there is no {point.at}") from None
    if not inspect.isroutine(function):
        raise MissingPointError(f"{point.name}: {point.at} is no function")
    return holder, name


def install(board: Board, die: Callable[[], None]) -> None:
    """Wrap them all.

    Raises:
        MissingPointError: A function is not there.
    """
    for number, point in enumerate(POINTS):
        holder, name = find(point)
        wrap = _before if point.when == "before" else _after
        setattr(
            holder, name, wrap(vars(holder)[name], functools.partial(_pass, board, number, die))
        )


def _pass(board: Board, number: int, die: Callable[[], None]) -> None:
    if board.passes(number):
        die()


def _before(function: Callable[..., Any], passed: Callable[[], None]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapped(*arguments: Any, **more: Any) -> Any:
        passed()
        return function(*arguments, **more)

    if not inspect.iscoroutinefunction(function):
        return wrapped

    @functools.wraps(function)
    async def wrapped_too(*arguments: Any, **more: Any) -> Any:
        passed()
        return await function(*arguments, **more)

    return wrapped_too


def _after(function: Callable[..., Any], passed: Callable[[], None]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapped(*arguments: Any, **more: Any) -> Any:
        result = function(*arguments, **more)
        passed()
        return result

    if not inspect.iscoroutinefunction(function):
        return wrapped

    @functools.wraps(function)
    async def wrapped_too(*arguments: Any, **more: Any) -> Any:
        result = await function(*arguments, **more)
        passed()
        return result

    return wrapped_too
