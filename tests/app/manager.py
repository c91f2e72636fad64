"""Plays the service manager: a datagram socket, and what a daemon said over it."""

import socket
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.app.patience import until


class Manager:
    """Hears what is sent to `address`: a path or, ``is_abstract``, a name in no folder."""

    def __init__(self, folder: Path, *, is_abstract: bool = False) -> None:
        self.address = f"@{folder}/notify" if is_abstract else str(folder / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._messages: list[dict[str, str]] = []

    def __enter__(self) -> Self:
        self._socket.bind(self.address.replace("@", "\0", 1))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    @property
    def messages(self) -> list[dict[str, str]]:
        """All that came so far, a dict for each datagram."""
        while True:
            try:
                came = self._socket.recv(65536).decode()
            except BlockingIOError:
                return self._messages
            self._messages.append(dict(line.split("=", 1) for line in came.split("\n")))

    def count(self, name: str) -> int:
        """How many datagrams had a line of that name."""
        return sum(name in message for message in self.messages)

    async def hears(self, name: str, times: int = 1) -> None:
        await until(lambda: self.count(name) >= times, timeout_s=20)
