"""Requests byte by byte, for what no client library would send."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from tests.fakes import meta


@dataclass(frozen=True)
class Answer:
    """All that came back until the server closed or the time was over."""

    raw: bytes
    is_closed: bool

    @property
    def status(self) -> int:
        """0 where there was no answer."""
        return int(self.raw.split(b" ", 2)[1]) if self.raw else 0


def head(method: str = "POST", path: str = "/webhook", /, **headers: object) -> bytes:
    """A request's head; underscores in names of headers become dashes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def signed_head(raw: bytes, **headers: object) -> bytes:
    return head("POST", "/webhook", X_Hub_Signature_256=meta.sign(raw), **headers)


def chunked(raw: bytes, size: int = 1000) -> bytes:
    """``raw`` in chunks, with the last, empty one."""
    pieces = [raw[start : start + size] for start in range(0, len(raw), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [*pieces, b""])


async def exchange(
    port: int, *pieces: bytes, answers: int | None = None, patience_s: float = 20
) -> Answer:
    """Send ``pieces``, and read until the server closes; then close.

    A server that keeps the connection open for a next request is read from until the heads of so
    many ``answers`` came. Reading also ends after ``patience_s`` without anything new.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    came, is_closed = b"", False
    try:
        for piece in pieces:
            writer.write(piece)
            try:
                await writer.drain()
            except ConnectionError:
                break
        while not is_closed and (answers is None or came.count(b"\r\n\r\n") < answers):
            try:
                more = await asyncio.wait_for(reader.read(65536), patience_s)
            except TimeoutError:
                break
            except ConnectionError:
                more = b""
            came += more
            is_closed = not more
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    return Answer(came, is_closed)
