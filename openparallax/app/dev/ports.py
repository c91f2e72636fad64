"""Ports that are taken: which, by whom, and what to do."""

import contextlib
import errno
import os
import re
import secrets
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from openparallax.errors import StartError

_LISTENS = "0A"
_SOCKET = re.compile(r"socket:\[(\d+)\]")
_TRIES = 200
_AWAY = range(12_000, 30_000)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A port that is needed.

    Attributes:
        what: Whose it is to be, such as ``the webhook``.
        change: How to have another one; ``{port}`` is filled with a free one.
    """

    what: str
    host: str
    port: int
    change: str


def check(wanted: Sequence[Wanted]) -> None:
    """See that every port can be had.

    Raises:
        StartError: Some cannot: each with who has it, where that can be found out, and what to do.
            75 if all of these are only taken, else 78.
    """
    lines = []
    exit_code = 75
    avoided = {one.port for one in wanted}
    before: dict[int, str] = {}
    for one in wanted:
        error = _why_not(one.host, one.port)
        if one.port in before:
            lines.append(f"port {one.port} is wanted for {before[one.port]} and for {one.what} too")
        before.setdefault(one.port, one.what)
        if error is None:
            continue
        free = free_port(one.port + 1, avoided)
        avoided.add(free)
        what = one.change.format(port=free)
        if error.errno == errno.EADDRINUSE:
            by = holder(one.port)
            lines.append(f"port {one.port} ({one.what}) is taken{f' by {by}' if by else ''}{what}")
        else:
            exit_code = 78
            why = error.strerror or "no such address"
            lines.append(f"port {one.port} ({one.what}) on {one.host} cannot be had: {why}{what}")
    if lines:
        raise StartError("\n".join(lines), exit_code=exit_code)


def free_port(first: int, avoided: set[int] | frozenset[int] = frozenset()) -> int:
    """A port of loopback that is free now, from ``first`` on where one is near."""
    for port in range(first, min(first + _TRIES, 65536)):
        if port not in avoided and _why_not("127.0.0.1", port) is None:
            return port
    return any_port()


def any_port() -> int:
    """A port of loopback that is free now, and likely nobody else's in a moment.

    It is below those that systems give to clients, and two that look at once find different ones.
    """
    while True:
        port = secrets.choice(_AWAY)
        if _why_not("127.0.0.1", port) is None:
            return port


def holder(port: int) -> str:
    """Who listens there, such as ``python3 (process 71)``; "" where it cannot be found out.

    Of processes of other users a system tells nothing, and only Linux is asked.
    """
    inodes = set(_inodes(port))
    if not inodes:
        return ""
    for process in Path("/proc").iterdir():
        if process.name.isdecimal() and inodes & _sockets(process):
            return f"{_name(process)} (process {process.name})"
    return ""


def _why_not(host: str, port: int) -> OSError | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        return error
    except OverflowError:
        return OSError(errno.EINVAL, "no such port")
    return None


def _inodes(port: int) -> Iterator[str]:
    """Of the sockets that listen on ``port``, on whichever address.

    Source: proc(5), ``/proc/net/tcp``: columns local_address, st and inode.
    """
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in (Path("/proc/net") / name).read_text("ascii").splitlines()[1:]:
                columns = line.split()
                if columns[3] == _LISTENS and int(columns[1].rpartition(":")[2], 16) == port:
                    yield columns[9]


def _sockets(process: Path) -> set[str]:
    found = set()
    with contextlib.suppress(OSError):  # another user's, or it has just ended
        for descriptor in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                if match := _SOCKET.fullmatch(os.readlink(descriptor)):  # noqa: PTH115 - no path
                    found.add(match[1])
    return found


def _name(process: Path) -> str:
    """The program; of Python what it runs, where that is one of ours."""
    with contextlib.suppress(OSError):
        words = (process / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
        for at, word in enumerate(words[:-1]):
            if Path(word).name == "openparallax":
                return f"openparallax {words[at + 1]}".strip()
    with contextlib.suppress(OSError):
        name = (process / "comm").read_bytes().decode("utf-8", "replace")
        return "".join(c for c in name if c.isprintable()) or "a program"
    return "a program"
