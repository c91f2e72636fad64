"""Connections that do not speak TLS yet: known from their first moment, so that they count."""

import asyncio
import os
import socket
from contextlib import suppress
from ssl import SSLContext

from openparallax.webhook.connections import Connections
from openparallax.webhook.crowd import Crowd
from openparallax.webhook.tls import HANDSHAKE_S, SHUTDOWN_S


class Handshakes:
    """Makes the protocols of a listener that speaks TLS.

    asyncio tells of a connection only once its handshake is done. Until then a stranger could hold
    any number of them, each for as long as a handshake may take. So a listener without TLS takes
    them, and hands each on.

    Args:
        connections: Makes what answers requests, once TLS is spoken.
    """

    def __init__(self, connections: Connections, crowd: Crowd, context: SSLContext) -> None:
        self._connections = connections
        self._crowd = crowd
        self._context = context
        self._under_way: set[asyncio.Task[None]] = set()

    def __call__(self) -> asyncio.Protocol:
        return _Accepted(self)

    @property
    def is_empty(self) -> bool:
        """Whether none is under way."""
        return not self._under_way

    async def close(self) -> None:
        """Give up what is under way; may be called twice."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def begin(self, accepted: socket.socket) -> None:
        """Wait for the handshake of a connection, which is closed here if there is none."""
        task = asyncio.get_running_loop().create_task(self._secure(accepted))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _secure(self, accepted: socket.socket) -> None:
        connection = self._connections()
        self._crowd.came(connection, _Handshake(accepted))
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: connection,
                accepted,
                ssl=self._context,
                ssl_handshake_timeout=HANDSHAKE_S,
                ssl_shutdown_timeout=SHUTDOWN_S,
            )
        except BaseException as error:
            self._crowd.left(connection)
            # What is no TLS, too slow or cut off: nobody is there to be told.
            if not isinstance(error, OSError):
                raise


class _Handshake:
    """What one is cut off by while it is under way."""

    def __init__(self, accepted: socket.socket) -> None:
        self._accepted = accepted

    def abort(self) -> None:
        """Cut it off: the loop, which has the socket now, sees its end."""
        with suppress(OSError):  # it has gone already
            self._accepted.shutdown(socket.SHUT_RDWR)


class _Accepted(asyncio.Protocol):
    """Takes a connection out of the hands of the listener, before anything of it is read."""

    def __init__(self, handshakes: Handshakes) -> None:
        self._handshakes = handshakes

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        listened: socket.socket = transport.get_extra_info("socket")
        try:
            accepted = socket.socket(fileno=os.dup(listened.fileno()))
        except OSError:  # no descriptor is left
            accepted = None
        transport.abort()  # type: ignore[attr-defined] # closes the listener's descriptor only
        if accepted is not None:
            accepted.setblocking(False)
            self._handshakes.begin(accepted)
