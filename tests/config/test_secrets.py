"""Every form in which a secret can be given, and what is said when it is not to be had."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from openparallax import config
from openparallax.config import rules
from tests.config.files import (
    ENGINES,
    ENVIRONMENT,
    SMALLEST,
    ModelSettings,
    load,
    problems,
    with_line,
)
from tests.config.files import with_block as with_block_of

W = "channels.whatsapp"
NO_SECRET = {name: value for name, value in ENVIRONMENT.items() if name != "WHATSAPP_APP_SECRET"}
NO_KEY = {name: value for name, value in ENVIRONMENT.items() if name != "ANTHROPIC_API_KEY"}
UNVERIFIED = SMALLEST.replace('    verify_token: "my-secret-verify-token"\n', "")
UNSAID = UNVERIFIED.replace("    access_token_env: WHATSAPP_ACCESS_TOKEN\n", "")
WAY_OUT = "or choose the engine that needs no key: `engine: {type: echo}`"


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    folder = tmp_path / "credentials"
    folder.mkdir()
    return folder


def _whatsapp(
    tmp_path: Path, text: str, environment: Mapping[str, str] = ENVIRONMENT
) -> tuple[str, list[str], str]:
    whatsapp = load(tmp_path, text, environment).whatsapp
    return (
        whatsapp.access_token.get_secret_value(),
        [secret.get_secret_value() for secret in whatsapp.app_secret],
        whatsapp.verify_token.get_secret_value(),
    )


@pytest.mark.parametrize(
    "line",
    [
        "access_token_env: TOKEN",
        "access_token: ${TOKEN}",
        "access_token: '${TOKEN}'",
        "access_token: ${NOPE:-the-token}",
        "access_token: ${EMPTY:-the-token}",
        "access_token: the-${MIDDLE}",
        "access_token: the-token",
        "access_token: file:token.txt",
        "access_token: file:${FOLDER}/token.txt",
        "access_token: file:~/token.txt",
        "access_token: credential:other",
    ],
)
def test_a_secret_in_all_its_forms(tmp_path: Path, credentials: Path, line: str) -> None:
    (tmp_path / "token.txt").write_text("the-token\n")
    (credentials / "other").write_text(" the-token \r\n")
    environment = {
        **ENVIRONMENT,
        "HOME": str(tmp_path),
        "TOKEN": "the-token\n",
        "MIDDLE": "token",
        "EMPTY": "",
        "FOLDER": str(tmp_path),
        "CREDENTIALS_DIRECTORY": str(credentials),
    }
    text = UNSAID + f"    verify_token: x\n    {line}\n"

    assert _whatsapp(tmp_path, text, environment)[0] == "the-token"


def test_two_app_secrets_during_a_rotation(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("two")
    environment = {**ENVIRONMENT, "A": "one", "B": "two"}

    for line in ("app_secret_env: [A, B]", "app_secret: ['${A}', 'file:old']"):
        assert _whatsapp(tmp_path, with_line(line), environment)[1] == ["one", "two"]
    for line in ("app_secret_env: A", "app_secret: ${A}", "app_secret_env: [A]"):
        assert _whatsapp(tmp_path, with_line(line), environment)[1] == ["one"]
    assert problems(tmp_path, with_line("app_secret: [a, b, c]")) == [
        f"config.yaml:11: {W}.app_secret: must have at most 2 entries"
    ]


def test_secrets_that_are_named_nowhere_are_credentials(tmp_path: Path, credentials: Path) -> None:
    for name in ("access_token", "app_secret", "verify_token"):
        (credentials / f"whatsapp_{name}").write_text(f"credential-{name}\n")
    (credentials / "anthropic_api_key").write_text("credential-key")
    environment = {"HOME": "/h", "CREDENTIALS_DIRECTORY": str(credentials)}

    assert _whatsapp(tmp_path, UNSAID, environment) == (
        "credential-access_token",
        ["credential-app_secret"],
        "credential-verify_token",
    )
    engine = load(tmp_path, UNSAID, environment).engine.settings
    assert isinstance(engine, ModelSettings)
    assert engine.api_key.get_secret_value() == "credential-key"


def test_a_variable_goes_before_a_credential(tmp_path: Path, credentials: Path) -> None:
    (credentials / "whatsapp_access_token").write_text("from-credential")
    (credentials / "whatsapp_verify_token").write_text("from-credential")
    environment = {**ENVIRONMENT, "CREDENTIALS_DIRECTORY": str(credentials)}

    assert _whatsapp(tmp_path, UNSAID, environment)[0] == "token-of-the-environment"


def test_a_variable_s_name_in_the_place_of_the_secret_is_told(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, with_line("app_secret: WHATSAPP_APP_SECRET"))

    assert "app_secret: is the name of an environment variable" in problem
    assert problems(tmp_path, with_line("app_secret: WHATSAPP_OTHER_SECRET")) == []


def test_what_a_variable_holds_is_not_read_as_a_form(tmp_path: Path) -> None:
    environment = {**ENVIRONMENT, "X": "file:/etc/hostname", "Y": "${WHATSAPP_APP_SECRET}"}

    assert _whatsapp(tmp_path, with_line("verify_token: ${X}"), environment)[2] == (
        "file:/etc/hostname"
    )
    assert _whatsapp(tmp_path, with_line("verify_token_env: Y"), environment)[2] == (
        "${WHATSAPP_APP_SECRET}"
    )
    assert _whatsapp(tmp_path, with_line("verify_token: a$${b}"), environment)[2] == "a${b}"
    assert _whatsapp(tmp_path, with_line("verify_token: a$b$"), environment)[2] == "a$b$"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("verify_token_env: NOPE", "_env: the environment variable NOPE is not set"),
        ("verify_token_env: EMPTY", "_env: the environment variable EMPTY is empty"),
        ("verify_token_env: BLANK", "_env: the environment variable BLANK is empty"),
        ("verify_token_env: BYTES", "_env: the environment variable BYTES holds bytes that are no"),
        ("verify_token_env: hunter2", "_env: names an environment variable that is not set; it"),
        ("verify_token_env: 'my secret'", "_env: must be the name of an environment variable, not"),
        ("verify_token_env:", "_env: must be the name of an environment variable"),
        ("verify_token_env: 5", "_env: must be the name of an environment variable"),
        ("verify_token_env: [NOPE]", "_env.0: the environment variable NOPE is not set"),
        ("verify_token_env: []", "_env: is empty: give a secret or remove the line"),
        ("verify_token: ${NOPE}", ": the environment variable NOPE is not set"),
        ("verify_token: ${EMPTY}", ": is empty"),
        ("verify_token: ${EMPTY:-}", ": is empty"),
        ("verify_token: ${BYTES}", ": the environment variable BYTES holds bytes that are no text"),
        ("verify_token: ${NOPE-x}", ": has ${ that begins no variable: write ${NAME} or"),
        ("verify_token: ''", ": is empty"),
        ("verify_token: '  '", ": is empty"),
        ("verify_token:", ": has no value: give one, or remove the line"),
        ("verify_token: file:nowhere", ": names a file that cannot be read (No such file or dir"),
        ("verify_token: file:empty", ": the file it names is empty"),
        ("verify_token: file:.", ": names a file that cannot be read (Is a directory)"),
        ("verify_token: file:binary", ": names a file that is not text"),
        ("verify_token: file:big", ": names a file too big for a secret"),
        ("verify_token: credential:x", ": names a credential, and there is no $CREDENTIALS_DIREC"),
        ("verify_token: credential:../x", ": must name a credential after the colon"),
        ("verify_token: 'credential:'", ": must name a credential after the colon"),
    ],
)
def test_a_secret_that_is_not_to_be_had(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "big").write_bytes(b"x" * 70_000)
    environment = {**ENVIRONMENT, "EMPTY": "", "BLANK": " \n", "BYTES": "\udcff"}

    [problem] = problems(tmp_path, f"{UNVERIFIED}    {line}\n", environment)

    assert f": {W}.verify_token{said}" in problem


def test_credentials_that_are_not_to_be_had(tmp_path: Path, credentials: Path) -> None:
    environment = {**ENVIRONMENT, "CREDENTIALS_DIRECTORY": str(credentials)}
    explicit = UNVERIFIED + "    verify_token: credential:x\n"
    (credentials / "whatsapp_verify_token").write_text("")

    [missing] = problems(tmp_path, explicit, environment)
    [empty] = problems(tmp_path, UNVERIFIED, environment)

    assert "verify_token: names a file that cannot be read (No such file or directory)" in missing
    assert "is looked up as the credential whatsapp_verify_token, which is empty" in empty


def test_a_secret_given_twice(tmp_path: Path) -> None:
    assert problems(tmp_path, with_line("verify_token_env: WHATSAPP_ACCESS_TOKEN")) == []
    both = SMALLEST + "    verify_token_env: WHATSAPP_ACCESS_TOKEN\n"

    assert problems(tmp_path, both) == [
        (
            f"config.yaml:11: {W}.verify_token_env: is given together with verify_token: keep one"
            " of the two"
        )
    ]


def test_an_access_token_that_no_header_takes(tmp_path: Path) -> None:
    for token in ("two words", "zwölf", "a\u2028b"):
        environment = {**ENVIRONMENT, "WHATSAPP_ACCESS_TOKEN": token}
        [problem] = problems(tmp_path, SMALLEST, environment)
        assert f"{W}.access_token_env: holds a space, a line break or a letter no token" in problem


@pytest.mark.parametrize("name", ["WHATSAPP_APP_SECRET", "WHATSAPP_ACCESS_TOKEN"])
def test_a_variable_read_by_default_must_not_be_empty(tmp_path: Path, name: str) -> None:
    [problem] = problems(tmp_path, UNSAID + "    verify_token: x\n", {**ENVIRONMENT, name: ""})

    assert problem.endswith(f": the environment variable {name} is empty")


@pytest.mark.parametrize(
    ("block", "environment", "said"),
    [
        ("", NO_KEY, "engine.api_key: is missing: set the environment variable ANTHROPIC_API_KEY"),
        ("", {**NO_KEY, "ANTHROPIC_API_KEY": ""}, "variable ANTHROPIC_API_KEY is empty"),
        (
            "engine: {api_key_env: ANTHROPIC_API_KEY}",
            NO_KEY,
            "engine.api_key_env: the environment variable ANTHROPIC_API_KEY is not set",
        ),
        ("engine: {api_key: '${NO_KEY}'}", NO_KEY, "environment variable NO_KEY is not set"),
    ],
)
def test_an_engine_without_its_key_names_both_ways_out(
    tmp_path: Path, block: str, environment: Mapping[str, str], said: str
) -> None:
    [problem] = problems(tmp_path, with_block_of(block), environment)

    assert said in problem
    assert problem.endswith(WAY_OUT)


def test_the_way_out_works(tmp_path: Path) -> None:
    settings = load(tmp_path, with_block_of("engine: {type: echo}"), NO_KEY)

    assert settings.engine.type == "echo"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "::1", "::ffff:127.0.0.1"])
def test_without_an_app_secret_loopback_will_do_with_a_warning(tmp_path: Path, host: str) -> None:
    settings = load(tmp_path, with_line(f"webhook_host: '{host}'"), NO_SECRET)

    assert settings.whatsapp.app_secret == ()
    [warning] = settings.warnings
    assert warning.startswith(f"{W}.app_secret is missing: signatures cannot be checked")
    assert "WHATSAPP_APP_SECRET" in warning


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.org", "localhost.org"])
def test_without_an_app_secret_the_world_is_not_listened_to(tmp_path: Path, host: str) -> None:
    text = with_line(f"webhook_host: '{host}'")

    [problem] = problems(tmp_path, text, NO_SECRET)

    assert f"{W}.app_secret: is missing, and webhook_host is not loopback" in problem
    assert "WHATSAPP_APP_SECRET" in problem
    assert problems(tmp_path, text) == []


def test_unsigned_webhooks_from_the_world_must_be_asked_for(tmp_path: Path) -> None:
    text = with_line("webhook_host: 0.0.0.0") + "    allow_unsigned_webhooks: true\n"

    settings = load(tmp_path, text, NO_SECRET)

    assert [warning for warning in settings.warnings if "app_secret is missing" in warning]
    # saying false is not asking for it
    [problem] = problems(tmp_path, text.replace("hooks: true", "hooks: false"), NO_SECRET)
    assert "app_secret: is missing" in problem


def test_a_missing_app_secret_is_told_together_with_other_problems(tmp_path: Path) -> None:
    text = with_line("webhook_host: 0.0.0.0") + "    webhook_path: x\nlog: {level: loud}\n"

    assert len(problems(tmp_path, text, NO_SECRET)) == 3


def test_a_further_numbers_unnamed_secrets_are_credentials_with_its_id(
    tmp_path: Path, credentials: Path
) -> None:
    (credentials / "whatsapp_77_access_token").write_text("token-of-77")
    (credentials / "whatsapp_88_app_secret").write_text("secret-of-88")
    (credentials / "whatsapp_0_access_token").write_text("nobody's")
    environment = {**ENVIRONMENT, "CREDENTIALS_DIRECTORY": str(credentials), "ID": "88"}
    lines = """accounts:
      - phone_number_id: "77"
      - phone_number_id: ${ID}
      - phone_number_id: "99"
        access_token: credential:whatsapp_77_access_token"""

    first, *others = load(tmp_path, with_line(lines), environment).whatsapp.numbers

    assert [one.access_token.get_secret_value() for one in others] == [
        "token-of-77",
        "token-of-the-environment",
        "token-of-77",
    ]
    assert [one.app_secret == first.app_secret for one in others] == [True, False, True]
    assert others[1].app_secret[0].get_secret_value() == "secret-of-88"


def test_a_further_numbers_credential_that_is_empty_is_told(
    tmp_path: Path, credentials: Path
) -> None:
    (credentials / "whatsapp_77_access_token").write_text("")
    environment = {**ENVIRONMENT, "CREDENTIALS_DIRECTORY": str(credentials)}

    [problem] = problems(tmp_path, with_line("accounts: [{phone_number_id: '77'}]"), environment)

    assert "accounts.0.access_token: is looked up as the credential whatsapp_77_access" in problem


@pytest.mark.parametrize(
    ("line", "mode", "is_told"),
    [
        ("access_token: quokka", 0o644, True),
        ("access_token: quokka", 0o604, True),
        ("access_token: quokka", 0o640, False),
        ("access_token: ${WHATSAPP_ACCESS_TOKEN}", 0o644, False),
        ("access_token_env: WHATSAPP_ACCESS_TOKEN", 0o644, False),
    ],
)
def test_a_secret_in_a_file_that_everybody_may_read(
    tmp_path: Path, line: str, mode: int, *, is_told: bool
) -> None:
    text = SMALLEST.replace("access_token_env: WHATSAPP_ACCESS_TOKEN", line)
    load(tmp_path, text)
    [file] = tmp_path.glob("*.yaml")
    file.chmod(mode)
    found = [
        one
        for one in rules.secrets_others_may_read(file, yaml.safe_load(text))
        if "other users of this machine" in one
    ]
    assert bool(found) == is_told
    assert not [one for one in found if "quokka" in one]


def test_a_secret_that_everybody_may_read_is_told_at_every_start(tmp_path: Path) -> None:
    text = SMALLEST.replace("access_token_env: WHATSAPP_ACCESS_TOKEN", "access_token: quokka")
    load(tmp_path, text)
    next(tmp_path.glob("*.yaml")).chmod(0o644)
    settings = load(tmp_path, text)
    [warning] = [one for one in settings.warnings if "may read" in one]
    assert "channels.whatsapp.access_token stands in it: chmod 600" in warning


def test_where_secrets_come_from_is_known(tmp_path: Path, credentials: Path) -> None:
    """Of files a new value may be taken while the daemon runs; of all else a restart takes it."""
    (tmp_path / "token").write_text("t")
    (credentials / "verify").write_text("v")
    environment = {**ENVIRONMENT, "CREDENTIALS_DIRECTORY": str(credentials), "A": "a", "B": "b"}
    text = UNSAID + (
        "    access_token: file:token\n    verify_token: credential:verify\n"
        "    app_secret: ['${A}', 'x${B}']\n"
    )
    settings = load(tmp_path, text, environment)
    assert {key: (one.kind, one.name, one.path) for key, one in settings.origins.items()} == {
        f"{W}.access_token": ("file", "", tmp_path / "token"),
        f"{W}.verify_token": ("credential", "verify", credentials / "verify"),
        f"{W}.app_secret.0": ("environment", "A", None),
        f"{W}.app_secret.1": ("environment", "", None),
        "engine.api_key": ("environment", "ANTHROPIC_API_KEY", None),
    }
    assert settings.until_restart == (
        f"{W}.app_secret.0",
        f"{W}.app_secret.1",
        f"{W}.verify_token",
        "engine.api_key",
    )
    named = load(tmp_path, with_line("app_secret_env: [A, B]"), environment).origins
    assert [named[f"{W}.app_secret.{place}"].name for place in (0, 1)] == ["A", "B"]


def test_what_the_file_held_may_be_read_again_with_other_secrets(tmp_path: Path) -> None:
    """An edit of the configuration that nobody asked for does not come with a new secret."""
    (tmp_path / "token").write_text("first")
    text = UNSAID + (
        "    access_token: file:token\n    verify_token: x\nengine: {type: echo}\npipeline: []\n"
    )
    settings = load(tmp_path, text)
    (tmp_path / "token").write_text("second")
    settings.file.write_text("an edit: {that is not finished")
    again = config.load(
        settings.file, environment=ENVIRONMENT, engines=ENGINES, stages={}, text=settings.text
    )
    assert again.whatsapp.access_token.get_secret_value() == "second"
    assert again.text == settings.text
    before, now = (one.origins[f"{W}.access_token"].stamp for one in (settings, again))
    assert before != now
