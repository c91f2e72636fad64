"""One request to Graph, read as far as every edge needs it, and its answer."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from openparallax.emulator.account import Token
from openparallax.emulator.graph.reading import parse_object
from openparallax.emulator.wire import Exchange


@dataclass(slots=True, kw_only=True)
class Asked:
    """A request that carried a token that is let in (or needs none).

    Attributes:
        node: The first part of the path behind the version: an id, or ``debug_token`` and the like.
        edge: The rest, joined by ``/``; "" where the node itself is meant.
        query: Of the address; the last of doubled names.
        token: None where nobody checks tokens (the account has none) or the path needs none.
        body: Read already, but for multipart: that the edge reads from ``request``.
        exchange: Its line on the wire; an edge may set ``what`` and ``person``.
    """

    method: str
    version: str
    node: str
    edge: str
    query: Mapping[str, str]
    token_value: str = field(repr=False)
    token: Token | None = field(repr=False)
    body: bytes = field(repr=False)
    request: web.BaseRequest = field(repr=False)
    exchange: Exchange
    _said: dict[str, Any] | None = field(default=None, repr=False)

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; a form is read as one of strings; nothing is an empty one.

        Raises:
            GraphError: It is neither.
        """
        if self._said is None:
            self._said = parse_object(self.body, self.request.content_type)
        return self._said


@dataclass(slots=True)
class Answer:
    """An answer; ``body`` is a JSON value, or bytes with their type in ``headers``."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    response: web.StreamResponse | None = None
    """Given where the edge has answered by itself."""


Handler = Callable[[Asked], Awaitable[Answer]]
"""Raises `GraphError` where it refuses."""

Routes = Mapping[tuple[str, str], Handler]
"""(METHOD, edge) -> who answers. Nodes that are no ids (``debug_token``) stand as the edge."""
