"""The client of the running daemon: finds its socket through the database, asks, and waits."""

import http.client
import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

from openparallax.errors import Refusal

UNAVAILABLE, TRY_AGAIN = 69, 75
ANSWER_S = 60.0
"""How long an answer may take."""
STREAM_S = 3600.0
"""How long the first bytes of a stream may take: a copy is made before them."""


def database_of(config: Path | None) -> Path:
    """Where the database is that a command is about.

    Raises:
        ConfigError: The configuration cannot be read.
    """
    from openparallax.config import find_database  # noqa: PLC0415 - --help need not wait for it

    return find_database(config, os.environ)


def likely_database_of(config: Path | None) -> Path | None:
    """Where the database may be of a file that `database_of` refuses."""
    from openparallax.config import guess_database  # noqa: PLC0415 - the same

    return guess_database(config, os.environ)


def daemon_of(database: Path) -> Path | None:
    """The socket of the daemon that has ``database``; None if nobody has it.

    Raises:
        Refusal: Somebody has it who does not answer, or one may not know.
    """
    from openparallax.storage import holder_of  # noqa: PLC0415 - --help need not wait for it

    try:
        holder = holder_of(database)
    except Refusal as refusal:
        raise Refusal(str(refusal), exit_code=UNAVAILABLE) from None
    if holder is None:
        return None
    if holder.socket is None:
        who = f"process {holder.pid}" if holder.pid else "another process"
        raise Refusal(
            f"{who} has {database} and takes no commands: a daemon that is starting or stopping, "
            "or another command. Try again in a moment. If it stays so, look for "
            "control_not_available in the daemon's log.",
            exit_code=UNAVAILABLE,
        )
    return holder.socket


def running_daemon(database: Path) -> Path:
    """The socket of the daemon that has ``database``.

    Raises:
        Refusal: There is none, or it does not answer.
    """
    found = daemon_of(database)
    if found is None:
        raise Refusal(
            f"the daemon is not running: nobody uses {database}. Start it (openparallax serve; a "
            "service: systemctl start openparallax), or name its configuration: -c FILE.",
            exit_code=UNAVAILABLE,
        )
    return found


def ask(
    daemon: Path,
    name: str,
    asked: Mapping[str, Any],
    *,
    answer_s: float = ANSWER_S,
    may_repeat: bool = True,
) -> dict[str, Any]:
    """One control call, and its answer.

    Args:
        daemon: Its socket.
        name: Of the control.
        asked: What it is given.
        answer_s: How long the answer may take.
        may_repeat: Doing it twice does no harm; if not, 75 says that nobody knows whether it was
            done.

    Raises:
        Refusal: It was not done, or nobody knows; with the exit code for the command.
    """
    with _answer(daemon, name, asked, answer_s, may_repeat=may_repeat) as answer:
        return _parse(answer.read())


def stream(daemon: Path, name: str, asked: Mapping[str, Any]) -> Iterator[bytes]:
    """One control call that is answered with bytes; what breaks off is a `Refusal`."""
    with _answer(daemon, name, asked, STREAM_S) as answer:
        while piece := answer.read(1 << 20):
            yield piece


def lines(
    daemon: Path, name: str, asked: Mapping[str, Any], *, silence_s: float
) -> Iterator[bytes]:
    """One control call that is answered with lines, as they come; as `stream` otherwise.

    Args:
        daemon: Its socket.
        name: Of the control.
        asked: What it is given.
        silence_s: How long no line may come.
    """
    with _answer(daemon, name, asked, silence_s) as answer:
        while line := answer.readline():
            yield line


@contextmanager
def _answer(
    daemon: Path,
    name: str,
    asked: Mapping[str, Any],
    answer_s: float,
    *,
    may_repeat: bool = True,
) -> Iterator[http.client.HTTPResponse]:
    connection = _ToSocket(daemon, answer_s)
    is_in_doubt = False
    try:
        body = json.dumps(asked).encode("ascii")
        connection.connect()
        is_in_doubt = not may_repeat
        with suppress(BrokenPipeError):  # refused before all was read: the answer says why
            connection.request(
                "POST", f"/control/{name}", body, {"Content-Type": "application/json"}
            )
        answer = connection.getresponse()
        if answer.status != http.client.OK:
            _refuse(answer.status, answer.read(1 << 20))
        yield answer
    except TimeoutError:
        raise Refusal(
            f"the daemon did not answer within {answer_s:.0f} seconds. Look at its log.",
            exit_code=TRY_AGAIN,
        ) from None
    except PermissionError:
        raise Refusal(
            f"{daemon} may not be used by you: ask as the user whose daemon it is, or as root.",
            exit_code=UNAVAILABLE,
        ) from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        if is_in_doubt:
            raise Refusal(
                f"the daemon broke off ({type(error).__name__}), and whether it was done is not "
                "known. Look before you repeat it.",
                exit_code=TRY_AGAIN,
            ) from None
        raise Refusal(
            f"the daemon at {daemon} does not answer, or broke off ({type(error).__name__}): "
            "it is starting or stopping, or has died. Try again, then look at its log.",
            exit_code=UNAVAILABLE,
        ) from None
    finally:
        connection.close()


class _Known(dict[str, Any]):
    """An object of an answer; what it lacks, a daemon of another version does not tell."""

    def __missing__(self, key: str) -> NoReturn:
        raise Refusal(
            f"the daemon answered without {key}: it is of another version than this command. "
            "Restart it, so that both are the same.",
            exit_code=UNAVAILABLE,
        )


def _parse(body: bytes) -> dict[str, Any]:
    """The object in ``body``; `ValueError` if there is none."""
    try:
        found = json.loads(body, object_hook=_Known)
    except RecursionError:
        raise ValueError("too deep") from None
    if not isinstance(found, dict):
        raise ValueError("no object")  # noqa: TRY004 - as what is no JSON at all
    return found


def _refuse(status: int, body: bytes) -> NoReturn:
    try:
        found = json.loads(body)
        text, exit_code = str(found["error"]), int(found["exit_code"])
    except (ValueError, KeyError, TypeError):
        text = f"the daemon answered with HTTP status {status}"
        if status == http.client.FORBIDDEN:
            text = "the daemon takes commands from its own user and from root only"
        exit_code = UNAVAILABLE
    raise Refusal(text, exit_code=exit_code)


class _ToSocket(http.client.HTTPConnection):
    """HTTP over a unix socket, whose path may be longer than the 107 bytes of an address."""

    def __init__(self, path: Path, answer_s: float) -> None:
        super().__init__("localhost", timeout=answer_s)
        self._path = path

    def connect(self) -> None:
        folder = os.open(self._path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.sock.settimeout(self.timeout)
            self.sock.connect(f"/proc/self/fd/{folder}/{self._path.name}")
        finally:
            os.close(folder)
