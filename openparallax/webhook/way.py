"""Which way an unsigned request came: from a program of this machine, or from anywhere else."""

import re
from ipaddress import ip_address

from aiohttp import HttpVersion11, hdrs, web

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")
_TOLD_BY_PROXIES = frozenset(
    {
        "forwarded",
        "via",
        "cdn-loop",
        "true-client-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-original-forwarded-for",
        "x-original-host",
        "x-real-ip",
    }
)
_BEGINNINGS = (
    *("x-forwarded-", "cf-", "x-amzn-", "x-envoy-", "fly-", "tailscale-"),  # of proxies
    "sec-fetch-",  # of browsers
)


def came_from_outside(request: web.BaseRequest) -> bool:
    """Whether a request shows that no program of this machine made it.

    That is told by headers that proxies and tunnels add; by HTTP/1.0, which nginx speaks unless it
    is told otherwise (and from 1.29.7 on not any more); by a ``Host`` that is not this machine's
    loopback; and by what browsers send with the requests of a page, which could write anything to
    a port of this machine. A proxy that hides all of these is not noticed.

    Source:
        nginx, proxy_pass and proxy_http_version; Cloudflare, Fly.io, Tailscale, Envoy and AWS on
        the headers they add; Fetch Metadata Request Headers.
    """
    if request.version < HttpVersion11:
        return True
    for name in request.headers:
        lower = name.lower()
        if lower in _TOLD_BY_PROXIES or lower.startswith(_BEGINNINGS):
            return True
    return hdrs.ORIGIN in request.headers or not _is_loopback(request.headers.get(hdrs.HOST, ""))


def _is_loopback(host: str) -> bool:
    found = _HOST.fullmatch(host)
    if found is None:
        return False
    name = found[1].lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
