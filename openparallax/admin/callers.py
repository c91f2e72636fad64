"""Who may ask: no page of a browser on the TCP door, nobody but our own user on the socket."""

import ipaddress
import os
import re
import socket
import struct
from urllib.parse import urlsplit

from aiohttp import hdrs, web

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")
_OWN_PAGE = frozenset({"same-origin", "none"})
ROOT = 0
_CREDENTIALS = struct.Struct("3i")


class Doorkeeper:
    """Keeps pages out of the TCP door.

    A page that the operator looks at can send requests to this machine. It cannot read the answer,
    unless its own name is made to point here (DNS rebinding): then ``Host`` has that name. So only
    names are let in that nobody else can have.

    Args:
        host: ``admin.host`` of the configuration.
    """

    def __init__(self, host: str) -> None:
        own = socket.gethostname().lower()
        self._names = frozenset({"localhost", host.lower(), own, own.partition(".")[0]}) - {""}

    def complaint(self, request: web.BaseRequest) -> tuple[int, str] | None:
        """Status and text of a refusal; None where the request may come in.

        Source:
            Fetch Metadata Request Headers (``Sec-Fetch-Site``); Fetch (``Origin``); RFC 9110 (421).
        """
        hosts = request.headers.getall(hdrs.HOST, [])
        if len(hosts) != 1 or not self._is_ours(hosts[0]):
            return 421, "ask by address, as localhost, or by the name in admin.host"
        for origin in request.headers.getall(hdrs.ORIGIN, []):
            if not _is_of(origin, hosts[0]):
                return 403, "not for pages of other sites"
        sites = request.headers.getall("Sec-Fetch-Site", [])
        if any(site.strip().lower() not in _OWN_PAGE for site in sites):
            return 403, "not for pages of other sites"
        return None

    def _is_ours(self, host: str) -> bool:
        found = _HOST.fullmatch(host)
        if found is None:
            return False
        name = found[1].lower()
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True


def is_own_peer(request: web.BaseRequest) -> bool:
    """Whether a process of our own user, or of root, is at the other end of the unix socket.

    Source:
        unix(7), ``SO_PEERCRED``: the credentials at the time of ``connect``.
    """
    transport = request.transport
    transport_socket = transport.get_extra_info("socket") if transport is not None else None
    if transport_socket is None:
        return False
    try:
        # A duplicate, since what uvloop hands out cannot be asked for options.
        with socket.socket(fileno=os.dup(transport_socket.fileno())) as peer:
            raw = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    except OSError:
        return False
    _, user, _ = _CREDENTIALS.unpack(raw)
    return user in {ROOT, os.geteuid()}


def _is_of(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and parts.netloc.lower() == host.lower()
