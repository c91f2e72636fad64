"""The listener alone: what two readers may read differently is refused, and its connection ends."""

from tests.security.behind import listening
from tests.security.smuggling import HIDDEN, VECTORS
from tests.webhook import wire

_TWO_REQUESTS = {
    # No framing header that anybody knows: by RFC 9112 the second one is a request of its own.
    "CL underscore name",
    # HTTP/1.0 with chunks: proxies refuse it, or hand on a length (faults/security).
    "1.0 with TE alone",
}
_ONE_REQUEST = {
    # One way to read it, by which the second one is the body of the first.
    "TE.TE underscore",
    "CL leading zero",
    "CL in connection",
    "long header name",
    "two spaces in the line",
    "GET with a body",
    "HEAD with a body",
    "Expect",
    "Upgrade",
    "Upgrade to h2c",
    "method override",
    "length and more",
    # One request, whose path has the other in it.
    "path encoded",
    # HTTP/0.9: one answer without a head, and the end.
    "no version",
}
# Asks for the end of the connection: all before it is answered by then.
_LAST = wire.head("GET", "/last", Connection="close")


def _at_health(name: str) -> bytes:
    """At the address whose connections stay open: the webhook's close where nothing is signed."""
    return VECTORS[name].replace(b"POST /webhook", b"GET /healthz")


async def test_what_is_ambiguous_is_refused_and_nothing_behind_it_is_read() -> None:
    async with listening() as behind:
        for name in VECTORS.keys() - _TWO_REQUESTS - _ONE_REQUEST:
            for blob in (VECTORS[name], _at_health(name)):
                answer = await wire.exchange(behind.port, blob, _LAST)
                assert answer.status == 400, name
                assert answer.is_closed, name
                assert answer.raw.count(b"HTTP/1.") == 1, name
        assert behind.paths == []


async def test_what_can_be_read_in_one_way_only_is_read_in_that_way() -> None:
    async with listening() as behind:
        for name in _ONE_REQUEST:
            # An upgrade that nobody takes up holds the connection, and reads nothing.
            await wire.exchange(behind.port, _at_health(name), _LAST, patience_s=0.2)
        assert behind.smuggled == []
        assert len(behind.paths) > len(_ONE_REQUEST)


async def test_what_is_hidden_is_seen_where_nothing_hides_it() -> None:
    """The control of the two tests above."""
    async with listening() as behind:
        await wire.exchange(behind.port, _at_health("CL underscore name"), _LAST)
    assert behind.paths == ["/healthz", HIDDEN, "/last"]
