"""``alerts`` and ``example``, on the command line."""

import json
import os
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from openparallax.cli import main
from openparallax.cli.example import names, text_of
from tests.config.files import SMALLEST

HERE = {"WHATSAPP_ACCESS_TOKEN": "token", "PATH": os.environ["PATH"]}


def run(folder: Path, *words: str, command: str = "null") -> Result:
    file = folder / "config.yaml"
    file.write_text(
        f"{SMALLEST}engine: {{type: echo}}\nstorage: {{url: 'sqlite:///x.db'}}\n"
        f"alerts: {{alert_command: {command}}}\n"
    )
    return CliRunner().invoke(main, [*words, "-c", str(file)], env=HERE)


def test_a_test_without_a_daemon_is_run_here(tmp_path: Path) -> None:
    done = run(tmp_path, "alerts", "test", command="[sh, -c, 'cat; env']")
    assert done.exit_code == 0, done.output
    assert "The alert command ended well" in done.output
    assert "No daemon runs: run here" in done.output
    assert "  OPENPARALLAX_ALERT_STATE=test" in done.output
    assert "WHATSAPP_ACCESS_TOKEN" not in done.output


def test_one_that_fails(tmp_path: Path) -> None:
    done = run(tmp_path, "alerts", "test", command="[sh, -c, 'echo no credit; exit 7']")
    assert done.exit_code == 1
    assert "The alert command failed: ended with exit code 7" in done.output
    assert "  no credit" in done.output
    shown = run(tmp_path, "alerts", "test", "--json", command="'false'")
    assert shown.exit_code == 1
    assert json.loads(shown.output)["reason"] == "ended with exit code 1"


def test_without_a_command(tmp_path: Path) -> None:
    done = run(tmp_path, "alerts", "test")
    assert (done.exit_code, done.output) == (
        1,
        "openparallax: alerts.alert_command is not set in the configuration\n",
    )


def test_a_list_needs_a_daemon(tmp_path: Path) -> None:
    done = run(tmp_path, "alerts", "list")
    assert done.exit_code == 69
    assert "the daemon is not running" in done.output


def test_examples_are_listed_and_printed() -> None:
    listed = CliRunner().invoke(main, ["example"])
    assert [line.split()[0] for line in listed.output.splitlines()] == names()
    assert all(len(line.split()) > 4 for line in listed.output.splitlines())
    for name in names():
        printed = CliRunner().invoke(main, ["example", name])
        assert printed.output == text_of(name)
    assert yaml.safe_load(text_of("prometheus.yaml"))["scrape_configs"]


@pytest.mark.parametrize("name", ["nothing", "../config", "", "/etc/passwd"])
def test_an_example_that_is_none(name: str) -> None:
    done = CliRunner().invoke(main, ["example", name])
    assert done.exit_code == 2
    assert "there is no such example: there are Caddyfile, alert.sh" in done.output
