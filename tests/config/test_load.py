"""What comes out of a file that is in order."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from openparallax.config import EngineChoice, StageChoice, load
from openparallax.errors import ConfigError
from tests.config.files import (
    ENGINES,
    ENVIRONMENT,
    SMALLEST,
    STAGES,
    ModelSettings,
    TimeLimitSettings,
    problems,
    with_block,
    with_line,
)
from tests.config.files import load as load_text

EVERYTHING = """\
channels:
  whatsapp:
    enabled: true
    phone_number_id: "1234567890123456"
    access_token_env: WHATSAPP_ACCESS_TOKEN
    app_secret_env: WHATSAPP_APP_SECRET
    verify_token: "something"
    webhook_host: 127.0.0.1
    webhook_port: 9443
    webhook_path: /webhook
    tls: null
    allow_unsigned_webhooks: false
    allowed_numbers: []
    graph_api_url: https://graph.facebook.com
    graph_api_version: v25.0
    graph_timeout_seconds: 20
    rate_limit: {window_seconds: 60, max_messages: 30}
    presence: typing
    human_takeover_minutes: 60
    app_id: null
    waba_id: null
    public_url: null
    accounts: []
engine:
  type: anthropic
  model: claude-sonnet-5-5
  api_key_env: ANTHROPIC_API_KEY
  base_url: null
  max_tokens: 1024
  system_prompt: "Be kind."
pipeline:
  - time_limit: {seconds: 120}
conversation:
  coalesce: queued
  history_messages: 40
  max_concurrent_turns: 100
  drain_seconds: 25
off_the_record: {idle_minutes: 60, engine: null, pipeline: null}
notices: {}
outbox:
  receipt_wait_seconds: 10
  messages_per_second: 80
  pair_burst: 45
  pair_interval_seconds: 6
  max_in_flight: 50
storage:
  url: sqlite:///state.db
  retention_days: null
admin: {enabled: true, host: 127.0.0.1, port: 9444}
log: {level: info, format: auto}
alerts:
  alert_command: null
  timeout_seconds: 30
  wait_minutes: 2
  repeat_minutes: 360
  all_clear: true
  backlog_messages: 100
  backlog_minutes: 15
  disk_free_megabytes: 500
  engine_failures: 5
  silence_hours: null
  token_days: 7
  certificate_days: 7
tracing: {enabled: false}
"""


def test_the_smallest_file_has_every_default(tmp_path: Path) -> None:
    settings = load_text(tmp_path, SMALLEST)
    whatsapp = settings.whatsapp

    assert whatsapp.phone_number_id == "1234567890123456"
    assert whatsapp.access_token == SecretStr("token-of-the-environment")
    assert whatsapp.app_secret == (SecretStr("app-secret-of-the-environment"),)
    assert whatsapp.verify_token == SecretStr("my-secret-verify-token")
    assert whatsapp.allowed_numbers == {"1234567890", "0987654321"}
    assert (whatsapp.webhook_host, whatsapp.webhook_port) == ("127.0.0.1", 9443)
    assert whatsapp.webhook_path == "/webhook"
    assert whatsapp.graph_api_url == "https://graph.facebook.com"
    assert whatsapp.graph_api_version == "v25.0"
    assert whatsapp.graph_timeout_seconds == 20
    assert settings.engine == EngineChoice(
        "anthropic", ModelSettings(api_key=SecretStr("key-of-the-environment"))
    )
    assert settings.pipeline == (StageChoice("time_limit", TimeLimitSettings(seconds=120)),)
    assert settings.conversation.model_dump() == {
        "coalesce": "queued",
        "history_messages": 40,
        "max_concurrent_turns": 100,
        "drain_seconds": 25,
    }
    assert settings.off_the_record.idle_minutes == 60
    assert settings.off_the_record.engine is None
    assert settings.off_the_record.pipeline is None
    assert settings.outbox.model_dump() == {
        "receipt_wait_seconds": 10,
        "messages_per_second": 80,
        "pair_burst": 45,
        "pair_interval_seconds": 6,
        "max_in_flight": 50,
    }
    assert settings.storage.path == Path("/home/somebody/.local/state/openparallax/openparallax.db")
    assert (settings.log.level, settings.log.format) == ("info", "auto")
    assert settings.notices == {}
    assert settings.warnings == ()


def test_the_full_file_of_the_contract_is_in_order(tmp_path: Path) -> None:
    settings = load_text(tmp_path, EVERYTHING)

    assert settings.storage.path == tmp_path / "state.db"
    assert [warning.split(" ")[0] for warning in settings.warnings] == [
        "channels.whatsapp.allowed_numbers",
    ]


def test_settings_do_not_change_and_do_not_show_secrets_or_numbers(tmp_path: Path) -> None:
    settings = load_text(tmp_path, SMALLEST)

    with pytest.raises(ValidationError):
        settings.whatsapp.webhook_port = 1  # type: ignore[misc]
    with pytest.raises(AttributeError):
        settings.engine = EngineChoice("echo", settings.engine.settings)  # type: ignore[misc]
    shown = f"{settings!r} {settings}"
    assert "environment" not in shown
    assert "my-secret" not in shown
    assert "1234567890'" not in shown


def test_off_the_record_may_have_its_own_engine_and_pipeline(tmp_path: Path) -> None:
    settings = load_text(
        tmp_path,
        with_block("off_the_record: {idle_minutes: 5, engine: {type: echo}, pipeline: []}"),
    )

    assert settings.off_the_record.engine is not None
    assert settings.off_the_record.engine.type == "echo"
    assert settings.off_the_record.pipeline == ()


def test_the_pipeline_keeps_its_order_and_forms(tmp_path: Path) -> None:
    settings = load_text(
        tmp_path,
        with_block("pipeline:\n  - shout\n  - time_limit: {seconds: 3}\n  - shout:\n"),
    )

    assert [stage.name for stage in settings.pipeline] == ["shout", "time_limit", "shout"]
    assert settings.pipeline[1].settings == TimeLimitSettings(seconds=3)


def test_engine_and_stages_know_where_the_file_names_them(tmp_path: Path) -> None:
    settings = load_text(
        tmp_path,
        with_block(
            "pipeline:\n  - shout\n  - time_limit:\n      seconds: 3\nengine:\n  type: echo\n"
            "off_the_record: {engine: {type: echo}}"
        ),
    )

    assert [stage.place for stage in settings.pipeline] == [
        f"{settings.file}:12: pipeline.0",
        f"{settings.file}:13: pipeline.1.time_limit",
    ]
    assert settings.engine.place == f"{settings.file}:15: engine"
    assert settings.off_the_record.engine is not None
    assert settings.off_the_record.engine.place == f"{settings.file}:17: off_the_record.engine"
    assert load_text(tmp_path, SMALLEST).engine.place == f"{settings.file}:1: engine"


def test_a_plugins_settings_may_be_more_than_text_and_numbers(tmp_path: Path) -> None:
    settings = load_text(
        tmp_path,
        with_block(
            "engine:\n"
            "  headers: {X-One: '${WHATSAPP_ACCESS_TOKEN}'}\n"
            "  paths: [/a, b]\n"
            "  proxy: {host: example.org, password: pw}\n"
        ),
    ).engine.settings

    assert isinstance(settings, ModelSettings)
    assert settings.headers == {"X-One": SecretStr("token-of-the-environment")}
    assert settings.paths == (Path("/a"), Path("b"))
    assert settings.proxy is not None
    assert settings.proxy.password == SecretStr("pw")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///bot.db", "{folder}/bot.db"),
        ("sqlite:///deeper/bot.db", "{folder}/deeper/bot.db"),
        ("sqlite:////var/lib/bot.db", "/var/lib/bot.db"),
        ("sqlite:///~/bot.db", "/home/somebody/bot.db"),
        ("sqlite:///${NAME:-bot}.db", "{folder}/bot.db"),
    ],
)
def test_the_database_lies_where_the_url_says(tmp_path: Path, url: str, path: str) -> None:
    settings = load_text(tmp_path, with_block(f'storage: {{url: "{url}"}}'))

    assert settings.storage.path == Path(path.format(folder=tmp_path))


def test_interpolation_reaches_numbers_too(tmp_path: Path) -> None:
    environment = {**ENVIRONMENT, "PORT": "8080", "WAIT": "1.5", "SAID": "no"}
    text = with_line("webhook_port: ${PORT}") + ("outbox: {receipt_wait_seconds: '${WAIT}'}\n")

    assert (
        load_text(tmp_path, with_line("webhook_port: ${PORT}"), environment).whatsapp.webhook_port
        == 8080
    )
    settings = load_text(
        tmp_path,
        with_block("outbox:\n  receipt_wait_seconds: ${WAIT}\nnotices:\n  lost: a ${SAID}\n"),
        environment,
    )
    assert settings.outbox.receipt_wait_seconds == 1.5
    assert settings.notices == {"lost": "a no"}
    # quoted, it stays text
    assert problems(tmp_path, text, environment) == [
        "config.yaml:11: outbox.receipt_wait_seconds: must be a number: take the quotes away"
    ]


def test_what_looks_like_a_number_stays_text_where_text_is_wanted(tmp_path: Path) -> None:
    environment = {**ENVIRONMENT, "ID": "0123456789"}
    settings = load_text(tmp_path, with_line("phone_number_id: ${ID}"), environment)

    assert settings.whatsapp.phone_number_id == "0123456789"


def test_dates_and_times_are_text(tmp_path: Path) -> None:
    settings = load_text(tmp_path, with_block("notices: {lost: 2026-10-01, otr: 22:30}"))

    assert settings.notices == {"lost": "2026-10-01", "otr": "22:30"}


def test_a_byte_order_mark_and_anchors_do_no_harm(tmp_path: Path) -> None:
    text = with_block("notices: {lost: &a Gone., otr: *a}")

    settings = load_text(tmp_path, b"\xef\xbb\xbf" + text.encode())

    assert settings.notices == {"lost": "Gone.", "otr": "Gone."}


@pytest.mark.parametrize(
    ("lines", "warned"),
    [
        ("presence: read", []),
        ("presence: none", []),
        ("rate_limit: null", []),
        ("rate_limit: {max_messages: 5}", []),
        ("tls: null", []),
        ("accounts: []", []),
        ("app_id: '1'", []),
        (
            "graph_api_url: http://graph.example.org/v",
            ["channels.whatsapp.graph_api_url is not https: the access token travels unprotected"],
        ),
        ("graph_api_url: http://127.0.0.1:8080", []),
        ("graph_api_url: http://[::1]:8080", []),
    ],
)
def test_what_has_no_effect_is_said(tmp_path: Path, lines: str, warned: list[str]) -> None:
    assert list(load_text(tmp_path, with_line(lines)).warnings) == warned


@pytest.mark.parametrize(
    ("admin", "is_warned"),
    [
        ("port: 1234", False),
        ("host: localhost", False),
        ("host: '::1'", False),
        ("host: 0.0.0.0", True),
        ("host: '::'", True),
        ("host: 10.1.2.3", True),
        ("enabled: false, host: 0.0.0.0", False),
    ],
)
def test_an_operators_listener_that_others_reach_is_warned_of(
    tmp_path: Path, admin: str, *, is_warned: bool
) -> None:
    settings = load_text(tmp_path, with_block(f"admin: {{{admin}}}"))

    warned = "admin.host is not loopback: there is no login, so whoever reaches it reads the"
    assert [warning.startswith(warned) for warning in settings.warnings] == [True] * is_warned


def test_how_long_words_are_kept_reaches_the_storage(tmp_path: Path) -> None:
    assert load_text(tmp_path, SMALLEST).storage.retention_days is None
    settings = load_text(tmp_path, with_block("storage: {retention_days: 30}"))
    assert settings.storage.retention_days == 30


@pytest.mark.parametrize("lines", ["allowed_numbers: []", None])
def test_everybody_is_let_in_only_with_a_warning(tmp_path: Path, lines: str | None) -> None:
    text = with_line(lines) if lines else SMALLEST[: SMALLEST.index("    allowed_numbers")]

    settings = load_text(tmp_path, text)

    assert settings.whatsapp.allowed_numbers == frozenset()
    assert [w for w in settings.warnings if "allowed_numbers is empty: everybody" in w]


def test_a_file_that_is_not_there_or_not_a_file(tmp_path: Path) -> None:
    for path, said in [
        (tmp_path / "nothing.yaml", "there is no such file"),
        (tmp_path, "is a folder; name the file in it"),
        (tmp_path / "nothing.yaml" / "x\0y", "cannot be read"),
    ]:
        with pytest.raises(ConfigError) as raised:
            load(path, environment=ENVIRONMENT, engines=ENGINES, stages=STAGES)
        assert raised.value.problems[0].startswith(f"{path}: {said}")


def test_further_numbers_have_what_they_say_and_else_what_the_first_one_has(
    tmp_path: Path,
) -> None:
    lines = """accounts:
      - phone_number_id: "77"
        access_token: another
        allowed_numbers: []
        rate_limit: null
      - phone_number_id: "88"
        enabled: false
      - phone_number_id: "99"
        graph_timeout_seconds: 5"""
    settings = load_text(tmp_path, with_line(lines))

    first, second, third = settings.whatsapp.numbers
    assert [one.phone_number_id for one in (second, third)] == ["77", "99"]
    assert second.access_token == SecretStr("another")
    assert second.app_secret == first.app_secret == third.app_secret
    assert third.access_token == first.access_token
    assert third.allowed_numbers == first.allowed_numbers != second.allowed_numbers
    assert (second.rate_limit, third.rate_limit) == (None, first.rate_limit)
    assert (second.graph_timeout_seconds, third.graph_timeout_seconds) == (20, 5)
    [warning] = [one for one in settings.warnings if "may read" not in one]
    assert warning.startswith("channels.whatsapp.accounts.0.allowed_numbers is empty: everybody")


@pytest.mark.parametrize(
    ("entry", "is_told"),
    [
        ("0151 12345678", True),
        ("(0151) 12345678", True),
        ("0049 151 12345678", False),
        ("+49 (0)151 12345678", False),
        ("+0987654321", False),
    ],
)
def test_a_number_without_its_country_code_is_told(
    tmp_path: Path, entry: str, *, is_told: bool
) -> None:
    text = with_line("graph_timeout_seconds: 20").replace("+0987654321", entry)

    said = "channels.whatsapp.allowed_numbers.1 begins with 0 and matches nobody"
    assert [warning.startswith(said) for warning in load_text(tmp_path, text).warnings] == (
        [True] if is_told else []
    )


def test_a_further_number_s_entries_are_looked_at_too(tmp_path: Path) -> None:
    text = with_line("accounts: [{phone_number_id: '22', allowed_numbers: ['0151 12345678']}]")

    [warning] = load_text(tmp_path, text).warnings

    assert warning.startswith("channels.whatsapp.accounts.0.allowed_numbers.0 begins with 0")


@pytest.mark.parametrize(
    ("given", "called"),
    [
        ("", None),
        ("public_url: https://bot.example", "https://bot.example/webhook"),
        ("public_url: https://bot.example/", "https://bot.example/webhook"),
        ("public_url: https://bot.example/webhook", "https://bot.example/webhook"),
        ("public_url: https://bot.example/ann", "https://bot.example/ann/webhook"),
    ],
)
def test_what_meta_is_to_call(tmp_path: Path, given: str, called: str | None) -> None:
    text = with_line(given) if given else SMALLEST
    assert load_text(tmp_path, text).whatsapp.callback_url == called
