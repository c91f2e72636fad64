"""The pair of files for https: found, read, and a pair."""

from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from openparallax.config import Tls
from tests.config.files import ENVIRONMENT, load, problems, with_line

W = "config.yaml:11: channels.whatsapp.tls"
CERTIFICATE, KEY = f"{W}.certificate: ", f"{W}.key: "


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def encrypted_key(authority: trustme.CA) -> bytes:
    key = load_pem_private_key(
        authority.issue_cert("bot.example.org").private_key_pem.bytes(), None
    )
    return key.private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(b"sesame")
    )


@pytest.fixture
def folder(tmp_path: Path, authority: trustme.CA, encrypted_key: bytes) -> Path:
    """One pair, another key, and files that are neither."""
    pair, other = (authority.issue_cert("bot.example.org") for _ in range(2))
    (tmp_path / "chain.pem").write_bytes(b"".join(p.bytes() for p in pair.cert_chain_pems))
    (tmp_path / "key.pem").write_bytes(pair.private_key_pem.bytes())
    (tmp_path / "both.pem").write_bytes(pair.private_key_and_cert_chain_pem.bytes())
    (tmp_path / "other.pem").write_bytes(other.private_key_pem.bytes())
    (tmp_path / "encrypted.pem").write_bytes(encrypted_key)
    (tmp_path / "words.pem").write_text("sesame")
    (tmp_path / "empty.pem").touch()
    broken = (tmp_path / "key.pem").read_text().replace("A", "sesame", 3)
    (tmp_path / "broken.pem").write_text(broken)
    (tmp_path / "binary.pem").write_bytes(bytes(range(256)))
    return tmp_path


def _tls(certificate: str = "chain.pem", key: str = "key.pem") -> str:
    return with_line(f"tls:\n  certificate: {certificate}\n  key: {key}")


@pytest.mark.parametrize(
    ("certificate", "key"),
    [("chain.pem", "key.pem"), ("~/chain.pem", "${DIR}/key.pem"), ("both.pem", "both.pem")],
)
def test_a_pair_is_taken_with_absolute_paths(folder: Path, certificate: str, key: str) -> None:
    environment = {**ENVIRONMENT, "HOME": str(folder), "DIR": str(folder)}

    tls = load(folder, _tls(certificate, key), environment).whatsapp.tls

    assert tls == Tls(certificate=folder / Path(certificate).name, key=folder / Path(key).name)


@pytest.mark.parametrize(
    ("certificate", "key", "line", "said"),
    [
        ("gone.pem", "key.pem", 12, "certificate: names a file that cannot be read (No such file"),
        (".", "key.pem", 12, "certificate: names something that is no file"),
        ("words.pem", "key.pem", 12, "certificate: names a file without a certificate (PEM text"),
        ("empty.pem", "key.pem", 12, "certificate: names a file without a certificate"),
        ("binary.pem", "key.pem", 12, "certificate: names a file without a certificate"),
        ("key.pem", "key.pem", 12, "certificate: names a file without a certificate"),
        ("' '", "key.pem", 12, "certificate: is empty"),
        ("5", "key.pem", 12, "certificate: must be text: put quotes round it"),
        ("null", "key.pem", 12, "certificate: has no value"),
        ("[chain.pem]", "key.pem", 12, "certificate: must be text, not a list"),
        ("${NOPE}", "key.pem", 12, "certificate: the environment variable NOPE is not set"),
        ('"a\\0b"', "key.pem", 12, "certificate: names a file that cannot be read (no path)"),
        ("chain.pem", "gone.pem", 13, "key: names a file that cannot be read (No such file"),
        ("chain.pem", "other.pem", 13, "key: is not the key of that certificate (the first one"),
        ("chain.pem", "encrypted.pem", 13, "key: names a key that is encrypted"),
        ("chain.pem", "words.pem", 13, "key: names a file without a private key (PEM text"),
        ("chain.pem", "broken.pem", 13, "key: names a file without a private key"),
        ("chain.pem", "chain.pem", 13, "key: names a file without a private key"),
    ],
)
def test_what_is_no_pair(folder: Path, certificate: str, key: str, line: int, said: str) -> None:
    [problem] = problems(folder, _tls(certificate, key))

    assert problem.startswith(f"config.yaml:{line}: channels.whatsapp.tls.{said}")
    assert "sesame" not in problem


def test_both_files_may_be_wrong_at_once(folder: Path) -> None:
    found = problems(folder, _tls("gone.pem", "gone.pem") + "log: {level: loud}\n")

    assert [problem.split(": ")[1] for problem in found] == [
        "channels.whatsapp.tls.certificate",
        "channels.whatsapp.tls.key",
        "log.level",
    ]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("tls: true", ": must be a block of settings, indented under it"),
        ("tls: [chain.pem, key.pem]", ": must be a block of settings, indented under it"),
        ("tls: {certificate: chain.pem}", ".key: is missing: the file with its private key"),
        ("tls: {key: key.pem}", ".certificate: is missing: the file with the certificate"),
        ("tls: {cert: chain.pem, key: key.pem}", ".cert: is not a setting; did you mean certif"),
    ],
)
def test_what_is_no_block_of_two(folder: Path, lines: str, said: str) -> None:
    found = problems(folder, with_line(lines))

    assert any(problem.startswith(f"{W}{said}") for problem in found), found
