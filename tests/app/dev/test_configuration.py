"""What the daemon is started with, and what the emulator must know of it."""

from pathlib import Path
from typing import Any

import pytest

from openparallax.app.dev.configuration import Setup, default_engine, generate, read_own
from openparallax.app.dev.folder import Folder
from openparallax.app.dev.outside import of_program, of_settings
from openparallax.config import find_database
from openparallax.emulator import cast
from openparallax.errors import ConfigError

SHELL = {
    "PATH": "/bin",
    "HOME": "/home/ann",
    "ANTHROPIC_API_KEY": "a-key",
    "WHATSAPP_ACCESS_TOKEN": "of-a-real-number",
    "WHATSAPP_PHONE": "of-a-real-number",
    "OPENPARALLAX_CONFIG": "/etc/real.yaml",
    "STATE_DIRECTORY": "/var/lib/real",
    "NOTIFY_SOCKET": "/run/real",
}
OWN = """\
channels:
  whatsapp:
    phone_number_id: "111"
    access_token: token-1
    app_secret: [secret-1, secret-0]
    verify_token: verify-1
    webhook_host: 0.0.0.0
    webhook_port: 19543
    webhook_path: /meta
    waba_id: "777"
    app_id: "666"
    allowed_numbers: ["+49 1511 2345678", "US.1000000000000003"]
    accounts:
      - phone_number_id: "222"
        access_token: token-2
        app_secret: secret-2
        waba_id: "888"
      - phone_number_id: "333"
        enabled: false
        access_token: token-3
engine: {type: echo}
storage: {url: "sqlite:///real.db"}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "dev").mkdir()
    return Folder(tmp_path / "dev", None)


def made(folder: Folder, **more: Any) -> Setup:
    given: dict[str, Any] = {"engine": "echo", "webhook_port": 9443, "admin_port": 9444} | more
    return generate(folder, SHELL, **given)


def own(folder: Folder, text: str = OWN) -> Setup:
    path = folder.path.parent / "own.yaml"
    path.write_text(text)
    return read_own(path, folder, SHELL)


def test_claude_answers_where_there_is_a_key() -> None:
    assert default_engine(SHELL) == "anthropic"
    assert default_engine({}) == default_engine({"ANTHROPIC_API_KEY": ""}) == "echo"


def test_nothing_of_a_real_number_is_handed_on(folder: Folder) -> None:
    environment = made(folder).environment
    assert "of-a-real-number" not in environment.values()
    assert environment.keys() == {
        *("PATH", "HOME", "ANTHROPIC_API_KEY"),
        *("WHATSAPP_ACCESS_TOKEN", "WHATSAPP_APP_SECRET", "WHATSAPP_VERIFY_TOKEN"),
    }


def test_the_secrets_are_in_the_environment_only_and_new_each_time(folder: Folder) -> None:
    runs = [made(folder), made(folder)]
    found = [{v for k, v in run.environment.items() if k.startswith("WHATSAPP_")} for run in runs]
    assert len(found[0] | found[1]) == 6
    written = folder.config.read_text()
    assert not any(secret in written for secret in found[1])
    assert not any(secret in repr(runs[1]) for secret in found[1])
    assert folder.config.stat().st_mode & 0o777 == 0o600


def test_the_made_one_is_what_somebody_who_tries_it_wants(folder: Folder) -> None:
    settings = made(folder).settings
    assert settings.storage.path == folder.database
    assert settings.storage.retention_days is None
    assert settings.whatsapp.rate_limit is None
    assert settings.whatsapp.presence == "typing"
    assert (settings.admin.enabled, settings.admin.port) == (True, 9444)
    assert find_database(folder.config, {}) == folder.database
    assert made(folder, admin_port=None).settings.admin.enabled is False


def test_changes_are_laid_over_it(folder: Folder) -> None:
    changes = {"conversation": {"history_messages": 0}, "notices": {"help": "Ask Ann."}}
    settings = made(folder, changes=changes).settings
    assert settings.conversation.history_messages == 0
    assert settings.conversation.drain_seconds == 5
    assert settings.notices == {"help": "Ask Ann."}


def test_an_engine_that_is_none(folder: Folder) -> None:
    """The file is ours: nobody is to go and edit it, so it is not named."""
    with pytest.raises(ConfigError, match=r"^engine\.type: names no engine"):
        made(folder, engine="ech")


def test_a_persons_own_keeps_all_but_the_database(folder: Folder) -> None:
    setup = own(folder)
    assert setup.environment == SHELL
    assert setup.settings.storage.path == folder.database
    assert setup.arguments == (
        *("-c", str(folder.path.parent / "own.yaml")),
        *("--storage-url", f"sqlite:///{folder.database}"),
    )
    assert not (folder.path.parent / "real.db").exists()
    # for `openparallax status -c` beside it
    assert find_database(folder.config, {}) == folder.database
    assert "secret-1" not in folder.config.read_text()


def test_every_problem_of_a_persons_own_is_told(folder: Folder) -> None:
    with pytest.raises(ConfigError) as raised:
        own(folder, "colour: red\nlog: {level: loud}\n")
    assert [one for one in raised.value.problems if "colour" in one or "log.level" in one] != []
    assert len(raised.value.problems) >= 3


def test_a_port_that_the_system_would_choose_cannot_be_told(folder: Folder) -> None:
    with pytest.raises(ConfigError, match="webhook_port is 0"):
        own(folder, OWN.replace("19543", "0"))


def test_the_emulator_knows_what_a_configuration_says(folder: Folder) -> None:
    outside = of_settings(own(folder).settings)
    account = outside.account
    assert [number.id for number in account.numbers] == ["111", "222"]
    assert len({number.display_phone_number for number in account.numbers}) == 2
    assert (account.app_secret, account.verify_token) == ("secret-1", "verify-1")
    assert [number.app_secret for number in account.numbers] == ["", "secret-2"]
    assert set(account.tokens) == {"token-1", "token-2"}
    assert account.waba_id == "777"
    assert [number.waba_id for number in account.numbers] == ["777", "888"]
    assert account.subscribed_apps == [account.app_id] == ["666"]
    assert outside.webhook_url == "http://127.0.0.1:19543/meta"
    assert outside.health_url == "http://127.0.0.1:19543/healthz"
    assert outside.certificates is None


def test_whoever_is_let_in_comes_first(folder: Folder) -> None:
    first, *others = of_settings(own(folder).settings).people
    assert (first.key, first.wa_id, first.user_id) == ("allowed-1", "4915112345678", None)
    assert others == cast()  # the business-scoped id is somebody's of the cast


def test_a_listener_with_a_certificate(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = own(folder).settings
    whatsapp = settings.whatsapp.model_copy(update={"tls": object(), "webhook_host": "::"})
    object.__setattr__(settings, "whatsapp", whatsapp)
    outside = of_settings(settings)
    assert outside.webhook_url == "https://[::1]:19543/meta"
    assert outside.certificates is not None
    assert outside.certificates.check_hostname is False


def test_signatures_are_left_out_where_there_is_no_secret(folder: Folder) -> None:
    lines = [line for line in OWN.splitlines() if "secret" not in line]
    text = "\n".join(lines).replace("0.0.0.0", "127.0.0.1")
    account = of_settings(own(folder, text).settings).account
    assert account.app_secret == ""


def test_somebody_elses_program_brings_its_credentials_or_is_given_some() -> None:
    url = "http://127.0.0.1:8000/hook"
    given = of_program(
        url,
        {
            "WHATSAPP_ACCESS_TOKEN": "t",
            "WHATSAPP_APP_SECRET": "s",
            "WHATSAPP_VERIFY_TOKEN": "v",
        },
    ).account
    assert ([*given.tokens], given.app_secret, given.verify_token) == (["t"], "s", "v")
    one, other = of_program(url, {}).account, of_program(url, {}).account
    assert one.tokens.keys() != other.tokens.keys()
    assert one.app_secret != other.app_secret


@pytest.mark.parametrize(
    "url",
    ["", "x", "http://example.org/", "http://192.0.2.1/", "ftp://localhost/", "http://[::1/"],
)
def test_a_program_elsewhere_is_not_written_to(url: str) -> None:
    with pytest.raises(ConfigError, match="on this machine"):
        of_program(url, {})


def test_the_first_person_is_let_in_by_the_first_number(folder: Folder) -> None:
    secret = "        app_secret: secret-2\n"
    more = '        allowed_numbers: ["+1 555 000-2222", "+49 1511 2345678"]\n'
    lists = OWN.replace(secret, secret + more)
    people = of_settings(own(folder, lists).settings).people
    assert [one.wa_id for one in people if one.key.startswith("allowed")] == [
        "4915112345678",
        "15550002222",
    ]


@pytest.mark.parametrize("host", ["192.0.2.7", "bot.example.org"])
def test_a_listener_that_loopback_does_not_reach_is_a_sentence(folder: Folder, host: str) -> None:
    settings = own(folder, OWN.replace("0.0.0.0", host)).settings
    with pytest.raises(ConfigError, match=r"webhook_host is .* loopback only"):
        of_settings(settings)
