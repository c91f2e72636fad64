"""The text of a new configuration, each line with what it is for."""

import json
from collections.abc import Mapping
from typing import Final

from openparallax.config.document import Tree

SCHEMA_NAME: Final = "openparallax.schema.json"
SCHEMA_LINE: Final = f"# yaml-language-server: $schema={SCHEMA_NAME}"

_HEAD: Final = f"""\
{SCHEMA_LINE}
# Written by openparallax init, and yours to change: init itself changes only what you answer anew.
# The line above lets editors complete and check it. There are more settings than these, all with
# a default: README, "Every setting". After a change:
#
#     openparallax check      says what is wrong with the file
#     openparallax reload     has the running daemon take it over
"""
_NOTHING_ELSE: Final = """\
# Settings that are often wanted, at their defaults; take away the # to change one.

#off_the_record:
#  idle_minutes: 60         # after /otr, words are forgotten after so long without a message
#storage:
#  retention_days: null     # forget for good what is older than so many days
#log:
#  level: info              # debug, info, warning or error
"""
_COMMENTS: Final[Mapping[str, str]] = {
    "app_id": "Your app at Meta. Its id and secret prove signatures, and renew a token in time.",
    "app_secret": "App settings, Basic. Two of them, as a list, while you exchange it.",
    "phone_number_id": "Meta's id of your number, not the number itself; in quotes.",
    "waba_id": "The WhatsApp business account that holds the number.",
    "access_token": "What answers are sent with: a system user's token.",
    "verify_token": "Your own text, the same as in Meta's dashboard beside the callback URL.",
    "public_url": "The address that Meta sends webhooks to; webhook_path is put behind it.",
    "webhook_port": "Where the daemon listens for Meta, behind a proxy or a tunnel that speaks"
    " https.",
    "allowed_numbers": "Who may write; others get no answer. []: everybody, and you pay for the"
    " answers.",
    "graph_api_url": "Meta's Graph API, by way of another address.",
}


def quoted(text: str) -> str:
    """``text`` as a value of the file, which neither YAML nor variables can change."""
    return json.dumps(text.replace("${", "$${"), ensure_ascii=False)


def lines_of(key: str, value: Tree, indent: str) -> list[str]:
    """A setting as lines; lists with one entry to a line."""
    if isinstance(value, Mapping):
        inner = [line for k, v in value.items() for line in lines_of(k, v, indent + "  ")]
        return [f"{indent}{key}:", *inner] if inner else [f"{indent}{key}: {{}}"]
    if isinstance(value, list):
        rows = [f"{indent}  - {_scalar(one)}" for one in value]
        return [f"{indent}{key}:", *rows] if rows else [f"{indent}{key}: []"]
    return [f"{indent}{key}: {_scalar(value)}"]


def render(whatsapp: Mapping[str, Tree], engine: Mapping[str, Tree], *, about: str) -> str:
    """A whole file.

    Args:
        whatsapp: The block of the number, in the order of the lines.
        engine: The block of the engine.
        about: Which number it is, in a few words; "" where that is not known.
    """
    lines = [*_HEAD.splitlines(), "", "channels:", "  whatsapp:"]
    for key, value in whatsapp.items():
        comment = _COMMENTS.get(key, "")
        if key == "phone_number_id" and about:
            comment = f"{comment} Here: {about}."
        lines += _comment(comment, "    ")
        lines += [*lines_of(key, value, "    "), ""]
    if "public_url" not in whatsapp:
        lines += _comment(f"{_COMMENTS['public_url']} Not known yet.", "    ")
        lines += ['    #public_url: "https://bot.example.org"', ""]
    lines += ["# Who answers. Its other settings stand beside type: model, system_prompt ..."]
    lines += [*lines_of("engine", dict(engine), ""), "", *_NOTHING_ELSE.splitlines()]
    return "\n".join(lines) + "\n"


def _comment(text: str, indent: str) -> list[str]:
    lines, line = [], ""
    for word in text.split():
        if len(indent) + len(line) + len(word) > 94:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return [f"{indent}# {one}" for one in (*lines, line) if one]


def _scalar(value: Tree) -> str:
    if isinstance(value, str):
        return quoted(value)
    return json.dumps(value)
