"""From outside in: whatever stands at the public address, the doctor names what is wrong."""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, Self

import pytest
import trustme

from openparallax.admin.exposition import Exposition
from openparallax.admin.server import AdminServer
from openparallax.doctor import outside as outside_module
from openparallax.doctor.daemon import Running
from openparallax.doctor.finding import Finding, Level
from openparallax.doctor.outside import Outside
from openparallax.metrics import Metrics
from openparallax.webhook.server import WebhookServer
from openparallax.webhook.signature import Key
from openparallax.webhook.tls import Certificates
from tests.doctor.front import (
    SECRET,
    WORD,
    Front,
    ending,
    in_public,
    listening,
    opened,
    outside,
    pem_context,
    saying,
)
from tests.fakes.clock import TurnedClock
from tests.pipeline.doubles import RecordedLog
from tests.webhook.certificates import Files, Pair, authority
from tests.webhook.conftest import Heard


@pytest.fixture(autouse=True)
def _less_than_meta_brings(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Three megabytes go to our own daemon alone; the others are judged by their answers."""
    if request.node.name != "test_our_own_daemon_is_well_and_keeps_nothing":
        monkeypatch.setattr(outside_module, "LARGE", 64 * 1024)


PAGE = "<html>Welcome to nginx!</html>"


def bad(findings: list[Finding]) -> list[Finding]:
    return [one for one in findings if one.level is not Level.OK]


class House:
    """Our own listener with TLS, and the socket on which it tells what it counted."""

    def __init__(self, folder: Path) -> None:
        files = Files(folder)
        files.write(Pair.issue())
        self.metrics, self.heard, log, clock = Metrics(), Heard(), RecordedLog(), TurnedClock()
        self.server = WebhookServer(
            host="127.0.0.1",
            port=0,
            accept=self.heard.take,
            verify_tokens=[WORD],
            keys=[Key(SECRET.encode(), frozenset({"1"}))],
            certificates=Certificates(
                certificate=files.certificate, key=files.key, clock=clock, log=log
            ),
            log=log,
            metrics=self.metrics,
            clock=clock,
        )
        self.admin = AdminServer(
            {}, host="127.0.0.1", port=None, folder=folder, reasons=self._reasons,
            exposition=self._exposition, log=log,
        )  # fmt: skip
        self.running = Running(pid=1, socket=folder / "control.sock")

    async def _reasons(self) -> list[str]:
        return []

    async def _exposition(self, accept: str) -> tuple[bytes, str]:
        return Exposition(self.metrics).render({}, accept)

    async def __aenter__(self) -> Self:
        await self.admin.start()
        await self.server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.server.close()
        await self.admin.close()


async def test_our_own_daemon_is_well_and_keeps_nothing(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        findings = await outside(house.server.port, house.running).see()
        assert bad(findings) == []
        assert {one.check for one in findings} == {
            f"outside.{name}"
            for name in ("handshake", "certificate", "verify", "signature", "large", "ours",
                         "latency")
        }  # fmt: skip
        assert house.heard.notifications == [], "nothing was admitted"
        assert house.server.last_at == 0, "and the daemon does not take it for Meta's"


async def test_another_daemon_with_the_same_word_is_not_ours(tmp_path: Path) -> None:
    async with House(tmp_path) as house, opened(Front()) as port:
        [one] = bad(await outside(port, house.running).see())
    assert (one.check, one.level) == ("outside.ours", Level.FAILURE)


class Row(NamedTuple):
    check: str
    says: str
    front: Front


TABLE = (
    Row("outside.handshake", "nothing behind it (502)", Front(instead=saying(502))),
    Row("outside.handshake", "knows no such path (404)", Front(instead=saying(404))),
    Row("outside.handshake", "redirects (301)", Front(instead=saying(301, Location="/x"))),
    Row("outside.handshake", "wants a login", Front(instead=saying(401))),
    Row("outside.handshake", "refuses the handshake (403)", Front(word="another")),
    Row("outside.handshake", "not the daemon", Front(instead=saying(200, PAGE))),
    Row("outside.handshake", "answers 418", Front(instead=saying(418))),
    Row("outside.verify", "any verify token", Front(word=None)),
    Row("outside.signature", "accepts what is wrongly signed", Front(secrets=None)),
    Row("outside.signature", "refuses what is rightly signed", Front(secrets=("another",))),
    Row("outside.large", "too large (413)", Front(most=32 * 1024)),
)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.says)
async def test_each_front_is_named_and_nothing_else(row: Row) -> None:
    async with opened(row.front) as port:
        found = bad(await outside(port).see())
    [one] = found
    assert (one.check, one.level) == (row.check, Level.FAILURE)
    assert row.says in one.says
    assert one.why
    assert one.to_do
    assert not any(WORD in text or SECRET in text for text in (one.says, one.to_do, one.command))


async def test_a_slow_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside_module, "SLOW_S", 0.0)
    async with opened(Front()) as port:
        [one] = bad(await outside(port).see())
    assert (one.check, one.level) == ("outside.latency", Level.WARNING)


@pytest.mark.parametrize(
    ("leaf", "level", "says"),
    [
        (lambda: ending(-1), Level.FAILURE, "has expired"),
        (lambda: ending(5), Level.WARNING, "expires in 5 days"),
        (lambda: authority().issue_cert("other.example"), Level.FAILURE, "is for another name"),
        (lambda: trustme.CA().issue_cert("localhost"), Level.FAILURE, "not trusted"),
    ],
)
async def test_what_is_wrong_with_a_certificate(leaf: object, level: Level, says: str) -> None:
    assert callable(leaf)
    async with opened(Front(), leaf()) as port:
        [one] = bad(await outside(port).see())
    assert (one.check, one.level) == ("outside.certificate", level)
    assert says in one.says


async def test_a_certificate_without_its_chain(tmp_path: Path) -> None:
    leaf = authority().create_child_ca().issue_cert("localhost")
    alone = leaf.cert_chain_pems[0].bytes()
    async with listening(
        Front(), pem_context(tmp_path, alone, leaf.private_key_pem.bytes())
    ) as port:
        [one] = bad(await outside(port).see())
    assert "comes without its chain" in one.says
    assert "fullchain.pem" in one.to_do


async def test_a_certificate_that_signed_itself(tmp_path: Path) -> None:
    odd = trustme.CA()
    context = pem_context(tmp_path, odd.cert_pem.bytes(), odd.private_key_pem.bytes())
    async with listening(Front(), context) as port:
        [one] = bad(await outside(port).see())
    assert "is self-signed" in one.says


async def test_nothing_listens() -> None:
    async with opened(Front()) as port:
        pass
    [one] = bad(await outside(port).see())
    assert (one.check, one.level) == ("outside.reachable", Level.FAILURE)
    [one] = bad(await outside(port, Running()).see())
    assert (one.check, one.level) == ("outside.reachable", Level.NOTE), "the daemon does not run"


async def test_a_name_without_an_address_and_one_of_a_network_inside() -> None:
    async def nowhere(_host: str, _port: int) -> list[str]:
        raise OSError

    async def inside(_host: str, _port: int) -> list[str]:
        return ["192.168.1.7"]

    async with opened(Front()) as port:
        asking = outside(port)
        asking._look_up = nowhere
        [one] = bad(await asking.see())
        assert (one.check, one.level) == ("outside.address", Level.FAILURE)
        asking = outside(port)
        asking._look_up = inside
        [one] = bad(await asking.see())
        assert (one.check, one.level) == ("outside.address", Level.WARNING)
        assert "192.168.1.7" in one.says


@pytest.mark.parametrize("host", ["10.0.0.1", "127.0.0.1", "localhost", "[::1]", "169.254.169.254"])
async def test_an_address_that_meta_cannot_reach_is_not_asked(host: str) -> None:
    """Neither the verify token nor anything signed goes there."""
    asking = Outside(
        replace(outside(1)._subject, callback_url=f"https://{host}/webhook"), Running(pid=-1)
    )
    [one] = await asking.see()
    assert (one.check, one.level) == ("outside.address", Level.FAILURE)
    assert one.says == f"Meta cannot reach {host.strip('[]')}: it is not of the internet."


async def test_without_an_app_secret_nothing_is_posted() -> None:
    front = Front()
    async with opened(front) as port:
        findings = await outside(port, secret="").see()
    assert bad(findings) == []
    assert front.bodies == []
    assert "outside.signature" not in {one.check for one in findings}


async def test_without_a_public_url_it_says_so() -> None:
    asking = outside(1)
    object.__setattr__(asking._subject, "callback_url", "")
    [one] = await asking.see()
    assert one.level is Level.NOTE
    assert "public_url" in one.to_do
    assert await in_public("", 0)
