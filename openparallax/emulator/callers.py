"""Who may ask: programs of this machine, and the page itself; no page of anywhere else."""

import ipaddress
import re
from urllib.parse import urlsplit

from aiohttp import hdrs, web

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")
_OWN_PAGE = frozenset({"same-origin", "none"})
_MARKS = (hdrs.ORIGIN, "Sec-Fetch-Site")
"""What browsers send and a bot's client does not."""


def is_loopback(host: str) -> bool:
    """Whether this ``Host`` can name nothing but this machine; any port, since it may be forwarded.

    A page may have its own name point here (DNS rebinding); then ``Host`` has that name.
    """
    found = _HOST.fullmatch(host)
    if found is None:
        return False
    name = found[1].lower()
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def complaint(request: web.BaseRequest, *, is_of_page: bool) -> str | None:
    """Why a request is refused with 403; None where it may come in.

    Graph is asked by programs, under whatever name they know it; only what a browser marked as its
    own is looked at there. The front page may be reached by a link from anywhere: it does nothing.

    Source:
        Fetch Metadata Request Headers (``Sec-Fetch-Site``); Fetch (``Origin``).
    """
    headers = request.headers
    is_of_browser = any(mark in headers for mark in _MARKS)
    if not is_of_page and not is_of_browser:
        return None
    hosts = headers.getall(hdrs.HOST, [])
    if len(hosts) != 1 or not is_loopback(hosts[0]):
        return "ask by a loopback address or as localhost"
    if request.path == "/" and request.method in {hdrs.METH_GET, hdrs.METH_HEAD}:
        return None
    if any(not _is_of(origin, hosts[0]) for origin in headers.getall(hdrs.ORIGIN, [])):
        return "not for pages of other sites"
    sites = headers.getall("Sec-Fetch-Site", [])
    if any(site.strip().lower() not in _OWN_PAGE for site in sites):
        return "not for pages of other sites"
    return None


def _is_of(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and parts.netloc.lower() == host.lower()
