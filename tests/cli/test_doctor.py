"""``openparallax doctor`` as a person meets it: what it says, and what it ends with."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from click.testing import CliRunner, Result

from openparallax.cli import main
from openparallax.emulator import Account, Emulator
from openparallax.emulator.account import Subscription
from openparallax.service.variables import as_the_service
from tests.app.ports import free_port
from tests.app.process import Daemon
from tests.doctor.patient import COMMANDS, TOKEN

SECRET = "0123456789-app-secret-abcdef"
VERIFY = "my-secret-verify-token"


@pytest_asyncio.fixture
async def emulator() -> AsyncIterator[Emulator]:
    """The Graph of a bot that is well."""
    account = Account(
        app_secret=SECRET, subscription=Subscription(callback_url="https://b.example")
    )
    account.add_token(TOKEN)
    account.numbers[0].automation = {"commands": list(COMMANDS)}
    async with Emulator(account=account) as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def _of_the_bot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("OPENPARALLAX_CONFIG", "CONFIGURATION_DIRECTORY", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("WHATSAPP_ACCESS_TOKEN", TOKEN)
    monkeypatch.setenv("WHATSAPP_APP_SECRET", SECRET)


def configured(folder: Path, graph: str, **changes: Any) -> Path:
    """A configuration, which nobody else may read."""
    whatsapp = {
        "phone_number_id": "1234567890123456",
        "verify_token": VERIFY,
        "app_id": "1234567890",
        "waba_id": "102290129340398",
        "webhook_port": free_port(),
        "graph_api_url": graph,
        "allowed_numbers": ["+1234567890"],
    } | changes
    file = folder / "config.yaml"
    file.touch(mode=0o600)
    document = {
        "channels": {"whatsapp": whatsapp},
        "engine": {"type": "echo"},
        "storage": {"url": f"sqlite:///{folder / 'state' / 'openparallax.db'}"},
        "admin": {"enabled": False},
    }
    file.write_text(json.dumps(document), "utf-8")
    return file


async def run(*arguments: str, **more: Any) -> Result:
    result = await asyncio.to_thread(CliRunner().invoke, main, ["doctor", *arguments], **more)
    for secret in (TOKEN, SECRET, "15550100000", "555-010-0000"):
        assert secret not in result.output
    return result


async def test_a_bot_that_is_well(emulator: Emulator, tmp_path: Path) -> None:
    file = configured(tmp_path, emulator.url)
    result = await run("-c", str(file))
    assert result.exit_code == 0, result.output
    assert "✗" not in result.output
    assert "✓ The app is subscribed to the account." in result.output
    assert f"$ openparallax serve -c {file}" in result.output, "it does not run yet"
    assert {one.method for one in emulator.wire.exchanges} == {"GET"}


async def test_a_bot_that_is_ill_ends_with_1_and_says_what_to_do(
    emulator: Emulator, tmp_path: Path
) -> None:
    emulator.world.account.subscribed_apps = []
    file = configured(tmp_path, emulator.url, public_url=None)
    result = await run("-c", str(file), "--json")
    assert result.exit_code == 1
    report = json.loads(result.output)
    assert report["ok"] is False
    [failure] = [one for one in report["findings"] if one["level"] == "failure"]
    assert failure["check"] == "account.subscribed"
    assert failure["command"] == f"openparallax doctor --fix -c {file}"

    mended = await run("-c", str(file), "--fix")
    assert mended.exit_code == 0
    assert mended.output.startswith("→ Subscribed the app to the WhatsApp account")
    assert emulator.world.account.subscribed_apps == ["1234567890"]


@pytest.mark.parametrize("as_json", [False, True])
async def test_a_wrong_configuration_ends_with_78_and_is_findings(
    tmp_path: Path, *, as_json: bool
) -> None:
    file = configured(tmp_path, "http://127.0.0.1:9", colour="red", webhook_port="high")
    result = await run("-c", str(file), *(["--json"] if as_json else []))
    assert result.exit_code == 78
    if as_json:
        found = json.loads(result.output)["findings"]
        assert {(one["group"], one["level"]) for one in found} == {("configuration", "failure")}
        assert len(found) == 2
    else:
        assert "channels.whatsapp.colour: is not a setting" in result.output.replace("\n    ", " ")


async def test_only_one_account_and_one_that_there_is_not(
    emulator: Emulator, tmp_path: Path
) -> None:
    other = {"phone_number_id": "8", "allowed_numbers": ["+4915112345678"]}
    file = configured(tmp_path, emulator.url, accounts=[other])
    result = await run("-c", str(file), "--account", "9")
    assert result.exit_code == 2
    assert "there are 1234567890123456, 8" in result.output
    assert (await run("-c", str(file), "--account", "1234567890123456")).exit_code == 0
    assert (await run("-c", str(file), "--account", "8")).exit_code == 1, "Graph knows no such"


async def test_offline_asks_nobody(emulator: Emulator, tmp_path: Path) -> None:
    file = configured(tmp_path, emulator.url)
    result = await run("-c", str(file), "--offline", "--fix")
    assert result.exit_code == 0
    assert not emulator.wire.exchanges
    assert "Meta" not in result.output.replace("Meta keeps", "")


async def test_colours_on_a_terminal_and_none_where_they_are_not_wanted(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = configured(tmp_path, emulator.url)
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[32m✓" in (await run("-c", str(file), "--offline", color=True)).output
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in (await run("-c", str(file), "--offline", color=True)).output


async def test_what_it_keeps_and_what_others_may_read_is_told(
    emulator: Emulator, tmp_path: Path
) -> None:
    file = configured(tmp_path, emulator.url, app_secret=SECRET, allowed_numbers=[])
    result = await run("-c", str(file), "--offline", "--json")
    found = {one["check"]: one for one in json.loads(result.output)["findings"]}
    assert found["configuration.everybody"]["level"] == "warning"
    assert found["configuration.literal"]["level"] == "warning"
    assert "channels.whatsapp.app_secret" in found["configuration.literal"]["says"]


async def test_the_running_daemon_is_asked_how_it_is(emulator: Emulator, tmp_path: Path) -> None:
    async with Daemon(tmp_path) as daemon:
        file = configured(tmp_path, emulator.url, webhook_port=daemon.port)
        daemon.environment = {"WHATSAPP_ACCESS_TOKEN": TOKEN, "WHATSAPP_APP_SECRET": SECRET}
        await daemon.start()
        result = await run("-c", str(file), "--json")
        assert result.exit_code == 0, result.output
        found = {one["check"]: one for one in json.loads(result.output)["findings"]}
        assert found["machine.daemon"]["level"] == "ok"
        assert f"(process {daemon.pid})" in found["machine.daemon"]["says"]
        assert "machine.port" not in found
        assert found["machine.state"]["level"] == "ok"


def test_root_asks_about_the_service_with_the_services_secrets(tmp_path: Path) -> None:
    file = tmp_path / "etc/openparallax/config.yaml"
    store = tmp_path / "etc/credstore"
    store.mkdir(parents=True)
    own = {"HOME": "/root"}
    assert as_the_service(file, own, root=tmp_path) == own
    (store / "whatsapp_access_token").write_text(TOKEN)
    found = as_the_service(file, own, root=tmp_path)
    assert found == own | {"CREDENTIALS_DIRECTORY": str(store)}
    given = own | {"CREDENTIALS_DIRECTORY": "/run/of/mine"}
    assert as_the_service(file, given, root=tmp_path) == given
    assert as_the_service(tmp_path / "home/c.yaml", own, root=tmp_path) == own
