"""What ``status`` and ``tail`` print: fits the terminal, says the same piped, in colour or not."""

import re
import shutil
import sys
from os import terminal_size
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from openparallax.cli import control, main, screen, status
from openparallax.cli.steps import facts, painted
from openparallax.cli.ways import Ways
from openparallax.errors import Refusal
from openparallax.trail import Step


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: terminal_size((80, 24)))


def told(**more: Any) -> dict[str, Any]:
    """What a daemon answers, with the longest of everything."""
    hint = "the access token has expired or was withdrawn: make a new System User token " * 2
    account = {
        "phone_number_id": "1234567890123456",
        "state": "paused",
        "code": 190,
        "hint": hint,
        "allowed": 12,
        "signed": True,
        "presence": "typing",
        "token": None,
    }
    return {
        "version": "0.1.0", "commit": "0" * 40, "python": "3.11.2", "pid": 4711,
        "started_at": 0.0, "now": 90000.0, "state": "running", "ready": False,
        "reasons": [f"account 1234567890123456 is paused (code 190): {hint}"],
        "database": {
            "path": "/var/lib/openparallax/openparallax.db", "bytes": 12_345_678,
            "wal_bytes": 4_000_000, "storage_failures": 3,
        },
        "listener": {"host": "127.0.0.1", "port": 9443, "path": "/webhook", "tls": True},
        "admin": {"enabled": True, "host": "::1", "port": 9444, "socket": "/run/openparallax/x"},
        "last_webhook_seconds": 60.0, "last_answer_seconds": 200.0,
        "answers": [
            {"engine": "anthropic claude-sonnet-5-5", "turns": 500, "p50_seconds": 3.25,
             "p95_seconds": 17.0},
        ],
        "engine_failures": 2,
        "engines": {"on the record": "anthropic", "off the record": "echo"},
        "messages_waiting": 4, "messages_held": 1, "oldest_message_seconds": 300.0,
        "parts_waiting": 7, "parts_in_doubt": 1, "parts_held": 2, "oldest_part_seconds": 800.0,
        "turns_running": 3, "sends_in_flight": 1, "accounts": [account],
        "tokens_today": [{"model": "claude-sonnet-5-5", "kind": "input", "tokens": 123456}],
        "left_over": [],
        "news": [{"at": 1, "field": "account_update", "event": "DISABLED_UPDATE", "subject": "",
                  "facts": {"limit": "TIER_2K"}}],
        "warnings": ["channels.whatsapp.allowed_numbers is empty, so that everybody may write"],
        **more,
    }  # fmt: skip


def test_status_fits_eighty_columns(terminal: None) -> None:
    lines = [click.unstyle(line) for line in status._lines(told())]
    assert max(map(len, lines)) <= 80
    text = re.sub(r"\s+", " ", " ".join(lines))
    for says in (
        "answers took 3.25 s for half of them, 17.00 s for 95 of 100, anthropic claude-sonnet-5-5",
        "last answer sent 3 min ago",
        "engine failed 2 times lately",
        "paused by code 190, 12 allowed",
        "tokens today 123456 input, claude-sonnet-5-5",
    ):
        assert says in text


def test_status_is_a_line_a_fact_where_it_is_piped() -> None:
    found = told(answers=[], engine_failures=0, last_answer_seconds=None)
    lines = [click.unstyle(line) for line in status._lines(found)]
    assert sum("paused by code 190" in line for line in lines) == 1
    assert "  last answer   none since the start" in lines
    assert not any("answers took" in line or "engine failed" in line for line in lines)


def test_watching_goes_on_while_the_daemon_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[Any] = [told(), Refusal("the daemon is not running", exit_code=69), told()]

    def ask(*_asked: object) -> Any:
        if not answers:
            raise KeyboardInterrupt
        found = answers.pop(0)
        if isinstance(found, Refusal):
            raise found
        return found

    monkeypatch.setattr(control, "database_of", lambda _config: Path("/nowhere/at.db"))
    monkeypatch.setattr(control, "running_daemon", lambda database: database)
    monkeypatch.setattr(control, "ask", ask)
    monkeypatch.setattr("openparallax.cli.status.WATCH_EVERY_S", 0)
    ended = CliRunner().invoke(main, ["status", "--watch"])
    assert ended.exit_code == 130
    assert ended.output.count("OpenParallax not ready") == 2
    assert "the daemon is not running" in ended.output
    assert "There is no database at /nowhere/at.db" in ended.output
    both = CliRunner().invoke(main, ["status", "--watch", "--json"])
    assert both.exit_code == 2


@pytest.mark.parametrize("text", ["", "word", "one two " * 30, "x" * 200, "x" * 200 + " y " * 50])
def test_wrapping_loses_no_word(terminal: None, text: str) -> None:
    first, indent = click.style("  ! ", fg="red"), "    "
    lines = screen.wrapped(text, first=first, indent=indent)
    assert click.unstyle(lines[0]).startswith("  ! ")
    assert all(line.startswith(indent) for line in lines[1:])
    assert " ".join(lines).replace(first, "").split() == text.split()
    assert all(len(click.unstyle(one)) <= 80 or len(one.split()[-1]) > 76 for one in lines)


@pytest.mark.parametrize("step", Step)
def test_every_step_can_be_told(step: Step) -> None:
    word = click.unstyle(painted(step, 14))
    assert word == step.replace("_", " ").ljust(14)
    told_of = facts({"step": step, "about": "a_b", "code": 4, "seconds": 0.25, "amount": 2})
    assert told_of.startswith("a b, code 4, ")
    assert "0.25 s" in told_of
    assert "\x1b" not in facts({"step": step, "about": "\x1b[2J"})


def test_a_way_is_told_once_with_what_was_answered_together() -> None:
    ways = Ways()
    lines: list[str] = []
    for found in (
        {"step": "queued", "turn": 1},
        {"step": "queued", "turn": 2},
        {"step": "asked", "turn": 1, "last": 2, "about": "echo"},
        {"step": "posted", "turn": 1, "last": 2, "parcel": 5, "amount": 1},
        {"step": "sent", "turn": 2, "parcel": 5},
        {"step": "read", "turn": 2, "parcel": 5},
        {"step": "paused", "account": "9"},
        {"left_out": 3},
    ):
        lines += ways.lines({"at": 1.0, "chat": 1, **found})
    lines += ways.rest()
    assert len(lines) == 3
    assert click.unstyle(lines[0]).endswith(
        "turn=1..2 queued > asked (echo) > posted (1 part) > sent"
    )
    assert "paused" in lines[1]
    assert "3 steps left out" in lines[2]
