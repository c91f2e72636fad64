"""The questions one by one: interrupted at each, and asked again where a file is there."""

import json
from pathlib import Path

import pytest

from openparallax.app.setup import run, terminal
from openparallax.app.setup.answers import Answers
from tests.app.setup.conftest import Init
from tests.app.setup.scripted import ANSWERS, Scripted

QUESTIONS = len(ANSWERS)


def _files(home: Path) -> dict[str, str]:
    return {
        str(path.relative_to(home)): path.read_text("utf-8")
        for path in sorted(home.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("question", range(QUESTIONS))
def test_an_interrupt_leaves_nothing_but_what_is_harmless(
    home: Path, converse: Init, question: int
) -> None:
    person = Scripted(ANSWERS, interrupted_at=question)
    assert converse(person) == 130
    assert len(person.asked) == question
    left = _files(home)
    assert set(left) <= {".local/state/openparallax/init.json"}
    for secret in ("App secret", "Access token", "Numbers"):
        assert ANSWERS[secret] not in "".join(left.values())
    if question > 3:
        told = json.loads(left[".local/state/openparallax/init.json"])
        assert told["phone_number_id"] == ANSWERS["Phone number ID"]


def test_every_question_was_interrupted_once(home: Path, converse: Init) -> None:
    person = Scripted(ANSWERS)
    assert converse(person) == 0
    assert len(person.asked) == QUESTIONS
    assert ".local/state/openparallax/init.json" not in _files(home)


def test_a_run_that_was_broken_off_is_gone_on_with(home: Path, converse: Init) -> None:
    assert converse(Scripted(ANSWERS, interrupted_at=7)) == 130
    again = Scripted({**ANSWERS, "App ID": "", "Phone number ID": "", "Public address": ""})
    assert converse(again) == 0
    assert ("App ID", "1234567890") in again.asked
    text = (home / "config.yaml").read_text("utf-8")
    assert 'phone_number_id: "1234567890123456"' in text
    assert 'public_url: "https://bot.example.org"' in text


def test_what_is_there_is_offered_and_secrets_are_not_shown(
    home: Path, converse: Init, capsys: pytest.CaptureFixture[str]
) -> None:
    assert converse(Scripted(ANSWERS)) == 0
    before = _files(home)
    capsys.readouterr()
    again = Scripted(dict.fromkeys(ANSWERS, ""))
    assert converse(again) == 0
    offered = dict(again.asked)
    assert offered["Phone number ID"] == ANSWERS["Phone number ID"]
    assert offered["Numbers"] == "+4915550000001"
    assert offered["Engine"] == "echo"
    assert "Enter: the file credentials/whatsapp_access_token" in offered.values()
    assert not any(ANSWERS["App secret"] in offer for offer in offered.values())
    assert ANSWERS["Access token"] not in capsys.readouterr().out
    assert _files(home) == before  # nothing was new: no copy either


def test_a_new_answer_changes_its_own_line_and_a_copy_is_kept(home: Path, converse: Init) -> None:
    assert converse(Scripted(ANSWERS)) == 0
    file = home / "config.yaml"
    file.write_text(f"{file.read_text('utf-8')}# a remark\nlog: {{level: warning}}\n", "utf-8")
    before = file.read_text("utf-8")
    new = {**dict.fromkeys(ANSWERS, ""), "Public address": "other.example.org"}
    new["Access token"] = "EAA" + "y" * 160
    assert converse(Scripted(new)) == 0
    changed = before.replace("https://bot.example.org", "https://other.example.org")
    assert file.read_text("utf-8") == changed
    assert (home / "config.yaml.1").read_text("utf-8") == before
    token = home / "credentials" / "whatsapp_access_token"
    assert token.read_text() == "EAA" + "y" * 160 + "\n"
    old = token.with_name("whatsapp_access_token.1")
    assert (old.read_text(), old.stat().st_mode & 0o777) == (ANSWERS["Access token"] + "\n", 0o600)


def test_saying_no_at_the_end_writes_nothing(home: Path, converse: Init) -> None:
    assert converse(Scripted({**ANSWERS, "Write them": "n"})) == 130
    assert not (home / "config.yaml").exists()
    assert not (home / "credentials").exists()


def test_secrets_of_the_environment_are_offered(home: Path, converse: Init) -> None:
    person = Scripted({**ANSWERS, "Access token": ""})
    assert converse(person, WHATSAPP_ACCESS_TOKEN="EAAfromoutside") == 0
    assert "Enter: $WHATSAPP_ACCESS_TOKEN" in dict(person.asked).values()
    kept = home / "credentials" / "whatsapp_access_token"
    assert kept.read_text() == "EAAfromoutside\n"


def test_what_an_option_says_is_not_asked(home: Path, converse: Init) -> None:
    person = Scripted(ANSWERS)
    given = Answers(app_id="1234567890", engine="echo", allowed=(), phone_number_id="+1 555 1")
    assert converse(person, given) == 0
    asked = [question for question, _ in person.asked]
    assert "App ID" not in asked
    assert "Engine" not in asked
    assert "Phone number ID" in asked  # it was none
    assert "allowed_numbers: []" in (home / "config.yaml").read_text("utf-8")


def test_a_file_that_is_no_settings_is_replaced_only_when_told(home: Path, converse: Init) -> None:
    file = home / "config.yaml"
    file.write_text("a: [", "utf-8")
    assert converse(Scripted({**ANSWERS, "Begin a new one": "n"})) == 130
    assert file.read_text("utf-8") == "a: ["
    assert converse(Scripted({**ANSWERS, "Begin a new one": "y"})) == 0
    assert (home / "config.yaml.1").read_text("utf-8") == "a: ["


def test_graph_that_cannot_be_reached_is_asked_no_more(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tries = iter("n")
    person = Scripted({**ANSWERS, "Go on without checking": ""})
    ask = person.ask

    def first_again(question: str, offered: str = "") -> str:
        answer = ask(question, offered)
        return next(tries, answer) if question.startswith("Go on") else answer

    monkeypatch.setattr(person, "ask", first_again)
    monkeypatch.setattr(terminal, "is_there", lambda: True)
    monkeypatch.setattr(run, "Terminal", lambda: person)
    given = Answers(graph_api_url="http://127.0.0.1:1")
    wanted = run.Wanted(config=home / "config.yaml", given=given)
    assert run.run(wanted, {"HOME": str(home)}) == 0
    asked = [question for question, _ in person.asked]
    assert [one for one in asked if one.startswith("Go on")] == [
        "Go on without checking? (n: try again)"
    ] * 2
    assert "This could not be checked: Graph could not be reached" in capsys.readouterr().out
    assert (home / "config.yaml").exists()


BY_HAND = """\
channels:
  whatsapp:
    phone_number_id: "1234567890123456"  # the shop
    access_token_env: WHATSAPP_ACCESS_TOKEN
    app_secret_env: [OLD_SECRET, NEW_SECRET]
    verify_token: "my-secret-verify-token"
    allowed_numbers: ["+1 (555) 000-1111"]
engine: {type: echo}
notices: {only_text: "Nur Text."}
"""


def test_a_file_written_by_hand_keeps_its_secrets_where_they_are(
    home: Path, converse: Init, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "config.yaml").write_text(BY_HAND, "utf-8")
    keep = {**dict.fromkeys(ANSWERS, ""), "App ID": "1234567890", "WhatsApp": "102290129340398"}
    keep["WhatsApp Business Account ID"] = "102290129340398"
    variables = {"WHATSAPP_ACCESS_TOKEN": ANSWERS["Access token"]}
    assert converse(Scripted(keep), **variables) == 0
    added = '    app_id: "1234567890"\n    waba_id: "102290129340398"\n'
    schema = "# yaml-language-server: $schema=openparallax.schema.json\n"
    assert (home / "config.yaml").read_text("utf-8") == schema + BY_HAND.replace(
        "# the shop\n", f"# the shop\n{added}"
    )
    assert not (home / "credentials").exists()
    shown = capsys.readouterr().out
    # These variables are the service's, and not set here: told, and no reason to refuse.
    assert "the environment variable OLD_SECRET is not set" in " ".join(shown.split())
    assert "Verify token   my-secret-verify-token" in shown
