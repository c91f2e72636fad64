"""Each kind of step, when all goes as the script says."""

import pytest

from openparallax.emulator.scenario import Style
from openparallax.errors import ConfigError
from tests.emulator.scenario.parrot import Stage

GOOD = {
    "a text": """
  - ann: hello
  - ann hears: hello""",
    "several texts, and lines": """
  - ann: [one, two]
  - ann hears lines: [one, two]""",
    "lines in any order": """
  - ann: [one, two]
  - ann hears lines: {lines: [two, one], order: any}""",
    "answers in a list": """
  - ann: one
  - ann says: two
  - ann hears: [one, {contains: w, begins: t, ends: o, lacks: x, matches: "t.o"}]""",
    "answers with a limit": """
  - ann: [one, two]
  - ann hears: {answers: [one, two], within: 5s}""",
    "a notice, whatever is filled in": """
  - ann: status
  - ann hears: {notice: status}""",
    "a quotation": """
  - ann: quote me
  - ann hears: {text: quote me, quoting: quote me, kind: text}
  - ann: {text: and I you, quoting: last answer}
  - ann hears: {text: and I you, quoting: ""}""",
    "a tap": """
  - ann: menu
  - ann hears: {text: "Well?", kind: interactive, choices: ["Yes", "No"]}
  - ann taps: "No"
  - ann hears: "No\"""",
    "what else people do": """
  - ann: hello
  - ann hears: hello
  - ann reacts: 👍
  - ann reacts: {emoji: "", to: hello}
  - ann deletes: last
  - ann reads
  - ann sends: picture
  - ann sends: {voice: }
  - ann sends: {document: {caption: read this, filename: a.pdf}}
  - ann sends: location
  - ann sends: {contact: {name: {formatted_name: Zed}}}
  - ann sends: {raw: {type: order, content: {catalog_id: "1"}}}
  - all webhooks are taken
  - ann sees: read
  - ann hears nothing""",
    "what the phone shows": """
  - ann: love
  - ann sees: typing
  - ann sees: delivered
  - ann sees: {reaction: ❤️, within: 5s}
  - ann sees: {state: read}""",
    "typing ends with the answer": """
  - ann: hello
  - ann hears: hello
  - ann sees: no typing""",
    "nothing": """
  - ann: hush
  - ann sees: read
  - ann hears nothing: 50ms
  - bob hears nothing: {for: 10ms}""",
    "other people's answers": """
  - at once:
      - - ann: ann's
        - ann hears: ann's
      - - carol: carol's
        - carol hears: carol's
      - davi: davi's
  - davi hears: davi's
  - every message has one outcome""",
    "what is expected before it is asked for": """
  - at once:
      - ann hears: hello
      - - wait: 10ms
        - ann: hello""",
    "a batch": """
  - count anew
  - batch:
      - ann: one
      - bob: two
      - ann: three
  - ann hears: [one, three]
  - bob hears: two
  - webhook answered: 200""",
    "a repetition": """
  - repeat: {times: 3, steps: [{ann: "number {n}"}, {ann hears: "number {n}"}]}
  - graph got: 3""",
    "graph refuses": """
  - fault: {refuse: 131056, for: ann, times: 1}
  - ann: lost
  - graph refused: 131056
  - graph refused: {code: 131056, times: 1, for: ann}
  - graph got: {sends: 1, taken: 0, for: ann}
  - graph answered: 400
  - count anew
  - graph got: 0""",
    "a fault and its end": """
  - fault: duplicate
  - clear faults: duplicate
  - fault: {duplicate: }
  - clear faults
  - ann: once
  - ann hears: once
  - fault: {duplicate: , for: bob}
  - ann: not bob's
  - ann hears: not bob's
  - fault: {hang: , times: 1}
  - ann: held up
  - ann hears: held up
  - clear faults
  - all webhooks are taken: {within: 5s}""",
    "the token": """
  - token: revoked
  - ann: hello?
  - graph refused: {code: 190, times: 2}
  - count anew
  - token: expired
  - ann: hello
  - graph refused: {code: 190, times: 2}
  - token: valid
  - ann: again
  - ann hears: again""",
    "the window, and the rule switched off": """
  - ann: hush
  - ann sees: read
  - daemon: stop
  - ann: yesterday
  - clock: +25h
  - daemon: start
  - graph refused: 131047
  - rules: {window: false}
  - clock: reset
  - ann: hello
  - ann hears: hello""",
    "webhooks of one's own": """
  - post webhook: {text: "{}", signed: wrongly, answered: 401}
  - post webhook: {json: {entry: []}, signed: not at all, answered: 401}
  - post webhook: {json: {entry: []}, answered: 200}
  - webhook answered: {status: 401, times: 2}""",
    "an outage": """
  - daemon: kill
  - ann: are you there?
  - webhook answered: 0
  - ann sees: waiting
  - daemon: [start, restart]
  - ann hears: are you there?
  - every message has one outcome""",
    "an outcome that is no answer": """
  - ann: [one, hush, "/new two", /otr off]
  - ann hears lines: [one, /new two, /otr off]
  - every message has one outcome: {except: [hush, "/new two"]}""",
    "people": """
  - erin: hello
  - erin hears: hello
  - ann phone: gone
  - ann phone: back
  - ann changes number: "+49 155 5000 0077"
  - ann: new number
  - ann hears: new number""",
    "a phone that is gone": """
  - bob phone: gone
  - bob: hello?
  - graph got: {taken: 1, for: bob}
  - bob hears nothing: 20ms
  - bob phone: back
  - bob: hello!
  - bob hears: hello!""",
    "an answer that fails": """
  - fault: {fail: 131026, times: 1}
  - bob: hello?
  - graph got: {taken: 1, for: bob}
  - webhook answered: {status: 200, times: 2}""",
    "a note and a pause": """
  - note: nothing happens
  - wait: 10ms""",
    "from the business's phone": """
  - business to ann: this is Bea
  - all webhooks are taken
  - ann hears nothing: 10ms""",
    "what was written when": """
  - ann: {text: earlier, written: -2h}
  - ann hears: {text: earlier, not before: 1h, within: 5s}""",
}
ERIN = "people: {erin: {name: Erin, number: '15550000009', username: erin.e, reachable: true}}"


@pytest.mark.parametrize("name", GOOD)
async def test_it_goes_as_the_script_says(stage: Stage, name: str) -> None:
    outcome = await stage.play(GOOD[name], ERIN)
    assert outcome.ok, stage.shown
    assert outcome.skipped == 0
    assert "As the script says" in stage.lines[-1]


async def test_a_batch_is_one_request(stage: Stage) -> None:
    outcome = await stage.play("""
  - batch: [{ann: hush}, {bob: hush}, {ann sends: location}]
  - all webhooks are taken
  - ann: hush
  - all webhooks are taken""")
    assert outcome.ok, stage.shown
    assert [len(post.all("messages")) for post in stage.parrot.bot.posts] == [3, 1]


async def test_whoever_looks_is_told_of(stage: Stage) -> None:
    outcome = await stage.play(
        "  - ann: hello\n  - webhook answered: {status: 200, times: 2}\n  - ann reads\n"
        "  - all webhooks are taken\n  - ann hears: hello",
        "ladder: {sent: 0s}",
    )
    assert outcome.ok, stage.shown
    assert stage.parrot.bot.told == ["sent", "read"]


async def test_what_was_written_down_is_found(stage: Stage) -> None:
    (stage.state / "a.db").write_bytes(b"\0\0kept in mind\0")
    outcome = await stage.play("""
  - on disk: kept in mind
  - on disk: started
  - nowhere on disk: [forgotten, never said]""")
    assert outcome.ok, stage.shown


async def test_the_script_changes_the_account(stage: Stage) -> None:
    head = (
        "account: {test number for: [bob], token expires: 1h, messages per second: 5}\n"
        "rules: {pair_rate: false}\nladder: {sent: 0s, delivered: 10ms, read: 20ms}\n"
    )
    outcome = await stage.play(
        "  - ann: hello\n  - graph refused: 131030\n  - bob: hello\n  - bob hears: hello", head
    )
    assert outcome.ok, stage.shown
    emulator = stage.emulator
    assert emulator.world.our_number().messages_per_second == 5
    assert not emulator.rules.pair_rate
    assert [name for _, name in emulator.statuses.ladder.steps] == ["sent", "delivered", "read"]
    tokens = emulator.world.account.tokens.values()
    assert all(token.expires_at and token.kind == "USER" for token in tokens)


async def test_leftovers_may_be_allowed(stage: Stage) -> None:
    steps = "  - ann: twice\n  - ann hears: twice\n  - graph got: {taken: 2}"
    assert (await stage.play(steps, "leftovers: allowed")).ok, stage.shown


async def test_a_daemon_that_is_down_is_started(stage: Stage) -> None:
    await stage.daemon.stop()
    assert (await stage.play("  - ann: hello\n  - ann hears: hello")).ok, stage.shown
    assert stage.orders == ["end", "start"]


async def test_what_the_daemon_said_before_it_ended_is_not_believed(stage: Stage) -> None:
    stage.daemon.tell(modes={"ann": "off_the_record"})
    outcome = await stage.play("""
  - ann sees: off the record
  - daemon: restart
  - ann sees: {state: off the record, within: 10ms}""")
    assert len(outcome.failures) == 1
    assert stage.orders == ["end", "start"]


async def test_somebody_elses_bot_plays_what_needs_no_daemon(stage: Stage) -> None:
    outcome = await stage.play("  - ann: hello\n  - ann hears: hello", has_daemon=False)
    assert outcome.ok, stage.shown


async def test_what_needs_the_daemon_is_refused_beforehand(stage: Stage) -> None:
    steps = """
  - ann: hello
  - at once: [{daemon: kill}]
  - ann sees: off the record
  - nowhere on disk: hello again"""
    with pytest.raises(ConfigError) as refused:
        await stage.play(steps, has_daemon=False)
    lines = [problem.rsplit("/", 1)[-1].split(": ")[0] for problem in refused.value.problems]
    assert lines == ["script.yaml:6", "script.yaml:7", "script.yaml:8"]
    assert stage.lines == []


async def test_nothing_is_shown_that_the_terminal_cannot_bear(stage: Stage) -> None:
    outcome = await stage.play(
        '  - ann: "h\\e[31mé 👍"\n  - ann hears: other', style=Style(encoding="ascii")
    )
    assert not outcome.ok
    assert stage.shown.isascii()
    assert "\x1b" not in stage.shown
    assert "\\x1b[31m" in stage.shown
    assert "NO" in stage.shown


async def test_colours_are_for_terminals(stage: Stage) -> None:
    style = Style(has_colours=True, encoding="utf-8")
    await stage.play("  - ann: hello\n  - ann hears: hullo", style=style)
    assert "\x1b[31m✗" in stage.shown
    assert "\x1b[32m✓" in stage.shown
