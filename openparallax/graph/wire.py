"""POST on aiohttp's connections, spared what aiohttp makes for each request.

Connecting, TLS, the pool and the parsing of answers are aiohttp's. A request of ours differs from
the one before in its body only, so its head is made once; a request object, a task that writes it,
a writer and a response object for each were a sixth of what a message cost.
"""

import asyncio
from inspect import signature

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from openparallax.graph.answers import read_body


def is_possible() -> bool:
    """Whether aiohttp's inner parts are what they were in 3.14; else its own way is to be gone."""
    return {"req", "traces", "timeout"} <= signature(
        aiohttp.TCPConnector.connect
    ).parameters.keys() and {"set_response_params", "read"} <= set(dir(ResponseHandler))


class Wire:
    """Posts to a few addresses with the headers of a session."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        connector: aiohttp.TCPConnector,
        timeout: aiohttp.ClientTimeout,
    ) -> None:
        self._session = session
        self._connector = connector
        self._timeout = timeout
        self._heads: dict[URL, tuple[aiohttp.ClientRequest, bytes]] = {}

    async def post(self, url: URL, data: bytes) -> tuple[int, bytes | None]:
        """Status and body of the answer; the body is None where it is longer than any of Graph's.

        Redirects are not followed, and nothing is repeated.

        Raises:
            aiohttp.ClientConnectorError: Nothing was sent; so with `ConnectionTimeoutError`.
            aiohttp.ClientError, OSError: It may have been, ``TimeoutError`` included.
        """
        request, head = self._heads.get(url) or self._begin(url)
        async with asyncio.timeout(self._timeout.total):
            try:
                connection = await self._connector.connect(
                    request, traces=[], timeout=self._timeout
                )
            except TimeoutError as error:
                raise aiohttp.ConnectionTimeoutError from error
            is_whole = False
            try:
                message = b"%b%d\r\n\r\n%b" % (head, len(data), data)
                status, body = await _exchange(connection, request, message)
                is_whole = body is not None
            finally:
                if is_whole:
                    connection.release()
                else:
                    connection.close()
        return status, body

    def _begin(self, url: URL) -> tuple[aiohttp.ClientRequest, bytes]:
        request = aiohttp.ClientRequest(
            "POST",
            url,
            headers=self._session.headers,
            loop=asyncio.get_running_loop(),
            session=self._session,
        )
        lines = [f"POST {url.raw_path_qs} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in request.headers.items()]
        lines = [line for line in lines if not line.startswith("Content-Length:")]
        head = "\r\n".join([*lines, "Content-Length: "]).encode("ascii")
        self._heads[url] = request, head
        return request, head


async def _exchange(
    connection: Connection, request: aiohttp.ClientRequest, message: bytes
) -> tuple[int, bytes | None]:
    protocol, transport = connection.protocol, connection.transport
    if protocol is None or transport is None or transport.is_closing():
        raise aiohttp.ClientConnectionResetError
    protocol.set_response_params(read_until_eof=True)
    transport.write(message)
    try:
        answer, content = await protocol.read()
        while answer.code < 200 and answer.code != 101:  # more is to come
            answer, content = await protocol.read()
    except HttpProcessingError as error:
        raise aiohttp.ClientResponseError(request.request_info, (), status=error.code) from error
    return answer.code, await read_body(content)
