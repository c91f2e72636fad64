"""What others wrote is shown on the operator's terminal as characters, and is obeyed by none."""

import unicodedata
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from openparallax.cli import main, offline
from openparallax.cli import status as telling

HOSTILE = "\x1b]0;title\x07\x1b[2J\x9b31m\r\x08\x00\u202eback\u2066\u2028\ud800\u200b\ufeff"
_LINES = "line\nbreak\ttab"

CHAT: dict[str, Any] = {
    "chat": 1,
    "account": "1234567890123456",
    "contact": HOSTILE,
    "name": HOSTILE,
    "mode": "on the record",
    "session": 1,
    "opened_at": 1_790_000_000,
    "last_at": 1_790_000_000,
    "messages": 1,
    "waiting": 0,
    "sending": 0,
    "taken_over_until": None,
    "aliases": [{"id": HOSTILE, "kind": "user id", "since": None, "until": None}],
    "sessions": [
        {
            "session": 1,
            "mode": "on the record",
            "state": "open",
            "opened_at": 1_790_000_000,
            "messages": 1,
        }
    ],
    "usage": [{"model": HOSTILE, "kind": HOSTILE, "tokens": 1}],
    "transcript": [{"at": 1_790_000_000, "role": "contact", "text": HOSTILE + _LINES}],
    "left_out": False,
}


def commanding(text: str) -> list[str]:
    """Characters that a terminal or a reader's eye would obey."""
    kinds = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    return [ascii(c) for c in text if unicodedata.category(c) in kinds and c not in "\n\t"]


@pytest.mark.parametrize(
    "arguments",
    [["list"], ["list", "--json"], ["show", "--chat", "1"], ["show", "--chat", "1", "--words"]],
)
def test_no_field_of_anybody_commands_the_terminal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[str]
) -> None:
    def answer(_config: Path | None, _name: str, _asked: object) -> dict[str, Any]:
        return {"chats": [CHAT], "next": None}

    monkeypatch.setattr(offline, "ask", answer)
    monkeypatch.chdir(tmp_path)
    found = CliRunner().invoke(main, ["sessions", *arguments])
    assert found.exit_code == 0, found.output
    assert "title" in found.output
    assert commanding(found.output) == []
    assert not any("\n" in c or "\t" in c for c in HOSTILE)


def test_nor_does_a_field_of_the_state() -> None:
    """What plugins, the model and Meta say of themselves, in `status`."""
    told = [
        telling._engines({"on": HOSTILE, "off": "echo"}),
        telling._engines({"on": HOSTILE, "off": HOSTILE}),
        telling._tokens({"tokens": 1, "kind": HOSTILE, "model": HOSTILE}),
        telling._news(
            {
                "at": 1_790_000_000,
                "field": HOSTILE,
                "event": HOSTILE,
                "subject": HOSTILE,
                "facts": {"limit": HOSTILE},
            }
        ),
    ]
    assert [one for line in told for one in commanding(line)] == []
