"""Who listens on a port of this machine."""

import contextlib
import errno
import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_LISTENING: Final = "0A"
_PROC: Final = Path("/proc")


@dataclass(frozen=True, slots=True)
class Taker:
    """A process with a port; pid 0: which one may not be known by us."""

    pid: int = 0
    name: str = ""


def why_not_free(host: str, port: int) -> int:
    """The number of the error with which listening there would fail; 0: it would not."""
    try:
        rows = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE | socket.AI_NUMERICSERV
        )
    except OSError:
        return errno.EADDRNOTAVAIL
    for family, kind, protocol, _, address in rows:
        try:
            with socket.socket(family, kind, protocol) as trying:
                trying.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    trying.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                trying.bind(address)
                trying.listen(1)
        except OSError as error:
            return error.errno or errno.EADDRNOTAVAIL
    return 0


def taker_of(port: int) -> Taker:
    """Who has ``port``; as far as we may know: other users' processes are for root alone."""
    sockets = set(_sockets(port))
    for pid in sorted(int(one.name) for one in _PROC.iterdir() if one.name.isdecimal()):
        with contextlib.suppress(OSError):
            for handle in (_PROC / str(pid) / "fd").iterdir():
                with contextlib.suppress(OSError):
                    if handle.readlink().name in sockets:
                        name = (_PROC / str(pid) / "comm").read_text("utf-8", "replace").strip()
                        return Taker(pid, "".join(c for c in name if c.isprintable())[:32])
    return Taker()


def _sockets(port: int) -> Iterator[str]:
    """Names of the listening sockets on ``port``, as they stand in a process's handles.

    Source:
        proc(5): local address and port in hexadecimal, state 0A is LISTEN, the tenth is the inode.
    """
    wanted = struct.pack(">H", port).hex().upper()
    for table in ("tcp", "tcp6"):
        try:
            lines = (_PROC / "self" / "net" / table).read_text("ascii", "replace").splitlines()
        except OSError:
            continue
        for line in lines[1:]:
            fields = line.split()
            if len(fields) > 9 and fields[3] == _LISTENING and fields[1].endswith(f":{wanted}"):
                yield f"socket:[{fields[9]}]"


def is_own(path: Path) -> bool:
    """Whether a file is ours, or we are root, who may do everything."""
    try:
        return os.geteuid() in (0, path.stat().st_uid)
    except OSError:
        return False
