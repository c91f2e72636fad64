"""Without questions: options, files and variables; as a person meets it, words and exit codes."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from openparallax.app.setup import terminal
from openparallax.cli import main
from openparallax.emulator import Account, Emulator

SECRET = "0123456789abcdef0123456789abcdef"
TOKEN = "EAA" + "x" * 160
IDS = ("--app-id", "1234567890", "--waba-id", "102290129340398")
NUMBER = ("--phone-number-id", "1234567890123456")
REST = ("--allow", "+1 (555) 000-1111", "--engine", "echo", "--yes")


@pytest.fixture(autouse=True)
def _nobody_is_there(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "is_there", lambda: False)
    for name in ("OPENPARALLAX_CONFIG", "CONFIGURATION_DIRECTORY", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("APP_SECRET", "ACCESS_TOKEN", "VERIFY_TOKEN"):
        monkeypatch.delenv(f"WHATSAPP_{name}", raising=False)
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(home))
    (home / "token").write_text(f'"{TOKEN}"\n')
    (home / "secret").write_text(f"{SECRET}\n")


@pytest.fixture
def files(home: Path) -> tuple[str, ...]:
    return ("--token-file", str(home / "token"), "--app-secret-file", str(home / "secret"))


def _init(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["init", "-c", str(home / "config.yaml"), *arguments])


def test_all_that_is_missing_is_told_at_once(home: Path) -> None:
    result = _init(home, "--app-id", "twelve")
    assert result.exit_code == 2
    for option in ("app-secret-file", "phone-number-id", "waba-id", "token-file", "allow"):
        assert f"not given: --{option}" in result.stderr
    assert "not given: --api-key-file (for anthropic, or its variable), or --engine echo" in (
        result.stderr
    )
    assert "--app-id: The App ID is digits only" in result.stderr
    assert "openparallax init asks for all of it" in result.stderr
    assert not (home / "config.yaml").exists()


def test_offline(home: Path, files: tuple[str, ...]) -> None:
    result = _init(home, *IDS, *NUMBER, *files, *REST, "--offline", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    kept = home / "credentials" / "whatsapp_verify_token"
    assert told["verify_token"] == kept.read_text().strip()
    assert len(told["verify_token"]) == 32
    assert told["callback_url"] is None
    assert told["webhook_fields"] == ["messages"]
    assert told["configuration"] == str(home / "config.yaml")
    assert "--token-file: The quotes round it were left out." in told["warnings"]
    assert TOKEN not in result.output
    assert (home / "credentials" / "whatsapp_access_token").read_text() == f"{TOKEN}\n"
    check = CliRunner().invoke(main, ["check", "-c", str(home / "config.yaml")])
    assert (check.exit_code, check.stdout) == (0, f"{home / 'config.yaml'} is in order\n")


def test_secrets_of_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHATSAPP_ACCESS_TOKEN", TOKEN)
    monkeypatch.setenv("WHATSAPP_APP_SECRET", SECRET)
    monkeypatch.setenv("WHATSAPP_VERIFY_TOKEN", "my-own-word")
    result = _init(home, *IDS, *NUMBER, *REST, "--offline")
    assert result.exit_code == 0, result.output
    assert (home / "credentials" / "whatsapp_app_secret").read_text() == f"{SECRET}\n"
    assert "Verify token   my-own-word" in result.stdout
    assert "To paste at Meta" in result.stdout


def test_what_is_there_is_changed_only_when_told(home: Path, files: tuple[str, ...]) -> None:
    assert _init(home, *IDS, *NUMBER, *files, *REST, "--offline").exit_code == 0
    before = (home / "config.yaml").read_text("utf-8")
    refused = _init(home, "--public-url", "https://bot.example.org", "--offline")
    assert refused.exit_code == 1
    assert "is there already; --yes changes it" in refused.stderr
    assert (home / "config.yaml").read_text("utf-8") == before
    changed = _init(home, "--public-url", "https://bot.example.org", "--yes", "--offline")
    assert changed.exit_code == 0, changed.output
    assert "Callback URL   https://bot.example.org/webhook" in changed.stdout
    assert 'public_url: "https://bot.example.org"' in (home / "config.yaml").read_text("utf-8")
    assert (home / "config.yaml.1").read_text("utf-8") == before
    assert not (home / "credentials" / "whatsapp_access_token.1").exists()


def test_what_meta_calls_wrong_is_not_written(home: Path, files: tuple[str, ...]) -> None:
    async def with_graph(*arguments: str) -> Result:
        account = Account(app_secret=SECRET)
        account.add_token(TOKEN, target_ids=(account.waba_id,))
        async with Emulator(account=account) as emulator:
            return await asyncio.to_thread(_init, home, *arguments, "--graph-api-url", emulator.url)

    phone = ("--phone-number-id", "15550100000")
    result = asyncio.run(with_graph(*IDS, *phone, *files, *REST))
    assert result.exit_code == 1
    assert "This is the telephone number itself; Meta's id of it is" in result.stderr
    assert "(--phone-number-id 1234567890123456 --waba-id 102290129340398)" in result.stderr
    assert not (home / "config.yaml").exists()
    result = asyncio.run(with_graph(*IDS, *NUMBER, *files, *REST))
    assert result.exit_code == 0, result.output
    assert "things are well" in result.stdout


def test_without_a_network_it_is_written_unchecked(home: Path, files: tuple[str, ...]) -> None:
    nowhere = ("--graph-api-url", "http://127.0.0.1:1")
    result = _init(home, *IDS, *NUMBER, *files, *REST, *nowhere)
    assert result.exit_code == 0, result.output
    assert "could not be checked: Graph could not be reached" in " ".join(result.stdout.split())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--token-file", "-"), "standard input is for answers"),
        (("--token-file", "gone"), "the file cannot be read"),
        (("--allow", "+15550001111", "--allow-everybody"), "choose one"),
        (("--access-token", TOKEN), "No such option"),
    ],
)
def test_wrong_usage(home: Path, arguments: tuple[str, ...], says: str) -> None:
    result = _init(home, *arguments)
    assert result.exit_code == 2
    assert says in result.stderr
    assert TOKEN not in result.stderr


def test_for_the_system_secrets_are_credentials(home: Path, files: tuple[str, ...]) -> None:
    arguments = ["init", "--system", *IDS, *NUMBER, *files, *REST, "--offline"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    text = (home / "etc" / "config.yaml").read_text("utf-8")
    assert 'access_token: "credential:whatsapp_access_token"' in text
    token = home / "credstore" / "whatsapp_access_token"
    assert (token.read_text(), token.stat().st_mode & 0o777) == (f"{TOKEN}\n", 0o600)
    assert token.parent.stat().st_mode & 0o777 == 0o700
    assert "service install" in result.stdout


def test_an_engine_that_is_none(home: Path, files: tuple[str, ...]) -> None:
    result = _init(home, *IDS, *NUMBER, *files, "--allow-everybody", "--engine", "parrot")
    assert result.exit_code == 2
    assert "--engine: there is no engine of that name: anthropic, echo" in result.stderr


def test_a_place_that_cannot_be_written(home: Path, files: tuple[str, ...]) -> None:
    (home / "file").write_text("")
    place = str(home / "file" / "config.yaml")
    arguments = ["init", "-c", place, *IDS, *NUMBER, *files, *REST, "--offline"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 78
    assert "is no folder, so nothing can be written below it" in result.stderr


def test_the_engine_and_its_key(home: Path, files: tuple[str, ...]) -> None:
    (home / "key").write_text("sk-ant-made-up\n")
    key = ("--api-key-file", str(home / "key"))
    more = (*files, *key, "--allow-everybody", "--yes", "--offline")
    result = _init(home, *IDS, *NUMBER, *more)
    assert result.exit_code == 0, result.output
    text = (home / "config.yaml").read_text("utf-8")
    assert '  type: "anthropic"\n  api_key: "file:credentials/anthropic_api_key"\n' in text
    assert (home / "credentials" / "anthropic_api_key").read_text() == "sk-ant-made-up\n"
    result = _init(home, "--engine", "echo", *key, "--yes", "--offline")
    assert result.exit_code == 0, result.output
    assert "echo takes no key; it was left out" in result.stdout
    assert 'engine:\n  type: "echo"\n' in (home / "config.yaml").read_text("utf-8")
