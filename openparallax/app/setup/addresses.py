"""The address that Meta calls, and the numbers that may write: as people spell them."""

import ipaddress
import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from openparallax.app.setup.pasted import QUOTES, Pasted, Wrong, unwrapped
from openparallax.config import normalise_number

_BETWEEN_NUMBERS = re.compile(r"[,;\n]+|\s+(?=\+)|\s+and\s+")
EVERYBODY = frozenset({"*", "all", "any", "anyone", "everybody", "everyone"})


def public_url(text: str, path: str) -> Pasted:
    """The https address that Meta is to call, without ``path``; raises `Wrong`."""
    bare, notes = unwrapped(text)
    if not bare:
        raise Wrong("It is empty.")
    if bare.lower().startswith("http://"):
        raise Wrong(
            "Meta calls https only, with a certificate that browsers trust. A proxy such as Caddy,"
            " or a tunnel, gives you such an address; the daemon itself may stay on http behind it."
        )
    if "://" not in bare:
        bare = f"https://{bare}"
        notes = (*notes, "https:// was put before it.")
    try:
        parts = urlsplit(bare)
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        parts, port, host = urlsplit(""), None, ""
    if parts.scheme.lower() != "https" or not host or not bare.isprintable() or " " in bare:
        raise Wrong("This is no address such as https://bot.example.org.")
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise Wrong("It may have no user, question mark or # in it.")
    if _is_inside(host):
        raise Wrong(
            "Only this machine or its network knows that address; Meta calls from the internet."
        )
    if port not in {None, 443}:
        notes = (*notes, f"Port {port}: everybody uses 443, and Meta promises no other.")
    rest = parts.path.rstrip("/")
    if rest.endswith(path):
        rest = rest[: -len(path)]
        notes = (*notes, f"{path} is put behind it by itself.")
    shown = f"[{host}]" if ":" in host else host
    at = "" if port in {None, 443} else f":{port}"
    return Pasted(f"https://{shown}{at}{rest.rstrip('/')}", notes)


def _is_inside(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        last = host.rstrip(".").rpartition(".")[2].lower()
        return "." not in host or last in {"local", "localhost", "internal", "lan", "home"}


def contacts(texts: Sequence[str], *, own_number: str = "") -> tuple[tuple[str, ...], list[str]]:
    """Who may write: each as the file is to spell it, in order and once.

    Args:
        texts: Lists of numbers, parted by commas, semicolons or lines, in any spelling.
        own_number: The digits of the business's own number.

    Returns:
        What was understood; and a sentence for each that was not.
    """
    found: dict[str, None] = {}
    wrong = []
    for part in (part for text in texts for part in _BETWEEN_NUMBERS.split(text)):
        one = part.strip(QUOTES + " \t\r[]-")
        if not one:
            continue
        try:
            bare = normalise_number(one)
        except ValueError as error:
            wrong.append(f"{_shortened(one)} {error}.")
            continue
        if not bare.isdecimal():
            found[bare] = None
        elif one.lstrip("( ").startswith("0") and not one.startswith("00"):
            wrong.append(
                f"{_shortened(one)} begins with 0, so its country code is missing: write it as"
                " +49 151 12345678, with yours."
            )
        elif bare == own_number:
            wrong.append(f"{_shortened(one)} is the business's own number: nobody writes from it.")
        else:
            found[f"+{bare}"] = None
    return tuple(found), wrong


def _shortened(spelling: str) -> str:
    """Enough of it to be found again, and no more."""
    return f"\u2026{spelling[-3:]}" if len(spelling) > 3 else spelling
