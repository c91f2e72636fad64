"""Each kind of expectation, broken: it is shown, and the script has failed."""

import asyncio
from pathlib import Path

import pytest

from tests.emulator.scenario.parrot import Stage

BROKEN = {
    "a text": (
        "  - ann: hello\n  - ann hears: hullo",
        ["ann hears: hullo  (line 5)", "- hullo", "?  ^", "+ hello"],
    ),
    "no answer": (
        "  - ann: hush\n  - ann hears: {text: hush, within: 20ms}",
        ["0 of 1 answers came within 0.02 s"],
    ),
    "one answer of two": (
        "  - ann: hello\n  - graph got: 1\n  - ann hears: {answers: [hullo, there], within: 20ms}",
        ["answer 1 of 2:", "+ hello", "1 of 2 answers came within 0.02 s"],
    ),
    "a part": (
        "  - ann: hello\n  - ann hears: {contains: [hell, heaven], lacks: ll, begins: H, ends: x}",
        ["must contain: heaven", "must not contain: ll", "must begin with: H", "end with: x"],
    ),
    "a pattern": ("  - ann: hello\n  - ann hears: {matches: h.l}", ["must match: h.l", "+ hello"]),
    "a notice": ("  - ann: hello\n  - ann hears: {notice: lost}", ["must be the notice: lost"]),
    "a kind": ("  - ann: hello\n  - ann hears: {kind: image}", ["kind image, is of kind text"]),
    "a quotation": (
        "  - ann: hello\n  - ann hears: {quoting: hello}",
        ["must quote: hello", "quotes: nothing"],
    ),
    "a quotation too many": (
        '  - ann: quote me\n  - ann hears: {quoting: ""}',
        ["must quote nothing", "quotes: quote me"],
    ),
    "buttons": ('  - ann: menu\n  - ann hears: {choices: ["Yes"]}', ["  Yes", "+ No"]),
    "too early": (
        "  - ann: hello\n  - ann hears: {text: hello, not before: 1h}",
        ["must not come before 3600 s"],
    ),
    "lines": (
        "  - ann: [one, two]\n  - ann hears lines: [one, three]",
        ["  one", "- three", "+ two"],
    ),
    "lines in another order": (
        "  - ann: [one, two]\n  - ann hears lines: [two, one]",
        ["+ one", "- one"],
    ),
    "too few lines": (
        "  - ann: one\n  - graph got: 1\n  - ann hears lines: {lines: [one, two], within: 20ms}",
        ["- two", "1 of 2 lines came in 0.02 s"],
    ),
    "nothing": (
        "  - ann: hello\n  - ann hears nothing",
        ["nothing was to come, but this did:", "+ hello"],
    ),
    "an answer that no step asked for": (
        "  - ann: twice\n  - ann hears: twice",
        ["nothing else comes", "+ ann heard, and no step asked for it: twice"],
    ),
    "a state": (
        (
            "  - daemon: stop\n  - ann: hello\n  - ann sees: {state: read, within: 20ms}\n"
            "  - daemon: start\n  - ann hears: hello"
        ),
        ["not seen within 0.02 s; their last message is waiting"],
    ),
    "no longer waiting": (
        "  - ann: hush\n  - ann sees: read\n  - ann sees: waiting",
        ["not so at this moment; their last message is read"],
    ),
    "typing": ("  - ann sees: {state: typing, within: 0s}", ["they wrote nothing"]),
    "typing of before": (
        (
            "  - ann: hello\n  - ann hears: hello\n  - daemon: stop\n  - ann: again\n"
            "  - ann sees: {state: typing, within: 20ms}\n  - daemon: start\n  - ann hears: again"
        ),
        ["not seen within 0.02 s; their last message is waiting"],
    ),
    "a mode": (
        "  - ann sees: {state: off the record, within: 20ms}",
        ["the daemon says nothing of them"],
    ),
    "a reaction": (
        "  - ann: hush\n  - ann sees: {reaction: ❤️, within: 20ms}",
        ["not seen within 0.02 s"],
    ),
    "sends": (
        "  - ann: hello\n  - ann hears: hello\n  - graph got: {sends: 2, within: 20ms}",
        ["sends that arrived: 1; taken: 1"],
    ),
    "too many sends": (
        "  - ann: twice\n  - ann hears: [twice, twice]\n  - graph got: 1",
        ["sends that arrived: 2; taken: 2"],
    ),
    "a refusal": (
        (
            "  - fault: {refuse: 100, times: 1}\n  - ann: hello\n"
            "  - graph refused: 100\n  - graph refused: {code: 131047, within: 20ms}"
        ),
        ["refused with 131047: 0 times; other codes: 100"],
    ),
    "an answer to a webhook": (
        (
            "  - ann: hush\n  - webhook answered: 200\n"
            "  - webhook answered: {status: 500, within: 20ms}"
        ),
        ["answered with 500: 0 times; other answers: 200"],
    ),
    "an answer to one's own webhook": (
        "  - post webhook: {text: '{}', signed: wrongly, answered: 200}",
        ["must be answered 200, was answered 401"],
    ),
    "webhooks that are not taken": (
        "  - daemon: stop\n  - ann: hello\n  - all webhooks are taken: {within: 20ms}",
        ["after 0.02 s the bot has not taken 1 updates"],
    ),
    "on disk": (
        "  - on disk: [started, never said]",
        ["text 2: stands nowhere in the daemon's folder nor in its log"],
    ),
    "nowhere on disk": ("  - nowhere on disk: started", ["written down in", "log: as it is"]),
    "an outcome": (
        (
            "  - ann: [one, hush]\n  - bob: twice\n"
            "  - every message has one outcome: {within: 1s}\nleftovers: allowed"
        ),
        ["ann:", "  one", "- hush", "bob:", "+ twice"],
    ),
    "outcomes in another order": (
        (
            "  - fault: {reorder: , times: 1}\n  - ann: [one, two]\n"
            "  - every message has one outcome\nleftovers: allowed"
        ),
        ["ann:", "- two", "+ two"],
    ),
    "within steps": (
        "  - at once:\n      - [{ann: hello}, {ann hears: hullo}]",
        ["+ hello", "1 thing wrong"],
    ),
}
STUCK = {
    "a daemon that does not start": ("  - daemon: start", "it does not start:"),
    "a button that is not there": ("  - ann taps: Perhaps", "no message of the bot has such a"),
    "nothing to quote": ("  - ann: {text: x, quoting: last answer}", "no such message to quote"),
    "nothing to react to": ("  - ann reacts: 👍", "there is no such message to react to"),
    "nothing to delete": ("  - ann deletes: last", "they wrote no such message"),
    "a bot's message to delete": (
        "  - ann: hello\n  - ann hears: hello\n  - ann deletes: last answer",
        "they wrote no such message",
    ),
    "no token to expire": ("  - token: expired", "the account has no token"),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_expectation_is_shown(stage: Stage, name: str) -> None:
    steps, shown = BROKEN[name]
    outcome = await stage.play(steps)
    assert not outcome.ok
    for line in shown:
        assert line in stage.shown
    assert "NOT as the script says" in stage.lines[-1]
    assert outcome.skipped == 0
    assert len([line for line in stage.lines if "✗" in line]) == len(outcome.failures) == 1


async def test_what_follows_a_failure_is_played(stage: Stage) -> None:
    outcome = await stage.play(
        "  - ann: hello\n  - ann hears: hullo\n  - ann: again\n  - ann hears: again"
    )
    assert len(outcome.failures) == 1
    assert "✓  ann hears: again" in stage.shown


async def test_after_one_long_wait_the_next_are_short(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openparallax.emulator.scenario.stage.IMPATIENT_S", 0.02)
    outcome = await stage.play("""
  - ann: hush
  - ann hears: {text: hush, within: 10ms}
  - ann hears: {text: hush, within: 60s}
  - ann: hello
  - graph got: 1
  - ann hears: hello""")
    assert len(outcome.failures) == 2
    assert "0 of 1 answers came within 0.02 s" in stage.shown
    assert stage.emulator.world.people  # the emulator is still there


@pytest.mark.parametrize("name", STUCK)
async def test_what_cannot_be_done_ends_the_play(stage: Stage, name: str) -> None:
    async def fail() -> None:
        raise OSError("The port is taken.")

    stage.daemon.start = fail
    stage.emulator.world.account.tokens.clear()
    steps, shown = STUCK[name]
    outcome = await stage.play(f"{steps}\n  - ann hears: {{text: x, within: 1s}}\n  - bob: never")
    assert not outcome.ok
    assert outcome.skipped == 2
    assert shown in stage.shown
    assert "-  bob: never" in stage.shown
    assert "2 not played" in stage.lines[-1]


async def test_a_daemon_that_ends_by_itself_is_not_waited_for(stage: Stage) -> None:
    asyncio.get_running_loop().call_later(
        0.02, lambda: stage.daemon.tell(state="ended", note="It ended with exit code 3.")
    )
    outcome = await stage.play("  - ann: hush\n  - ann hears: hush\n  - bob: hello")
    assert outcome.skipped == 1
    assert "It ended with exit code 3." in stage.shown


async def test_a_long_difference_is_cut(stage: Stage) -> None:
    text = "\\n".join(f"line {n}" for n in range(300))
    outcome = await stage.play(f'  - ann: "{text}"\n  - ann hears: {"x" * 2000}')
    assert not outcome.ok
    assert "lines more" in stage.shown
    assert len(stage.lines) < 80
    assert max(map(len, stage.lines)) < 600


async def test_the_words_of_a_script_are_in_no_repr(stage: Stage, tmp_path: Path) -> None:
    from openparallax.emulator.scenario import load  # noqa: PLC0415 - only here

    script = tmp_path / "secret.yaml"
    script.write_text(
        "scenario: t\nsteps:\n  - ann: planted\n  - ann hears: {contains: planted}\n"
        "  - nowhere on disk: planted\n  - ann hears lines: [planted]\n"
    )
    scenario = load(script)
    assert len(scenario.steps) == 4
    assert "planted" not in repr(scenario)
    outcome = await stage.play("  - ann: planted\n  - ann hears: {text: other}")
    assert "planted" in stage.shown
    assert "planted" not in repr(outcome)
