"""What a programme says: steps, and the messages in them. Pure data, and the same again as JSON."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any, Self

WORDS = "words"
TAKES_WORDS = ("/new words", "/otr words")
COMMANDS = ("/new", "/otr", "/otr off", "/help", "/status")
MISTYPED = ("/help words", "/ort words", "/offtherecord")
OTHERS = ("picture", "caption", "captioned /otr", "place", "reaction", "unsupported", "resend")
"""What else a person may send. ``captioned /otr`` is the command, as the caption of a picture."""
REVOKE = "revoke"
ECHO = "echo"
"""What a person of ours wrote to ``who`` from the phone: they have taken over."""
STRANGERS = 50
"""People from here on are first known by their number, then by another id, and then by both."""
FORGET = "forget"
"""No message: somebody has all words of the chat removed, through the daemon's socket."""
LIMIT_WINDOW_S = 20.5
"""By Meta's timestamps, which are whole: a little more or less is the same."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of one person.

    Attributes:
        number: Its own in the programme; its words are made of it.
        who: Which person, counted from 0.
        what: `WORDS`, a command as it is written, `REVOKE`, `ECHO`, or one of the other kinds.
        at: Meta's timestamp, in seconds since some moment before the programme.
        mood: How the engine takes it; see `tests.torture.engine`.
        account: Which of our numbers it goes to.
        of: For a `REVOKE`, the number of the message that is deleted.
        known_by: Which ids come with it: the number, or ``id``, or ``both``.
    """

    number: int
    who: int
    what: str
    at: int
    mood: str = ""
    account: int = 0
    of: int = 0
    known_by: str = ""

    @property
    def is_of_stranger(self) -> bool:
        """Whether it is somebody's who becomes known in pieces: one person in two chats."""
        return self.who >= STRANGERS

    @property
    def chat(self) -> tuple[int, int]:
        return self.account, self.who

    @property
    def has_words(self) -> bool:
        """Whether an engine is to answer it."""
        return self.what == WORDS or self.what in TAKES_WORDS

    @property
    def is_kept(self) -> bool:
        """Whether its words must be on disk, where they may."""
        return self.has_words or self.what == ECHO


Request = tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        do: What happens; see below.
        requests: What is posted.
        is_doubled: Each request goes out twice at once.

    What there is to do:

    ``post``: requests, each again and again until it is taken; several at the same time.
    ``forget``: the same through the daemon's socket, until it says that all words are gone.
    ``again``: the request that held message ``of``, once more.
    ``wait``: ``seconds``. ``rest``: until nothing is under way, at most ``seconds``.
    ``kill``: -9, ``seconds`` after it answers or, in the mood ``starting``, after it was started.
    ``kill at``: the daemon kills itself when it passes ``point`` for the ``nth`` time from now;
    ``struck`` waits for that, at most ``seconds``.
    ``stop``: SIGTERM, once it answers.
    ``clock``: its wall clock is ``seconds`` ahead from now on.
    ``graph``: what becomes of the next ``count`` sends to ``who``, by its ``mood``.
    ``statuses``: the same of the statuses of what is taken.
    ``down``, ``up``: nobody listens at Graph's address, and somebody does again.
    ``reload``: the configuration is changed as ``mood`` says (`tests.torture.changing`) and the
    running daemon is told, by SIGHUP or, where ``point`` is ``control``, through its socket.
    """

    do: str
    requests: tuple[Request, ...] = ()
    is_doubled: bool = False
    of: int = 0
    who: int = 0
    mood: str = ""
    count: int = 1
    seconds: float = 0.0
    point: str = ""
    nth: int = 1


@dataclass(frozen=True, slots=True)
class Programme:
    """Steps, and what the daemon is configured with.

    Attributes:
        seed: Of what is not said in the steps, such as the canary.
        people: How many there are.
        accounts: How many numbers of ours.
        coalesces: Whether what waits is answered together.
        schema: The file is of this schema at first; 0: there is none.
        takeover_s: For how long a chat is a person's of ours after they wrote in it, by Meta's
            timestamps.
        limit: How many messages one chat may have answered in `LIMIT_WINDOW_S`; 0: all.
    """

    seed: int
    people: int
    steps: tuple[Step, ...]
    accounts: int = 1
    coalesces: bool = True
    schema: int = 0
    takeover_s: int = 3600
    limit: int = 0

    @property
    def messages(self) -> Iterator[Message]:
        """All that is said, in the order in which it is written down here."""
        for request in self.requests:
            yield from request

    @property
    def requests(self) -> Iterator[Request]:
        for step in self.steps:
            yield from step.requests

    def with_steps(self, steps: Sequence[Step]) -> "Programme":
        return replace(self, steps=tuple(steps))

    def to_json(self) -> str:
        """One line a step."""
        head = {key: value for key, value in _short(self).items() if key != "steps"}
        steps = ",\n  ".join(json.dumps(_short(step)) for step in self.steps)
        return json.dumps(head)[:-1] + f', "steps": [\n  {steps}\n]}}\n'

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What `to_json` made.

        Raises:
            ValueError: It is no programme.
        """
        try:
            said: dict[str, Any] = json.loads(text)
            steps = [_step(step) for step in said.pop("steps")]
            return cls(**said, steps=tuple(steps))
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"this is no programme: {error}") from error


def _step(said: dict[str, Any]) -> Step:
    requests = tuple(
        tuple(Message(**message) for message in request) for request in said.pop("requests", [])
    )
    return Step(**said, requests=requests)


def _short(data: Programme | Step | Message) -> dict[str, Any]:
    """Without what is as it is anyway."""
    short = {}
    for field in fields(data):
        value = getattr(data, field.name)
        if field.default is MISSING or value != field.default:
            short[field.name] = value
    if isinstance(data, Step) and data.requests:
        short["requests"] = [[_short(one) for one in request] for request in data.requests]
    return short
