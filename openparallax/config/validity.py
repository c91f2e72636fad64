"""Until when a certificate is good, read from its file or from what a server shows."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

_SEQUENCE: Final = 0x30
_VERSION: Final = 0xA0
_UTC_TIME: Final = 0x17
_END: Final = "-----END CERTIFICATE-----"


def ends_at(certificate: Path) -> float | None:
    """When the first certificate of a PEM file ends, unix seconds; None if that cannot be told."""
    der = der_of(certificate)
    span = span_of(der) if der is not None else None
    return span[1] if span is not None else None


def der_of(certificate: Path) -> bytes | None:
    """The first certificate of a PEM file, which is the server's own; None if there is none."""
    try:
        text = certificate.read_text("ascii", "replace")
        first = text[text.index("-----BEGIN CERTIFICATE-----") : text.index(_END) + len(_END)]
        return ssl.PEM_cert_to_DER_cert(first)
    except (OSError, ValueError):
        return None


def span_of(der: bytes) -> tuple[float, float] | None:
    """From and until when a certificate is good, unix seconds; None if that cannot be told.

    Source:
        RFC 5280, 4.1: Certificate is a sequence whose first item, tbsCertificate, has version
        (which may be left out), serialNumber, signature, issuer and validity; times are in UTC.
    """
    try:
        _, whole = next(_items(der))
        _, signed = next(_items(whole))
        fields = [item for item in _items(signed) if item[0] != _VERSION]
        tag, validity = fields[3]
        if tag != _SEQUENCE:
            return None
        begins, ends = _items(validity)
        return _moment(*begins), _moment(*ends)
    except (ValueError, IndexError, StopIteration):
        return None


def _moment(kind: int, text: bytes) -> float:
    moment = text.decode("ascii")
    if kind == _UTC_TIME:  # of two digits: up to 49 in this century
        moment = f"{'20' if moment < '50' else '19'}{moment}"
    return datetime.strptime(moment, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()


def _items(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each item of a sequence, whose lengths are believed.

    Source:
        ITU-T X.690, 8.1.3: lengths below 128 in one octet, else in as many as its low bits say.
    """
    at = 0
    while at < len(der):
        tag, size, at = der[at], der[at + 1], at + 2
        if size >= 0x80:
            count = size & 0x7F
            size, at = int.from_bytes(der[at : at + count], "big"), at + count
        yield tag, der[at : at + size]
        at += size
