"""The sections about being watched."""

from pathlib import Path

import pytest

from openparallax.config.settings import Settings
from tests.config.files import ENVIRONMENT, load, problems, with_block

PATHS = {**ENVIRONMENT, "PATH": "/usr/bin:/bin"}


def _load(folder: Path, command: str) -> Settings:
    return load(folder, with_block(f"alerts:\n  alert_command: {command}"), PATHS)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("null", ()),
        ("cat", ("cat",)),
        ("sh -c 'echo \"a b\" | cat'", ("sh", "-c", 'echo "a b" | cat')),
        ('[sh, -c, "cat > /dev/null"]', ("sh", "-c", "cat > /dev/null")),
        ("cat ${TERM:-none}", ("cat", "none")),
        ("echo '#5' a\\ b", ("echo", "#5", "a b")),
    ],
)
def test_a_command_is_parted_as_a_shell_would(
    tmp_path: Path, given: str, words: tuple[str, ...]
) -> None:
    settings = _load(tmp_path, given)
    assert settings.alerts.command == words
    assert settings.warnings == ()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("cat | cat", "is not run by a shell"),
        ("cat; cat", "is not run by a shell"),
        ("cat > file", "is not run by a shell"),
        ("cat 'x", "has a quotation mark that is not closed"),
        ("''", "is empty: name a program"),
        ("[]", "is empty: name a program"),
        ("bin/alert", "must begin with a program's name, or with its whole path"),
        ("5", "must be text: put quotes round it"),
        ("{a: b}", "must be text or a list, not a block of settings"),
    ],
)
def test_what_is_no_command_is_refused(tmp_path: Path, given: str, says: str) -> None:
    [problem] = problems(tmp_path, with_block(f"alerts:\n  alert_command: {given}"), PATHS)
    assert problem.startswith(f"config.yaml:12: alerts.alert_command: {says}")


def test_a_program_that_is_not_there_is_warned_of(tmp_path: Path) -> None:
    [warning] = _load(tmp_path, "no-such-program-at-all x").warnings
    assert warning.startswith("alerts.alert_command names a program that is not found")
    assert "no-such" not in warning


def test_limits_may_be_switched_off_and_have_ranges(tmp_path: Path) -> None:
    keys = [
        "backlog_messages",
        "backlog_minutes",
        "disk_free_megabytes",
        "engine_failures",
        "silence_hours",
        "token_days",
        "certificate_days",
    ]
    off = load(tmp_path, with_block("alerts: {" + ", ".join(f"{k}: null" for k in keys) + "}"))
    assert {getattr(off.alerts, key) for key in keys} == {None}
    wrong = "{timeout_seconds: 0, repeat_minutes: 0, wait_minutes: -1, engine_failures: 0}"
    assert len(problems(tmp_path, with_block(f"alerts: {wrong}"))) == 4
