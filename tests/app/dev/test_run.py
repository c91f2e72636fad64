"""One run after the other, as people have them: a process with a daemon as its child."""

import asyncio
import hmac
import json
import signal
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import RawTestServer

from openparallax.app.dev.outside import OF_PROGRAM
from openparallax.app.dev.ports import any_port
from tests.app.dev.dev import Dev, is_running
from tests.app.patience import until
from tests.canary import Canary, singing_in

OWN = """\
channels:
  whatsapp:
    phone_number_id: "111"
    access_token: token-1
    app_secret: secret-1
    verify_token: verify-1
    webhook_port: {port}
    allowed_numbers: ["+49 1511 2345678"]
    accounts:
      - phone_number_id: "222"
        access_token: token-2
        app_secret: secret-2
engine: {{type: echo}}
admin: {{enabled: false}}
storage: {{url: "sqlite:///real.db"}}
"""


async def test_a_day_with_it(tmp_path: Path) -> None:
    async with Dev(tmp_path, "--no-browser", WHATSAPP_APP_SECRET="of-a-real-number") as dev:
        await dev.is_up()
        assert f"WhatsApp on this machine: {dev.url}/\n" in dev.said
        assert f"openparallax status -c {dev.state}/config.yaml" in dev.said
        await _talk(dev)
        await _others_are_told(dev)
        await _kill_and_restart(dev)
        canary = Canary()
        await _off_the_record(dev, canary)
        pid = (await dev.daemon())["pid"]
        dev.signal(signal.SIGINT)
        assert await dev.ended() == 0
        assert not is_running(pid)
        assert "Traceback" not in dev.said
        assert "hello" not in dev.said  # no word of a conversation on the screen
        assert singing_in(tmp_path, canary) == []


async def _talk(dev: Dev) -> None:
    shown = await dev.shown()
    assert shown["daemon"]["state"] == "up"
    assert shown["daemon"]["facts"]["engine"] == "echo"
    assert [line["what"] for line in shown["wire"]] != []  # the handshake
    await dev.ask("say", person="ann", text="hello")
    await dev.hears("ann", "hello")


async def _others_are_told(dev: Dev) -> None:
    code, said = await dev.second("--no-browser")
    assert code == 75
    assert f"its page is at {dev.url}/" in said
    (dev.folder / "own.yaml").write_text(OWN.format(port=dev.webhook_port))
    code, said = await dev.second("-c", "own.yaml", "--port", str(dev.port))
    assert code == 75
    page, webhook = said.splitlines()
    assert f"port {dev.port} (the page and Graph) is taken by openparallax dev (process" in page
    assert f"port {dev.webhook_port} (the webhook) is taken by openparallax serve (" in webhook
    assert "--port " in page
    assert f"webhook_port in {dev.folder}/own.yaml" in webhook


async def _kill_and_restart(dev: Dev) -> None:
    before = await dev.daemon()
    await dev.ask("kill")
    assert (await dev.daemon())["state"] == "down"
    assert not is_running(before["pid"])
    await dev.ask("say", person="ann", text="are you there?")
    await dev.ask("start")
    await dev.hears("ann", "are you there?")
    after = await dev.daemon()
    assert (after["state"], after["starts"]) == ("up", 2)
    assert after["pid"] != before["pid"]


async def _off_the_record(dev: Dev, canary: Canary) -> None:
    await dev.ask("say", person="ann", text="/otr")
    await until(lambda: _has_mode(dev, "off_the_record"))
    await dev.ask("say", person="ann", text=canary.words)
    await dev.hears("ann", canary.words)
    await dev.ask("stop")
    assert (await dev.daemon())["modes"] == {"ann": "off_the_record"}
    await dev.ask("start")


async def _has_mode(dev: Dev, mode: str) -> bool:
    modes: dict[str, Any] = (await dev.daemon())["modes"]
    return modes.get("ann") == mode


async def test_a_persons_own_configuration(tmp_path: Path) -> None:
    """Both numbers answer, the real database is not touched, and no daemon outlives us."""
    port = any_port()
    (tmp_path / "own.yaml").write_text(OWN.format(port=port))
    (tmp_path / "real.db").write_bytes(b"not even a database")
    async with Dev(tmp_path, "--no-browser", "-c", "own.yaml") as dev:
        await dev.is_up()
        assert "yours is not touched" in dev.said
        for number_id in ("111", "222"):
            await dev.ask("say", person="allowed-1", text=f"to {number_id}", number_id=number_id)
            await dev.hears("allowed-1", f"to {number_id}", number_id=number_id)
        await dev.ask("say", person="ann", text="hello?")  # she is not let in
        wire = (await dev.shown())["wire"]
        assert all(line["status"] == 200 for line in wire if line["status"] is not None), wire
        pid = (await dev.daemon())["pid"]
        dev.signal(signal.SIGKILL)
        await dev.ended()
        await until(lambda: not is_running(pid))
    assert (tmp_path / "real.db").read_bytes() == b"not even a database"


async def test_it_ends_while_it_starts(tmp_path: Path) -> None:
    async with Dev(tmp_path, "--no-browser") as dev:
        await until(dev.state.joinpath("daemon.log").exists)
        dev.signal(signal.SIGTERM)
        assert await dev.ended() == 130
        assert dev.said == ""


async def test_somebody_elses_program(tmp_path: Path) -> None:
    """It is called and answered with the credentials that it has."""
    heard: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()

    async def take(request: web.BaseRequest) -> web.Response:
        if request.method == "GET":
            is_right = request.query["hub.verify_token"] == "verify"
            return web.Response(text=request.query["hub.challenge"] if is_right else "no")
        heard.put_nowait((request.headers["X-Hub-Signature-256"], await request.read()))
        return web.Response()

    secrets = dict(zip(OF_PROGRAM, ("token", "secret", "verify"), strict=True))
    async with (
        RawTestServer(take) as bot,
        Dev(tmp_path, "--no-browser", "--bot", str(bot.make_url("/hook")), **secrets) as dev,
    ):
        await dev.is_up()
        assert "The handshake" not in dev.said
        assert (await dev.shown())["daemon"] is None
        await dev.ask("say", person="bob", text="hello")
        signature, body = await heard.get()
        assert signature == "sha256=" + hmac.digest(b"secret", body, "sha256").hex()
        number_id = json.loads(body)["entry"][0]["changes"][0]["value"]["metadata"][
            "phone_number_id"
        ]
        answer = {
            "messaging_product": "whatsapp",
            "to": "15550000002",
            "type": "text",
            "text": {"body": "hi"},
        }
        for token, status in (("other", 401), ("token", 200)):
            async with dev.session.post(
                f"{dev.url}/v25.0/{number_id}/messages",
                json=answer,
                headers={"Authorization": f"Bearer {token}"},
            ) as said:
                assert said.status == status
        await dev.hears("bob", "hi")
        assert sorted(tmp_path.rglob("*")) == [dev.out]  # noqa: ASYNC240 - nothing is kept
        dev.signal(signal.SIGHUP)
        assert await dev.ended() == 0


async def test_talking_through_a_pipe(tmp_path: Path) -> None:
    dev = Dev(tmp_path)
    dev.state.mkdir(parents=True)
    (dev.state / "lock").touch()  # as every run leaves it: without, the folder is not one of ours
    (dev.state / "openparallax.db").write_text("no database, and in the way " * 100)
    process = await dev.start(
        "--terminal",
        "--fresh",
        *dev.ports,
        stdin=asyncio.subprocess.PIPE,
        out=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate(b"hello\n\n/new and \xff again\nbye")
    assert process.returncode == 0
    talk = [line for line in out.decode().splitlines() if line.startswith(("you: ", "bot: "))]
    assert talk[:3] == ["you: hello", "bot: hello", "you: /new and \ufffd again"]
    assert "bot: and \ufffd again" in talk
    assert talk[-2:] == ["you: bye", "bot: bye"]
    assert "Traceback" not in out.decode()
