"""Files that are wrong, each with what is said about it."""

from pathlib import Path

import pytest

from openparallax import config
from openparallax.errors import ConfigError
from tests.config.files import (
    ENGINES,
    ENVIRONMENT,
    SMALLEST,
    STAGES,
    Broken,
    problems,
    with_block,
    with_line,
)

W = "channels.whatsapp"
QUOTES = "YAML reads on, off, yes and no without quotes as true or false: put quotes round it"
BLOCK = "must be a block of settings, indented under it"
LIST = 'must be a list: a line beginning with "- " for each entry'
NUMBER = "is neither a telephone number with its country code"

LINES = [
    ("phone_number_id: 1234567890123456", "phone_number_id: must be text: put quotes round it"),
    ("phone_number_id: 0123456", "phone_number_id: must be text: put quotes round it"),
    ("phone_number_id: '+1 555 0001111'", "phone_number_id: must be digits only: the id that"),
    ("phone_number_id:", "phone_number_id: has no value: give one, or remove the line"),
    ("phone_number_id: ''", "phone_number_id: must be digits only"),
    ("webhok_port: 1", "webhok_port: is not a setting; did you mean webhook_port?"),
    (
        "idle_minutes: 1",
        "idle_minutes: is not a setting here: it belongs under off_the_record",
    ),
    ("zebra: 1", "zebra: is not a setting"),
    ("webhook_port: '9443'", "webhook_port: must be a whole number: take the quotes away"),
    ("webhook_port: 9443.5", "webhook_port: must be a whole number"),
    ("webhook_port: 70000", "webhook_port: must be at most 65535"),
    ("webhook_port: -1", "webhook_port: must be at least 0"),
    ("webhook_port: 0777", "webhook_port: must be in plain decimals, without a zero at the front"),
    ("webhook_port: 0x1F", "webhook_port: must be in plain decimals"),
    ("webhook_port: true", "webhook_port: must be a whole number"),
    ("webhook_port: [1]", "webhook_port: must be a whole number"),
    ("webhook_port: " + "9" * 5000, "webhook_port: must be a whole number"),
    ("webhook_host: http://127.0.0.1", "webhook_host: must be an address or a host's name alone"),
    ("webhook_host: 300.1.1.1", "webhook_host: must be an address or a host's name alone"),
    ("webhook_host: '127.0.0.1:80'", "webhook_host: must be an address or a host's name alone"),
    ("webhook_path: webhook", "webhook_path: must be a path such as /webhook"),
    ("webhook_path: /a?b", "webhook_path: must be a path such as /webhook"),
    ("webhook_path: /../a", "webhook_path: must be a path such as /webhook"),
    ("webhook_path: /{tail}", "webhook_path: must be a path such as /webhook"),
    ("webhook_path: /healthz", "webhook_path: must not be /healthz"),
    ("allow_unsigned_webhooks: 'false'", "allow_unsigned_webhooks: must be true or false"),
    ("enabled: 1", "enabled: must be true or false"),
    ("enabled: false", "enabled: is false, and there is no other channel to serve"),
    ("allowed_numbers:", "allowed_numbers: has no value: list the numbers that may write, or"),
    ("allowed_numbers: '+15550001111'", f"allowed_numbers: {LIST}"),
    ("allowed_numbers: [+15550001111]", "allowed_numbers.0: must be text: put quotes round it"),
    ("allowed_numbers: ['+15550001111', null]", "allowed_numbers.1: has no value"),
    ("allowed_numbers: ['+15550001111', '+1 555']", f"allowed_numbers.1: {NUMBER}"),
    ("allowed_numbers: [off]", f"allowed_numbers.0: must be text; {QUOTES}"),
    ("allowed_numbers: ['us.123']", f"allowed_numbers.0: {NUMBER}"),
    ("graph_api_url: graph.facebook.com", "graph_api_url: must be an address such as https://"),
    ("graph_api_url: 'https://u:p@graph'", "graph_api_url: must have no user"),
    ("graph_api_url: https://graph/?a=b", "graph_api_url: must have no user, question mark or #"),
    ("graph_api_url: 'https://[graph'", "graph_api_url: must be an address such as https://"),
    ("graph_api_url: 'https://graph:99999'", "graph_api_url: must be an address such as https://"),
    ("graph_api_version: 25.0", "graph_api_version: must be text: put quotes round it"),
    ("graph_api_version: '25.0'", "graph_api_version: must look like v25.0"),
    ("graph_timeout_seconds: 0", "graph_timeout_seconds: must be more than 0"),
    ("graph_timeout_seconds: .inf", "graph_timeout_seconds: must be a finite number"),
    ("graph_timeout_seconds: .nan", "graph_timeout_seconds: must be"),
    ("graph_timeout_seconds: soon", "graph_timeout_seconds: must be a number"),
    ("presence: off", f"presence: must be typing, read or none; {QUOTES}"),
    ("presence: typping", "presence: must be typing, read or none; did you mean typing?"),
    ("rate_limit: 5", f"rate_limit: {BLOCK}"),
    ("rate_limit: {max: 5}", "rate_limit.max: is not a setting; did you mean max_messages?"),
    ("rate_limit: {max_messages: 0}", "rate_limit.max_messages: must be at least 1"),
    ("human_takeover_minutes: -1", "human_takeover_minutes: must be at least 0"),
    ("accounts: [{}]", "accounts.0.phone_number_id: is missing"),
    ("accounts: [{phone_number_id: 12}]", "accounts.0.phone_number_id: must be text: put quotes"),
    (
        "accounts: [{phone_number_id: '7'}, {phone_number_id: '7'}]",
        "accounts.1.phone_number_id: is the id of another number of this file",
    ),
    (
        "accounts: [{phone_number_id: '7', allowed_number: []}]",
        "accounts.0.allowed_number: is not a setting; did you mean allowed_numbers?",
    ),
    (
        "accounts: [{phone_number_id: '7', webhook_port: 1}]",
        "accounts.0.webhook_port: is not a setting",
    ),
    (
        "accounts: [{phone_number_id: '7', allowed_numbers: ['12']}]",
        f"accounts.0.allowed_numbers.0: {NUMBER}",
    ),
    (
        "accounts: [{phone_number_id: '7', access_token_env: NOPE}]",
        "accounts.0.access_token_env: ",
    ),
    ("accounts:", "accounts: has no value: give one, or remove the line"),
    ("app_id: 5", "app_id: must be text: put quotes round it"),
    ("public_url: ''", "public_url: is empty"),
    ("verify_token: 12345", "verify_token: must be text: put quotes round it"),
    ("verify_token: [a]", "verify_token: must be text, not a list"),
    ("verify_token: {a: b}", "verify_token: must be text"),
    ("verify_token: on", f"verify_token: must be text; {QUOTES}"),
    ("verify_token: '!'\nverify_token: '!'", "verify_token: is set twice; first in line"),
    ("verify_token: !secret", "verify_token: has a tag: put quotes round a value that begins"),
    ('verify_token: "\\ud800"', "verify_token: holds a character that is no text"),
]

BLOCKS = [
    ("webhook_port: 1", "webhook_port: is not a setting here: it belongs under channels.whatsapp"),
    ("chanels: {}", "chanels: is not a setting; did you mean channels?"),
    ("engine:", "engine: must be a block of settings, such as `engine: {type: echo}`"),
    ("engine: echo", "engine: must be a block of settings, such as `engine: {type: echo}`"),
    ("engine: {type: parrot}", "engine.type: names no engine that is installed (known: anthropic,"),
    ("engine: {type: ecco}", "engine.type: names no engine that is installed; did you mean echo?"),
    (
        "engine: {type: 5}",
        "engine.type: names no engine that is installed (known: anthropic, echo)",
    ),
    ("engine: {type: '${NOPE}'}", "engine.type: the environment variable NOPE is not set"),
    ("engine: {type: echo, model: x}", "engine.model: is not a setting; nothing can be set here"),
    ("engine: {modell: x}", "engine.modell: is not a setting; did you mean model?"),
    ("engine: {max_tokens: 0}", "engine.max_tokens: must be at least 1"),
    ("engine: {model: gpt-9}", "engine.model: is not accepted"),
    ("engine: {model: llama-9}", "engine.model: must be a model of this maker"),
    ("engine: {proxy: {}}", "engine.proxy.host: is missing"),
    ("engine: {proxy: {host: a, pasword: b}}", "engine.proxy.pasword"),
    ("engine: {headers: {a: 1}}", "engine.headers.a: must be text: put quotes round it"),
    ("pipeline:", "pipeline: must be a list of stages"),
    ("pipeline: time_limit", "pipeline: must be a list of stages"),
    ("pipeline: [shuot]", "pipeline.0: names no stage that is installed; did you mean shout?"),
    ("pipeline: [null]", "pipeline.0: names no stage that is installed (known: shout, time_limit)"),
    ("pipeline: [{shout: 5}]", f"pipeline.0.shout: {BLOCK}"),
    ("pipeline:\n  - shout:\n    mark: x", "pipeline.0: must be one stage: a name, or a name with"),
    (
        "pipeline: [shout, {time_limit: {seconds: '3'}}]",
        "pipeline.1.time_limit.seconds: must be a number: take the quotes away",
    ),
    ("pipeline: [{shout: {word: ''}}]", "pipeline.0.shout.word: is empty"),
    ("conversation:", "conversation: has no value: give one, or remove the line"),
    ("conversation: {coalesce: none, x: 1}", "conversation.x: is not a setting"),
    ("conversation: {coalesce: all}", "conversation.coalesce: must be queued or none"),
    ("conversation: {max_concurrent_turns: 0}", "conversation.max_concurrent_turns: must be at le"),
    ("conversation: {history_messages: -1}", "conversation.history_messages: must be at least 0"),
    ("conversation: {drain_seconds: .inf}", "conversation.drain_seconds: must be a finite number"),
    ("off_the_record: {idle_minutes: 0}", "off_the_record.idle_minutes: must be more than 0"),
    ("off_the_record: {engine: echo}", "off_the_record.engine: must be a block of settings"),
    ("off_the_record: {pipeline: [x]}", "off_the_record.pipeline.0: names no stage"),
    ("off_the_record: {engine: {type: x}}", "off_the_record.engine.type: names no engine"),
    ("notices: {losst: x}", "notices.losst: is not the name of a notice; did you mean lost? (kn"),
    ("notices: {lost: 5}", "notices.lost: must be text: put quotes round it"),
    ("notices: {lost: ' '}", "notices.lost: is empty"),
    ("notices: [a]", f"notices: {BLOCK}"),
    ("outbox: {messages_per_second: 0}", "outbox.messages_per_second: must be more than 0"),
    ("outbox: {pair_burst: 0}", "outbox.pair_burst: must be at least 1"),
    ("outbox: {max_in_flight: 0}", "outbox.max_in_flight: must be at least 1"),
    ("outbox: {max_in_flight: null}", "outbox.max_in_flight: has no value"),
    ("outbox: {pair_interval_seconds: -6}", "outbox.pair_interval_seconds: must be more than 0"),
    ("storage: {url: 'postgresql://a/b'}", "storage.url: must be sqlite:///PATH; no other data"),
    ("storage: {url: 'sqlite://'}", "storage.url: must be sqlite:///PATH"),
    ("storage: {url: 'sqlite:///'}", "storage.url: must name a file after sqlite:///"),
    ("storage: {url: 'sqlite:///:memory:'}", "storage.url: must name a file after sqlite:///"),
    ("storage: {url: 'sqlite:///a?mode=ro'}", "storage.url: must be a plain path"),
    ("storage: {retention_days: 0}", "storage.retention_days: must be at least 1"),
    ("storage: {retention_days: 1.5}", "storage.retention_days: must be a whole number"),
    ("admin: {enabled: 'yes'}", "admin.enabled: must be true or false"),
    ("log: {level: off}", f"log.level: must be debug, info, warning or error; {QUOTES}"),
    ("log: {level: warn}", "log.level: must be debug, info, warning or error; did you mean warn"),
    ("log: {format: yaml}", "log.format: must be auto, text or json"),
    ("<<: {log: {}}", "holds a merge key (<<): write the settings out"),
    ("? [a, b]\n: c", "holds a key that is not text"),
    ("!!python/name:os log: {}", "holds a key with a tag: take it away"),
    ("log: !!omap []", "log: has a tag (!…), and none is understood: take it away"),
    ("a key of many words: 5", "holds a key that is not a setting (is a space missing after a co"),
]

NOT_YAML = [
    ("a: 'b", "is not YAML here: the quote that opens here is not closed"),
    ("a: b: c", "is not YAML here: a colon too many or too few"),
    ("a:\n\t- b", "is not YAML here: use spaces to indent, not tabs"),
    ("a: *sesame", "is not YAML here: put quotes round a value that begins with a special"),
    ("a: @sesame", "is not YAML here: put quotes round a value that begins with a special"),
    ("a: 1\n---\nb: 2", "holds more than one document"),
    ("a: \x07", "is not YAML: a character is not allowed here"),
    ("a: &a [*a]", "holds too much: nested too deeply, or repeated by aliases"),
    ("[" * 600, "is nested too deeply"),
    ("a: " + "[" * 60 + "]" * 60, "holds too much: nested too deeply, or repeated by aliases"),
    ("", "is empty; config.example.yaml shows what belongs there"),
    ("# nothing", "is empty; config.example.yaml shows what belongs there"),
    ("just words", "must be settings, each a `key: value`"),
    ("- a", "must be settings, each a `key: value`"),
]


@pytest.mark.parametrize(("line", "said"), LINES)
def test_a_wrong_setting_of_the_number(tmp_path: Path, line: str, said: str) -> None:
    [problem] = problems(tmp_path, with_line(line))

    assert f": {W}.{said}" in problem


@pytest.mark.parametrize(("block", "said"), BLOCKS)
def test_a_wrong_block(tmp_path: Path, block: str, said: str) -> None:
    [problem] = problems(tmp_path, with_block(block))

    assert f": {said}" in problem


def test_a_question_mark_alone_at_the_end_is_no_setting(tmp_path: Path) -> None:
    """To YAML it is a key without a value, which would stand behind the last line."""
    [problem] = problems(tmp_path, f"{SMALLEST}?\n")
    assert "holds a key that is not a setting" in problem


@pytest.mark.parametrize(("text", "said"), NOT_YAML)
def test_what_is_no_yaml_at_all(tmp_path: Path, text: str, said: str) -> None:
    [problem] = problems(tmp_path, text)

    assert problem.startswith("config.yaml")
    assert f": {said}" in problem
    assert "sesame" not in problem


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    assert problems(tmp_path, b"a: 1\nb: \xff") == [
        "config.yaml:2: is not UTF-8 text; save it as UTF-8"
    ]
    for encoding in ("utf-16", "utf-16-le", "utf-32", "utf-16-be"):
        assert problems(tmp_path, SMALLEST.encode(encoding)) == [
            "config.yaml:1: is not UTF-8 text; save it as UTF-8"
        ]
    assert problems(tmp_path, f"{SMALLEST}notices: {{lost: für}}".encode("latin-1")) == [
        "config.yaml:11: is not UTF-8 text; save it as UTF-8"
    ]
    assert problems(tmp_path, b"\x7fELF\x02\x01\x01\0\0") == [
        "config.yaml:1: is not UTF-8 text; save it as UTF-8"
    ]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends_of_any_system_count(tmp_path: Path, line_end: str) -> None:
    text = with_block("log: {level: loud}")

    [problem] = problems(tmp_path, text.replace("\n", line_end).encode())

    assert problem == "config.yaml:11: log.level: must be debug, info, warning or error"


def test_a_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(ConfigError) as raised:
        config.load(tmp_path / "c.yaml", environment={}, engines=ENGINES, stages=STAGES)

    assert raised.value.problems == [f"{tmp_path}/c.yaml: cannot be read (Permission denied)"]


def test_a_file_too_big_to_be_one(tmp_path: Path) -> None:
    assert problems(tmp_path, "#" * 1_100_000) == [
        "config.yaml: is over 1 MiB, too big for a configuration"
    ]
    with (tmp_path / "huge.yaml").open("wb") as file:
        file.truncate(50 * 1024**2)  # a hole: nothing is written, and nothing must be read
    with pytest.raises(ConfigError, match="is over 1 MiB"):
        config.load(tmp_path / "huge.yaml", environment={}, engines=ENGINES, stages=STAGES)


def test_aliases_do_not_multiply_without_end(tmp_path: Path) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
    )

    [problem] = problems(tmp_path, bomb)

    assert "holds too much" in problem


def test_what_is_missing_is_said_with_what_it_is(tmp_path: Path) -> None:
    assert problems(tmp_path, "log: {}") == [
        "config.yaml:1: channels: is missing: where messages come from"
    ]
    assert problems(tmp_path, "channels: {}") == [
        "config.yaml:1: channels.whatsapp: is missing: your number on WhatsApp"
    ]
    assert problems(tmp_path, "channels:\nwhatsapp:\n  enabled: true") == [
        "config.yaml:1: channels: has no value: give one, or remove the line",
        "config.yaml:2: whatsapp: is not a setting here: it belongs under channels",
    ]
    home = {"HOME": "/home/somebody"}
    assert problems(tmp_path, "channels:\n  whatsapp: {}", home) == [
        (
            "config.yaml:1: engine.api_key: is missing: set the environment variable"
            " ANTHROPIC_API_KEY, or write api_key_env: NAME, or give it as the credential"
            " anthropic_api_key; or choose the engine that needs no key: `engine: {type: echo}`"
        ),
        (
            "config.yaml:2: channels.whatsapp.phone_number_id: is missing: the id that Meta's"
            " dashboard shows with your number, in quotes"
        ),
        (
            "config.yaml:2: channels.whatsapp.access_token: is missing: set the environment"
            " variable WHATSAPP_ACCESS_TOKEN, or write access_token_env: NAME, or give it as the"
            " credential whatsapp_access_token"
        ),
        (
            "config.yaml:2: channels.whatsapp.verify_token: is missing: any text of your own,"
            " the same as in Meta's dashboard; write verify_token: TEXT, or write"
            " verify_token_env: NAME, or give it as the credential whatsapp_verify_token"
        ),
    ]


def test_every_problem_is_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = (
        "channels:\n"
        "  whatsapp:\n"
        "    phone_number_id: 5\n"
        "    webhook_port: x\n"
        "    webhook_host: 0.0.0.0\n"
        "    verify_token_env: NOWHERE\n"
        "    tls: {}\n"
        "engine: {type: parrot}\n"
        "pipeline: [nothing]\n"
        "log: {level: loud}\n"
        "log: {}\n"
        "colour: red\n"
        "storage: {url: x}\n"
        "notices: {hello: x}\n"
        "off_the_record: {engine: {type: parrot}}\n"
    )

    found = problems(tmp_path, text, {})

    assert [problem.split(": ")[:2] for problem in found] == [
        ["config.yaml:2", "channels.whatsapp.access_token"],
        ["config.yaml:2", "channels.whatsapp.app_secret"],
        ["config.yaml:3", "channels.whatsapp.phone_number_id"],
        ["config.yaml:4", "channels.whatsapp.webhook_port"],
        ["config.yaml:6", "channels.whatsapp.verify_token_env"],
        ["config.yaml:7", "channels.whatsapp.tls.certificate"],
        ["config.yaml:7", "channels.whatsapp.tls.key"],
        ["config.yaml:8", "engine.type"],
        ["config.yaml:9", "pipeline.0"],
        ["config.yaml:10", "log.level"],
        ["config.yaml:11", "log"],
        ["config.yaml:12", "colour"],
        ["config.yaml:13", "storage.url"],
        ["config.yaml:14", "notices.hello"],
        ["config.yaml:15", "off_the_record.engine.type"],
    ]


def test_a_plugin_that_cannot_be_imported_is_one_problem_among_others(tmp_path: Path) -> None:
    found = problems(
        tmp_path, with_block("engine: {type: broken}\nlog: {level: loud}"), engines=Broken()
    )

    assert found == [
        "config.yaml:11: engine: the engine broken could not be imported",
        "config.yaml:12: log.level: must be debug, info, warning or error",
    ]


def test_no_home_for_the_database(tmp_path: Path) -> None:
    environment = {name: value for name, value in ENVIRONMENT.items() if name != "HOME"}

    assert problems(tmp_path, SMALLEST, environment) == [
        "config.yaml:1: storage.url: is missing, and there is no home folder to put the database in"
    ]


def test_notices_are_not_checked_where_nobody_says_their_names(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(with_block("notices: {whatever: x}"))

    settings = config.load(file, environment=ENVIRONMENT, engines=ENGINES, stages=STAGES)

    assert settings.notices == {"whatever": "x"}
    with pytest.raises(ConfigError):
        config.load(file, environment=ENVIRONMENT, engines=ENGINES, stages=STAGES, sentences={})


def test_what_several_keys_decide_is_told_while_others_are_malformed(tmp_path: Path) -> None:
    text = (
        with_line("webhook_host: 0.0.0.0").replace("9443", "7000")
        + "    graph_timeout_seconds: soon\n"
        + "    accounts: [{phone_number_id: '1234567890123456', presence: off}]\n"
        + "admin: {port: 7000, colour: red}\nnotices: {help: '{x}'}\nlog: 5\n"
    )
    environment = {n: v for n, v in ENVIRONMENT.items() if n != "WHATSAPP_APP_SECRET"}

    found = problems(tmp_path, text, environment)

    assert [problem.split(": ")[1] for problem in found] == [
        "channels.whatsapp.app_secret",
        "channels.whatsapp.graph_timeout_seconds",
        "channels.whatsapp.accounts.0.presence",
        "channels.whatsapp.accounts.0.phone_number_id",
        "admin.colour",
        "admin.port",
        "notices.help",
        "log",
    ]


@pytest.mark.parametrize(
    ("public", "private", "key"),
    [
        ("webhook_port: 7000", "{port: 7000}", "admin.port"),
        ("webhook_port: 9444", "{}", f"{W}.webhook_port"),
        ("webhook_port: 9443", "{port: 9443, host: localhost}", "admin.port"),
        ("webhook_host: 0.0.0.0", "{port: 9443}", "admin.port"),
        ("webhook_host: 10.0.0.1", "{port: 9443, host: '::'}", "admin.port"),
        ("webhook_host: 10.0.0.1", "{port: 9443}", ""),
        ("webhook_port: 7000", "{port: 7000, enabled: false}", ""),
        ("webhook_port: 0", "{port: 0}", ""),
        ("webhook_host: '::1'", "{port: 9443}", ""),
        ("webhook_host: LocalHost", "{port: 9443, host: '::1'}", "admin.port"),
        ("webhook_host: [a]", "{port: 9443}", f"{W}.webhook_host"),
        ("webhook_port: 9443", "{port: 9444}", ""),
    ],
)
def test_two_listeners_in_one_place(tmp_path: Path, public: str, private: str, key: str) -> None:
    found = problems(tmp_path, with_line(public) + f"admin: {private}\n")

    assert [problem.split(": ")[1] for problem in found] == [key] * bool(key)
