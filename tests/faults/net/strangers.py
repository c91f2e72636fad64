"""What attacks are made of: raw connections, and a count of what became of them."""

import asyncio
import contextlib
import json
import os
import resource
import socket
import ssl
import struct
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

SIGNATURE = "sha256=" + "0" * 64
"""Of the right form; it signs nothing."""
CONTACT = "490000000"
"""Whom all messages of strangers are from; nobody may ever write to them."""
MESSAGE = (
    b'{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages",'
    b'"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550001111",'
    b'"phone_number_id":"1234567890123456"},"contacts":[{"profile":{"name":"Eve"},"wa_id":'
    b'"490000000"}],"messages":[{"from":"490000000","id":"wamid.eve","timestamp":"1790000000",'
    b'"type":"text","text":{"body":"from a stranger"}}]}}]}]}'
)


LATE_S = 90.0
Attack = Callable[["Target"], Coroutine[Any, Any, None]]


@dataclass
class Target:
    """Whom to attack, and for how long.

    Attributes:
        port: On 127.0.0.1, or the path of a unix socket.
        tally: What became of it, by short names.
        when_ready: Called once the attack is at its full strength.
    """

    port: int | str
    seconds: float
    tally: Counter[str] = field(default_factory=Counter)
    when_ready: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self._ends_at = time.monotonic() + self.seconds

    def begin(self) -> None:
        """From here on the time counts."""
        self._ends_at = time.monotonic() + self.seconds
        self.when_ready()

    @property
    def left_s(self) -> float:
        return max(self._ends_at - time.monotonic(), 0)

    def until_seen_s(self, *wanted: str) -> float:
        """Seconds until the end, and `LATE_S` more until one of these was counted.

        Whom is attacked may be on a busy machine, and do what it does a little later.
        """
        late_s = 0.0 if set(wanted) & set(self.tally) else LATE_S
        return max(self._ends_at + late_s - time.monotonic(), 0)

    async def until_the_end(self) -> None:
        await asyncio.sleep(self.left_s)

    async def connect(self, receive_buffer: int | None = None) -> socket.socket:
        """A connected socket that does not block."""
        family = socket.AF_UNIX if isinstance(self.port, str) else socket.AF_INET
        made = socket.socket(family, socket.SOCK_STREAM)
        made.setblocking(False)
        if receive_buffer is not None:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        address = self.port if isinstance(self.port, str) else ("127.0.0.1", self.port)
        try:
            await asyncio.wait_for(asyncio.get_running_loop().sock_connect(made, address), 10)
        except BaseException:
            made.close()
            raise
        self.tally["opened"] += 1
        return made

    @contextlib.asynccontextmanager
    async def connection(self, receive_buffer: int | None = None) -> AsyncIterator["Connection"]:
        """One connection; what the other side does to it is counted and not raised."""
        try:
            made = await self.connect(receive_buffer)
        except (OSError, TimeoutError) as error:
            self.tally[f"not connected: {type(error).__name__}"] += 1
            await asyncio.sleep(0.01)
            with contextlib.suppress(ConnectionError):
                yield Connection(None, self.tally)
            return
        try:
            yield Connection(made, self.tally)
        except ConnectionError:
            self.tally["cut"] += 1
        except TimeoutError:
            self.tally["stuck"] += 1
        finally:
            made.close()

    async def by(self, workers: int, work: Attack) -> None:
        """``work`` by several at once, each again and again until the end."""

        async def worker() -> None:
            while self.left_s:
                await work(self)

        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(worker())


class Connection:
    """Bytes out, and the answers counted; without a socket all is refused."""

    def __init__(self, made: socket.socket | None, tally: Counter[str]) -> None:
        self._socket = made
        self._tally = tally

    @property
    def socket(self) -> socket.socket:
        if self._socket is None:
            raise ConnectionError("never connected")
        return self._socket

    async def send(self, raw: bytes, timeout_s: float = 30) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.wait_for(loop.sock_sendall(self.socket, raw), timeout_s)
        self._tally["bytes"] += len(raw)

    async def answer(self, timeout_s: float) -> str:
        """The status that comes, "closed" or, if nothing comes in this time, "silence"."""
        loop = asyncio.get_running_loop()
        try:
            came = await asyncio.wait_for(loop.sock_recv(self.socket, 65536), timeout_s)
        except TimeoutError:
            found = "silence"
        except ConnectionError:
            found = "closed"
        else:
            found = came[9:12].decode("latin-1") if came else "closed"
        self._tally[found] += 1
        return found

    def reset(self) -> None:
        """Close with RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


def head(method: str = "POST", path: str = "/webhook", /, **headers: object) -> bytes:
    """A request's head; underscores in names of headers become dashes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def forged(raw: bytes = MESSAGE, **headers: object) -> bytes:
    """A whole request with a signature that is wrong."""
    return head(X_Hub_Signature_256=SIGNATURE, Content_Length=len(raw), **headers) + raw


def trusting_anybody() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def room_for_sockets() -> int:
    """How many descriptors this process may have, after asking for as many as there are."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard - 100


def run(attack: Attack, port: str, seconds: float) -> None:
    """Attack; say "ready" and, at the end, what came of it as JSON."""
    room_for_sockets()
    target = Target(int(port) if port.isdecimal() else port, seconds)
    target.when_ready = lambda: _tell("ready")
    asyncio.run(attack(target))
    _tell(json.dumps(target.tally))
    os._exit(0)  # whatever is still open is dropped at once, as a stranger's machine would


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
