"""Kapso's client for Node, unmodified but for its ``baseUrl``, sends, manages and answers.

It comes from npm, into a temporary folder; that takes some seconds. So it runs where CI is set, or
by ``scripts/try-clients``, which also fails where the suite would skip.
"""

import asyncio
import json
import os
import shutil
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

from openparallax.emulator import Emulator, Message, Rules
from openparallax.emulator.webhooks.statuses import Ladder
from tests.emulator.clients.hearing import answers

HERE = Path(__file__).parent / "kapso"
MUST = os.environ.get("OPENPARALLAX_TRY_CLIENTS") == "1"
TOKEN = "EAAkapsostoken"
INSTALL_S = 120
OLDEST_NODE = 20
PATIENCE = {"npm_config_fetch_retries": "1", "npm_config_fetch_retry_mintimeout": "1000"}
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(20)

KINDS = {
    "sendText": "text",
    "sendImage": "image",
    "sendVideo": "video",
    "sendAudio": "audio",
    "sendDocument": "document",
    "sendSticker": "sticker",
    "sendLocation": "location",
    "sendContacts": "contacts",
    "sendTemplate": "template",
    "sendTemplate with names": "template",
    "sendInteractiveButtons": "interactive.button",
    "sendInteractiveList": "interactive.list",
    "sendInteractiveProduct": "interactive.product",
    "sendInteractiveProductList": "interactive.product_list",
    "sendInteractiveFlow": "interactive.flow",
    "sendInteractiveAddress": "interactive.address_message",
    "sendInteractiveLocationRequest": "interactive.location_request_message",
    "sendInteractiveCallPermission": "interactive.call_permission_request",
    "sendInteractiveCtaUrl": "interactive.cta_url",
    "sendInteractiveCarousel": "interactive.carousel",
    "sendInteractiveCatalogMessage": "interactive.catalog_message",
    "sendText by business-scoped id": "text",
    "sendRaw": "text",
}
ANSWERS = {
    "media.get": 8,
    "media.download": True,
    # Beside Kapso's own hosts it leaves the token away unless told: Meta would refuse that as well.
    "media.download without its token": 401,
    # A file that comes without a type is none to Meta: see `read_upload`.
    "upload bytes without a type": {"error": 100},
    "markRead": True,
    "sendText to nobody's window": {"error": 131047},
    "templates.create": "APPROVED",
    "templates.list": ["hello_world", "appointment_reminder", "order_update", "season"],
    # It asks /{waba}/message_templates/{id}, a path of Kapso's proxy that Graph does not have.
    "templates.get": {"error": 2500},
    "templates.delete": True,
    "settings.update": True,
    "settings.get": "DISABLED",
    "businessProfile.update": True,
    "businessProfile.get": "Bread",
    "deregister": True,
    "register": True,
    "media.delete": True,
}


def cannot(why: str) -> NoReturn:
    """Skip, or fail where it was asked for."""
    if MUST:
        pytest.fail(why)
    pytest.skip(why)


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """A folder with Kapso's client in it."""
    if not (MUST or os.environ.get("CI")):
        pytest.skip("Kapso's client is installed from npm: only in CI, or by scripts/try-clients")
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        cannot("node and npm are not installed")
    asked = await asyncio.create_subprocess_exec(node, "--version", stdin=DEVNULL, stdout=PIPE)
    version = (await asked.communicate())[0].decode().strip()
    if int(version.removeprefix("v").partition(".")[0]) < OLDEST_NODE:
        cannot(f"node is {version}, and Kapso's client wants {OLDEST_NODE}")
    for name in ("package.json", "kapso.mjs"):
        shutil.copy(HERE / name, tmp_path)
    options = ("--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--silent")
    install = await asyncio.create_subprocess_exec(
        npm,
        "install",
        *options,
        cwd=tmp_path,
        env={**os.environ, **PATIENCE, "npm_config_cache": str(tmp_path / "cache")},
        stdin=DEVNULL,
        stdout=DEVNULL,
        stderr=DEVNULL,
    )
    try:
        async with asyncio.timeout(INSTALL_S):
            code = await install.wait()
    except TimeoutError:
        install.kill()
        code = await install.wait()
    if code != 0:
        cannot("npm could not install Kapso's client: is its registry in reach?")
    return tmp_path


@asynccontextmanager
async def kapso(emulator: Emulator, folder: Path, wamid: str) -> AsyncIterator[dict[str, Any]]:
    """Kapso's bot, running; what its methods gave, and where it listens."""
    account = emulator.world.account
    told = {
        "url": emulator.url,
        "phoneNumberId": account.numbers[0].id,
        "wabaId": account.waba_id,
        "token": TOKEN,
        "appSecret": account.app_secret,
        "verifyToken": account.verify_token,
        "wamid": wamid,
    }
    node = await asyncio.create_subprocess_exec(
        "node",
        "kapso.mjs",
        cwd=folder,
        env={**os.environ, "TOLD": json.dumps(told)},
        stdin=PIPE,
        stdout=PIPE,
        limit=2**20,
    )
    assert node.stdout is not None
    assert node.stdin is not None
    try:
        async with asyncio.timeout(60):
            yield json.loads(await node.stdout.readline())
    finally:
        node.stdin.close()
        try:
            async with asyncio.timeout(10):
                await node.wait()
        except TimeoutError:
            node.kill()
            await node.wait()


def kind_of(message: Message) -> str:
    if message.kind == "interactive":
        return f"{message.kind}.{message.content.get('type')}"
    return message.kind


async def test_kapsos_client_and_bot(folder: Path) -> None:
    rules, ladder = Rules(pair_rate=False), Ladder(((0, "sent"), (0, "delivered")))
    async with Emulator(rules=rules, ladder=ladder) as emulator:
        world = emulator.world
        world.account.add_token(TOKEN)
        number_id = world.account.numbers[0].id
        hers = emulator.say("ann", "hello before")
        async with kapso(emulator, folder, hers.wamid) as said:
            results = said["results"]
            kinds = {}
            for name in KINDS:
                message = world.message(str(results[name]))
                kinds[name] = results[name] if message is None else kind_of(message)
            assert kinds == KINDS
            assert set(results) == {*KINDS, *ANSWERS, "upload", "sendReaction"}
            assert {name: results[name] for name in ANSWERS} == ANSWERS
            assert hers.reactions == {"business": "❤"}
            before = sum(one.is_ours for one in world.chat(number_id, "ann").messages)

            emulator.delivery.url = said["listening"]
            assert await emulator.delivery.handshake() == (200, True)
            assert (await answers(emulator, "ann", before + 1))[-1].words == "you said hello before"
            assert (await answers(emulator, "ann", before + 1))[-1].quoted == hers.wamid
            emulator.send_media("ann", "image", PICTURE, "image/png")
            answer = (await answers(emulator, "ann", before + 2))[-1]
            assert answer.words == f"picture of {len(PICTURE)} bytes"
            emulator.say("ann", "question")
            question = (await answers(emulator, "ann", before + 3))[-1]
            emulator.tap("ann", question.wamid, "yes")
            assert (await answers(emulator, "ann", before + 4))[-1].words == "tapped yes"
            emulator.say("carol", "hello")
            assert (await answers(emulator, "carol", 1))[-1].words == "you said hello"
            await emulator.settled()
        assert not emulator.graph.broken
