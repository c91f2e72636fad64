"""TLS on the public listener: real handshakes, renewals under way, and clients that speak none."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import trustme
import uvloop
from cryptography.hazmat.primitives import serialization

from openparallax.errors import StartError
from openparallax.metrics import Metrics
from openparallax.webhook import handshakes
from openparallax.webhook.server import WebhookServer
from openparallax.webhook.tls import LOOK_EVERY_S, Certificates
from tests.fakes import meta
from tests.fakes.clock import TurnedClock
from tests.pipeline.doubles import RecordedLog
from tests.town import ANN, Town
from tests.webhook import wire
from tests.webhook.certificates import Client, Files, Pair, shown_at, trusting
from tests.webhook.conftest import KEY, Heard

RAW = meta.body(meta.text(ANN, "hello quokka", at=1_790_000_000))
POST = wire.signed_head(RAW, Content_Length=len(RAW)) + RAW
LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]
RESTED_S = 2 * LOOK_EVERY_S
"""A change is seen at one look and read at the next."""


class Secured:
    """A running listener with TLS, its clock and what it logged."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.clock = TurnedClock()
        self.log = RecordedLog()
        self.heard = Heard()
        self.certificates = Certificates(
            certificate=files.certificate, key=files.key, clock=self.clock, log=self.log
        )
        self.server = WebhookServer(
            host="127.0.0.1",
            port=0,
            accept=self.heard.take,
            verify_tokens=[meta.VERIFY_TOKEN],
            keys=[KEY],
            certificates=self.certificates,
            log=self.log,
            metrics=Metrics(),
            clock=self.clock,
        )

    @property
    def port(self) -> int:
        return self.server.port

    @property
    def said(self) -> list[str]:
        return [event for _, event, _ in self.log.lines]

    @property
    def why(self) -> str:
        """The reason of the last refusal."""
        return str([keys["reason"] for _, _, keys in self.log.lines if "reason" in keys][-1])

    async def shows(self) -> bytes:
        return await shown_at(self.port)


@asynccontextmanager
async def listening(files: Files) -> AsyncIterator[Secured]:
    secured = Secured(files)
    await secured.server.start()
    try:
        yield secured
    finally:
        await secured.server.close()
        assert secured.clock.waiting == 0


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture
def first(files: Files) -> Pair:
    return files.write(Pair.issue())


@pytest.fixture
async def secured(files: Files, first: Pair) -> AsyncIterator[Secured]:
    async with listening(files) as made:
        yield made


def test_no_keys_are_written_and_none_changed_on_the_way(
    files: Files, first: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    certificates = Secured(files).certificates
    listens = certificates.start()
    certificates.close()
    for context in (listens, certificates._in_use):
        assert not context.keylog_filename
        assert context.options & ssl.OP_NO_RENEGOTIATION


def leaf(pair: Pair) -> bytes:
    """The first certificate of its file, as a client is shown it."""
    return pair.certificate.partition(b"-----END CERTIFICATE-----\n")[0] + (
        b"-----END CERTIFICATE-----\n"
    )


# Handshakes


async def test_a_signed_webhook_is_acknowledged(secured: Secured) -> None:
    client = await Client.connect(secured.port)
    assert (await client.asks(POST)).startswith(b"HTTP/1.1 200 OK\r\n")
    assert (await client.asks(POST)).startswith(b"HTTP/1.1 200 OK\r\n")
    assert client.protocol == "http/1.1"
    assert client.version in {"TLSv1.2", "TLSv1.3"}
    assert secured.heard.words == ["hello quokka"] * 2
    await client.close()
    assert secured.said == []


async def test_nothing_below_tls_1_2(secured: Secured) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection("127.0.0.1", secured.port, ssl=old)
    assert secured.said == []


@pytest.mark.parametrize("new_loop", LOOPS)
@pytest.mark.parametrize("names_host", [True, False])
def test_a_renewed_pair_is_shown_to_new_connections(
    files: Files,
    first: Pair,
    new_loop: Callable[[], asyncio.AbstractEventLoop],
    *,
    names_host: bool,
) -> None:
    """On both event loops, also to who names no host, also with a key of another kind."""

    async def story() -> None:
        async with listening(files) as secured:
            before = await Client.connect(secured.port, names_host=names_host)
            assert before.shown == leaf(first)
            second = files.write(Pair.issue(trustme.KeyType.RSA))
            await secured.clock.turn(RESTED_S)
            assert await shown_at(secured.port, names_host=names_host) == leaf(second)
            assert (await before.asks(POST)).startswith(b"HTTP/1.1 200 OK\r\n")
            await before.close()
            assert secured.said == ["certificate_renewed"]

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(story())


# Renewals


async def test_files_that_rest_are_not_read_again(secured: Secured) -> None:
    await secured.clock.turn(100 * LOOK_EVERY_S)
    assert secured.said == []


async def test_two_files_renewed_one_after_the_other(secured: Secured) -> None:
    second = Pair.issue()
    secured.files.certificate.write_bytes(second.certificate)
    await secured.clock.turn(LOOK_EVERY_S)
    secured.files.key.write_bytes(second.key)
    await secured.clock.turn(RESTED_S)
    assert secured.said == ["certificate_renewed"]
    assert await secured.shows() == leaf(second)


async def test_a_wrong_pair_is_kept_out_and_said_once(secured: Secured, first: Pair) -> None:
    second = Pair.issue()
    secured.files.certificate.write_bytes(second.certificate)
    await secured.clock.turn(100 * LOOK_EVERY_S)
    assert secured.said == ["certificate_refused"]
    assert secured.why.startswith("key is not the key of that certificate")
    assert await secured.shows() == leaf(first)
    secured.files.key.write_bytes(second.key)
    await secured.clock.turn(RESTED_S)
    assert secured.said == ["certificate_refused", "certificate_renewed"]
    assert await secured.shows() == leaf(second)


async def test_a_file_cut_short_and_then_whole(secured: Secured, first: Pair) -> None:
    second = Pair.issue()
    for file, whole in (
        (secured.files.certificate, second.certificate),
        (secured.files.key, second.key),
    ):
        file.write_bytes(whole[: len(whole) // 2])
        await secured.clock.turn(RESTED_S)
        assert secured.said[-1] == "certificate_refused"
        assert secured.log.lines[-1][2]["path"] == str(file)
        assert "names a file without a" in secured.why
        assert await secured.shows() == leaf(first)
        file.write_bytes(whole)
    await secured.clock.turn(RESTED_S)
    assert secured.said == ["certificate_refused"] * 2 + ["certificate_renewed"]
    assert await secured.shows() == leaf(second)
    logged = str(secured.log.lines)
    assert not any(line.decode() in logged for line in second.key.splitlines())


async def test_a_file_that_is_gone_and_comes_back(secured: Secured, first: Pair) -> None:
    secured.files.key.unlink()
    await secured.clock.turn(100 * LOOK_EVERY_S)
    assert secured.said == ["certificate_refused"]
    assert secured.why == "key names a file that cannot be read (No such file or directory)"
    assert await secured.shows() == leaf(first)
    second = secured.files.write(Pair.issue())
    await secured.clock.turn(RESTED_S)
    assert await secured.shows() == leaf(second)


async def test_symbolic_links_and_what_they_lead_to(tmp_path: Path) -> None:
    """As certbot has them: links into an archive, that turn to the next pair."""
    files = Files(tmp_path)
    pairs = [Pair.issue(), Pair.issue()]
    for number, pair in enumerate(pairs):
        (tmp_path / f"fullchain{number}.pem").write_bytes(pair.certificate)
        (tmp_path / f"privkey{number}.pem").write_bytes(pair.key)
    files.certificate.symlink_to("fullchain0.pem")
    files.key.symlink_to("privkey0.pem")
    async with listening(files) as secured:
        assert await secured.shows() == leaf(pairs[0])
        for link in (files.certificate, files.key):
            link.unlink()
            link.symlink_to(f"{link.stem}1.pem")
        await secured.clock.turn(RESTED_S)
        assert await secured.shows() == leaf(pairs[1])
        third = Pair.issue()
        (tmp_path / "fullchain1.pem").write_bytes(third.certificate)
        (tmp_path / "privkey1.pem").write_bytes(third.key)
        await secured.clock.turn(RESTED_S)
        assert await secured.shows() == leaf(third)
        assert secured.said == ["certificate_renewed"] * 2


# Clients that are none


@pytest.mark.parametrize("new_loop", LOOPS)
def test_who_speaks_no_tls_or_nothing_at_all_is_turned_away_without_a_word(
    files: Files,
    first: Pair,
    new_loop: Callable[[], asyncio.AbstractEventLoop],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story() -> None:
        async with listening(files) as secured:
            for _ in range(20):
                assert await wire.exchange(secured.port, POST) == wire.Answer(b"", is_closed=True)
            monkeypatch.setattr(handshakes, "HANDSHAKE_S", 0.05)
        async with listening(files) as secured:
            for sent in (b"", b"\x16\x03\x01"):
                assert await wire.exchange(secured.port, sent) == wire.Answer(b"", is_closed=True)
            assert secured.said == []

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(story())
    assert caplog.records == []


async def test_it_still_answers_after_plain_http(secured: Secured) -> None:
    await wire.exchange(secured.port, POST)
    client = await Client.connect(secured.port)
    assert b" 200 " in await client.asks(wire.head("GET", "/healthz"))
    await client.close()
    assert secured.said == []


# At the start


def without(files: Files) -> None:
    files.certificate.unlink()


def of_another(files: Files) -> None:
    files.key.write_bytes(Pair.issue().key)


def of_another_kind(files: Files) -> None:
    files.key.write_bytes(Pair.issue(trustme.KeyType.RSA).key)


def in_each_other_s_place(files: Files) -> None:
    files.certificate, files.key = files.key, files.certificate


def empty(files: Files) -> None:
    files.certificate.write_bytes(b"")


def no_text(files: Files) -> None:
    files.key.write_bytes(os.urandom(500))


def a_folder(files: Files) -> None:
    files.key.unlink()
    files.key.mkdir()


def a_pipe(files: Files) -> None:
    files.certificate.unlink()
    os.mkfifo(files.certificate)


def encrypted(files: Files) -> None:
    key = serialization.load_pem_private_key(files.key.read_bytes(), None)
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"sesame"),
        )
    )


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (without, "certificate names a file that cannot be read (No such file"),
        (of_another, "key is not the key of that certificate"),
        (of_another_kind, "key is not the key of that certificate"),
        (in_each_other_s_place, "certificate names a file without a certificate"),
        (empty, "certificate names a file without a certificate"),
        (no_text, "key names a file without a private key"),
        (a_folder, "key names something that is no file"),
        (a_pipe, "certificate names something that is no file"),
        (encrypted, "key names a key that is encrypted"),
    ],
)
async def test_what_cannot_be_used_is_said_at_the_start(
    files: Files, first: Pair, spoil: Callable[[Files], None], says: str
) -> None:
    spoil(files)
    secured = Secured(files)
    with pytest.raises(StartError) as raised:
        await secured.server.start()
    assert raised.value.exit_code == 78
    assert str(raised.value).startswith("channels.whatsapp.tls.")
    assert says in str(raised.value)
    assert secured.clock.waiting == 0
    await secured.server.close()


# Through the whole house


async def test_a_message_through_a_house_with_tls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: Pair, files: Files
) -> None:
    tls = {"certificate": str(files.certificate), "key": str(files.key)}
    changes = {"channels": {"whatsapp": {"tls": tls}}}
    async with (
        Town(tmp_path, monkeypatch, changes=changes) as town,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusting())) as session,
    ):
        url = f"https://localhost:{town.up.port}/webhook"
        await meta.Meta(session, url).deliver(meta.text(ANN, "hello"))
        assert await town.hears(ANN, 1) == ["hello"]
