"""Until when a certificate is good: as a library for certificates reads it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509

from openparallax.config.validity import ends_at
from tests.webhook.certificates import Files, Pair


def _issued(expires: datetime, kind: trustme.KeyType) -> bytes:
    leaf = trustme.CA().issue_cert(
        "localhost", "x" * 60 + ".example", key_type=kind, not_after=expires
    )
    return b"".join(blob.bytes() for blob in leaf.cert_chain_pems)


@pytest.mark.parametrize("kind", list(trustme.KeyType))
@pytest.mark.parametrize("years", [-1, 1, 40])
def test_as_the_library_reads_it(tmp_path: Path, years: int, kind: trustme.KeyType) -> None:
    """Times are written in two forms: up to 2049, and from 2050 on."""
    file = tmp_path / "certificate.pem"
    file.write_bytes(_issued(datetime.now(UTC) + timedelta(days=365 * years), kind))
    first = x509.load_pem_x509_certificates(file.read_bytes())[0]
    assert ends_at(file) == first.not_valid_after_utc.timestamp()


def test_what_cannot_be_told(tmp_path: Path) -> None:
    files = Files(tmp_path)
    files.write(Pair.issue())
    whole = files.certificate.read_text()
    assert ends_at(files.certificate) is not None
    assert ends_at(files.key) is None
    assert ends_at(tmp_path / "nothing") is None
    head, body = whole.split("\n", 1)
    for broken in (head, body, head + "\nAAAA\n-----END CERTIFICATE-----\n", "", "\x00\udcff"):
        files.certificate.write_text(broken, "utf-8", "surrogateescape")
        assert ends_at(files.certificate) is None
