"""A file that is there is changed line by line; comments and other settings stay."""

from pathlib import Path

import pytest
import yaml

from openparallax.app.setup.editing import change
from openparallax.app.setup.existing import Existing, read
from openparallax.config.document import Tree

FILE = """\
# yaml-language-server: $schema=openparallax.schema.json
channels:
  # ours
  whatsapp:
    phone_number_id: "111"   # the shop
    access_token_env: WHATSAPP_ACCESS_TOKEN
    # who
    allowed_numbers:
    - "+49 151 1"
    # and
    - "+49 151 2"

    # how much
    rate_limit: null
engine:
  type: anthropic
  system_prompt: >-
    Be kind.

    # no comment
  # last words of the engine
# ours too
notices: {only_text: "Nur Text."}
"""


def _existing(tmp_path: Path, text: str) -> Existing:
    file = tmp_path / "config.yaml"
    file.write_text(text, "utf-8")
    found = read(file)
    assert found is not None
    return found


def test_a_file_that_ends_with_the_number_keeps_its_comments_too(tmp_path: Path) -> None:
    file = "channels:\n  whatsapp:\n    # the shop\n    phone_number_id: '111'\n"
    text, keeps = change(_existing(tmp_path, file), {"app_id": "5"}, {"type": "echo"})
    assert keeps
    _, _, rest = text.partition("\n")
    assert rest == f'{file}    app_id: "5"\n\nengine:\n  type: "echo"\n'


def test_what_is_answered_anew_changes_its_own_lines(tmp_path: Path) -> None:
    text, keeps = change(
        _existing(tmp_path, FILE),
        {
            "phone_number_id": "222",
            "access_token_env": None,
            "access_token": "file:credentials/whatsapp_access_token",
            "public_url": "https://x.example/${y}",
            "allowed_numbers": ["+493"],
        },
        {"type": "echo"},
    )
    assert keeps
    assert (
        text
        == """\
# yaml-language-server: $schema=openparallax.schema.json
channels:
  # ours
  whatsapp:
    phone_number_id: "222"
    access_token: "file:credentials/whatsapp_access_token"
    public_url: "https://x.example/$${y}"
    # who
    allowed_numbers:
      - "+493"

    # how much
    rate_limit: null
engine:
  type: "echo"
# ours too
notices: {only_text: "Nur Text."}
"""
    )


def test_nothing_new_changes_nothing(tmp_path: Path) -> None:
    assert change(_existing(tmp_path, FILE), {"phone_number_id": "111"}, None) == (FILE, True)


def test_an_engine_that_no_line_names_is_put_behind(tmp_path: Path) -> None:
    file = FILE[: FILE.index("engine:")]
    text, keeps = change(_existing(tmp_path, file), {}, {"type": "echo"})
    assert keeps
    assert text == f'{file}\nengine:\n  type: "echo"\n'


@pytest.mark.parametrize(
    "file",
    [
        'channels: {whatsapp: {phone_number_id: "111", webhook_port: 9500}}\nlog: {level: info}\n',
        (
            'x: &a {phone_number_id: "111", webhook_port: 9500}\n'
            "log: {level: info}\nchannels:\n  whatsapp: *a\n"
        ),
        (
            "log: {level: info}\nchannels:\n"
            '  whatsapp: {"phone_number_id": "111", webhook_port: 9500}\n'
        ),
    ],
)
def test_what_cannot_be_changed_in_place_keeps_its_settings(tmp_path: Path, file: str) -> None:
    text, keeps = change(_existing(tmp_path, file), {"app_id": "5"}, {"type": "echo"})
    assert not keeps
    tree: dict[str, Tree] = yaml.safe_load(text)
    assert tree["log"] == {"level": "info"}
    assert tree["engine"] == {"type": "echo"}
    whatsapp = tree["channels"]["whatsapp"]  # type: ignore[index,call-overload] # made above
    assert whatsapp == {"phone_number_id": "111", "webhook_port": 9500, "app_id": "5"}
