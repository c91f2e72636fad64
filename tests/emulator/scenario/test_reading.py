"""Every way to write a script wrongly: told with file and line, all at once, and never a value."""

from pathlib import Path

import pytest

from openparallax.emulator import scenario
from openparallax.emulator.scenario import Scenario, load
from openparallax.emulator.scenario.acting import MEDIA
from openparallax.emulator.scenario.hearing import LOOKS, SEEN
from openparallax.emulator.scenario.house import ORDERS
from openparallax.emulator.scenario.reading import KEYS
from openparallax.emulator.scenario.wording import BUSINESS, OF_ALL, OF_PEOPLE, OF_STEPS
from openparallax.errors import ConfigError
from tests.emulator.scenario.parrot import SENTENCES

HEAD = "scenario: planted title\nsteps:\n"  # the first step stands in line 3
STEPS = {
    "- ann hers: hello": "3: is nothing that ann can do; did you mean ann hears?",
    "- ann whistles: hello": "3: is nothing that ann can do; there are says, sends, taps, reacts, ",
    "- anne hears: hello": "3: names nobody; did you mean ann?",
    "- zed says: hello": "3: names nobody; there are ann, bob, carol, davi",
    "- clok: +25h": "3: is no step; did you mean clock?",
    "- clear fault": "3: is no step; did you mean clear faults?",
    "- xyzzy: 1": "3: is no step; there are note, wait, clock, ",
    "- planted hello": "3: is no step",
    "- 42": "3: is no step: write `- ann: hello` or the like",
    "- []": "3: is no step",
    "- {}": "3: is no step",
    "- ann: planted\n    bob: planted": "3: is more than one step",
    "- ann: yes": "3: ann: must be text; YAML reads on, off, yes and no",
    "- ann: 42": "3: ann: must be text: put quotes round it",
    "- ann:": "3: ann: has no text",
    "- ann: {txt: planted}": "3: ann: txt: is not known here; did you mean text?",
    "- ann: {quoting: planted}": "3: ann: has no text",
    "- ann: {text: planted, written: yesterday}": "3: ann: written: must be a length of time",
    "- ann: planted\n  - ann: planted: planted": "4: is not YAML here",
    "- ann sends: picturr": "3: ann sends: must be one of: picture, voice, audio",
    "- ann sends: {picture: {title: planted}}": "3: ann sends: picture: title: is not known here",
    "- ann sends: {picture: , voice: }": "3: ann sends: must name one of: picture",
    "- ann sends: {raw: {kind: planted}}": "3: ann sends: raw: must have `type: …` and `content: …",
    "- ann sends: {location: planted}": "3: ann sends: location: must be a block of",
    "- ann reads: planted": "3: ann reads: takes nothing behind it",
    "- ann phone: planted": "3: ann phone: must be one of: gone, back",
    "- ann changes number: '123'": "3: ann changes number: must be a number of seven to fifteen",
    "- ann hears: []": "3: ann hears: lists nothing; to hear nothing, write `hears nothing`",
    "- ann hears: {}": "3: ann hears: says nothing of the answer; there are text, contains",
    "- ann hears: {contain: planted}": "3: ann hears: contain: is not known here; did you mean con",
    "- ann hears: {matches: '(planted'}": "3: ann hears: matches: is no regular expression",
    "- ann hears: {notice: loost}": "3: ann hears: notice: there is no notice of that name; did yo",
    "- ann hears: {text: planted, within: soon}": "3: ann hears: within: must be a length of time",
    "- ann hears:\n      - planted\n      - 7": "5: ann hears: must be text: put quotes round it",
    "- ann hears lines: {order: any}": "3: ann hears lines: lists no lines",
    "- ann hears lines: {lines: [a], order: some}": "order: must be one of: as listed, any",
    "- ann hears nothing: -1s": "3: ann hears nothing: must be a length of time such as 500ms",
    "- ann sees: blue ticks": "3: ann sees: must be one of: typing, no typing, waiting",
    "- ann sees: {within: 1s}": "3: ann sees: must have either `state: …` or `reaction: …`",
    "- clock: 25 hours": "3: clock: must be a length of time such as +25h or -10m",
    "- clock: 500d": "3: clock: must be a length of time such as +25h or -10m, at most 400 days",
    "- clock: .nan": "3: clock: must be a length of time",
    "- fault: duplicat": "3: fault: must be one of: duplicate, ",
    "- fault: refuse": "3: fault: has no value that fits: sends are refused; value: the code",
    "- fault: {refuse: planted}": "3: fault: refuse: has no value that fits",
    "- fault: {refuse: [131047]}": "3: fault: refuse: must be one value",
    "- fault: {refuse: 1, hang: 2}": "3: fault: must name one of: duplicate",
    "- fault: {refuse: 1, for: ane}": "3: fault: for: names nobody; there are ann, bob, carol, dav",
    "- fault: {refuse: 1, times: 0}": "3: fault: times: must be a whole number from 1 to 10000",
    "- clear faults: planted": "3: clear faults: must be one of: duplicate",
    "- token: expire": "3: token: must be one of: expired, revoked, valid; did you mean expired?",
    "- rules: {windows: true}": "3: rules: windows: is not known here; did you mean window?",
    "- rules: {window: 1}": "3: rules: window: must be true or false",
    "- graph got: {for: ann}": "3: graph got: must say how many: `sends: …` or `taken: …`",
    "- graph got: many": "3: graph got: must be a whole number from 0 to 10000",
    "- graph refused: {times: 1}": "3: graph refused: must say which: `code: …`",
    "- webhook answered: {times: 1}": "3: webhook answered: must say which: `status: …`",
    "- post webhook: {signed: rightly}": "3: post webhook: must have either `json: …` or `text: …`",
    "- post webhook: {text: a, signed: no}": "3: post webhook: signed: must be one of: rightly, wr",
    "- count anew: 1": "3: count anew: takes nothing behind it",
    "- daemon: reboot": "3: daemon: must be one of: kill, stop, start, restart",
    "- daemon: [kill, planted]": "3: daemon: must be one of: kill",
    "- nowhere on disk: word": "3: nowhere on disk: must have at least 6 characters",
    "- on disk: 7": "3: on disk: must be text: put quotes round it",
    "- business to ane: planted": "3: names nobody; there are ann, bob, carol, davi",
    "- batch: planted": '3: batch: must be a list: a line beginning with "- "',
    "- batch: [{ann hears: planted}]": "3: batch: may hold only what people say, send, tap",
    "- at once: []\n  - at once: [{ann hers: x}]": "4: at once: is nothing that ann can do",
    "- repeat: {times: 2}": "3: repeat: must have both `times: …` and `steps: …`",
    "- repeat: {times: 2, steps: []}": "3: repeat: steps: lists no steps",
    "- repeat: {times: 1001, steps: [count anew]}": "3: repeat: times: must be a whole number from",
    "- repeat: {times: 9, steps: [{repeat: {times: 999, steps: [count anew]}}]}": "more than 2000",
    "- every message has one outcome: [planted]": "3: every message has one outcome: must be a blo",
    "- wait: a while": "3: wait: must be a length of time",
    "- ann: !secret planted": "3: ",
    "- ann: “planted”": "3: ",
    "- ann: *planted": "3: is not YAML here",
}
WHOLE = {
    "": "1: must be a script: `scenario: TITLE` and `steps:` with a list under it",
    "- ann: hello": "1: must be a script",
    "scenario: x": "1: has no steps: a list of what is said and what must come back",
    "steps: [count anew]": "1: has no scenario: a title in one line",
    "scenario: x\nsteps:": "2: steps: lists no steps",
    "scenario: x\nsteps: planted": '2: steps: must be a list: a line beginning with "- "',
    "scenario: x\nsteps: [count anew]\nscenario: y": "3: scenario: is set twice; first in line 1",
    "scenario: x\nstep: [count anew]": "2: step: is not known here; did you mean steps?",
    "scenario: x\nsteps: [count anew]\nwithin: long": "3: within: must be a length of time",
    "scenario: x\nsteps: [count anew]\nleftovers: yes": "3: leftovers: must be one of: allowed, re",
    "scenario: x\nsteps: [count anew]\npeople: [erin]": "3: people: must be a block of",
    "scenario: x\nsteps: [count anew]\npeople: {erin: {}}": "3: people: erin: can be reached neith",
    "scenario: x\nsteps: [count anew]\npeople: {Erin: {}}": "3: people: Erin: must be named in sma",
    "scenario: x\nsteps: [count anew]\npeople: {clock: {}}": "3: people: clock: must be named in s",
    "scenario: x\nsteps: [count anew]\npeople: {ann: {number: 12}}": "number: must be text: put qu",
    "scenario: x\nsteps: [count anew]\npeople: {ann: {phone: '1'}}": "3: people: ann: phone: is no",
    "scenario: x\nsteps: [count anew]\npeople: {ann: {username: A B}}": "username: is no username",
    "scenario: x\nsteps: [count anew]\npeople: {ann: {id: planted}}": "id: is no business-scoped i",
    "scenario: x\nsteps: [count anew]\naccount: {token: planted}": "3: account: token: is not know",
    "scenario: x\nsteps: [count anew]\naccount: {test number for: [zed]}": "names nobody; there ar",
    "scenario: x\nsteps: [count anew]\nladder: {sent: 2s, delivered: 1s}": "3: ladder: must rise",
    "scenario: x\nsteps: [count anew]\nconfiguration: planted": "3: configuration: must be a block",
    "scenario: x\nengine: moody\nsteps:\n  - every message has one outcome": "4: every message has",
    "scenario: x\nsteps: [count anew]\n\tplanted": "3: is not YAML here",
    "scenario: x\nsteps: [a, [b, [c": "is not YAML here: the bracket that opens here is not closed",
}
EVERY = {**{f"{HEAD}  {step}\n": said for step, said in STEPS.items()}, **WHOLE}


def problems_of(folder: Path, text: str | bytes) -> list[str]:
    file = folder / "s.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as refused:
        load(file, sentences=SENTENCES)
    return refused.value.problems


@pytest.mark.parametrize("text", EVERY)
def test_it_is_told_where_and_what_is_wrong(tmp_path: Path, text: str) -> None:
    problems = problems_of(tmp_path, text)
    assert any(f"s.yaml:{EVERY[text]}" in one or EVERY[text] in one for one in problems), problems
    for problem in problems:
        assert problem.startswith(f"{tmp_path}/s.yaml:")
        assert "planted" not in problem.removeprefix(str(tmp_path))


def test_all_is_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    steps = [*list(STEPS)[:3], "- ann: hello", *list(STEPS)[3:6]]
    problems = problems_of(tmp_path, HEAD + "".join(f"  {step}\n" for step in steps))
    lines = [int(one.removeprefix(f"{tmp_path}/s.yaml:").split(":")[0]) for one in problems]
    assert lines == [3, 4, 5, 7, 8, 9]


@pytest.mark.parametrize("raw", [b"\xff\xfe", b"scenario: \xff", b"a: \0"])
def test_what_is_no_text_is_refused(tmp_path: Path, raw: bytes) -> None:
    assert "is not UTF-8 text" in problems_of(tmp_path, raw)[0]


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file"):
        load(tmp_path / "nowhere.yaml")
    with pytest.raises(ConfigError, match="is a folder"):
        load(tmp_path)


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    assert "too" in problems_of(tmp_path, f"steps: {'[' * 60}{']' * 60}")[0]


def test_notices_want_a_bot_that_has_them(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(f"{HEAD}  - ann hears: {{notice: lost}}\n")
    with pytest.raises(ConfigError, match="nobody said here which notices the bot has"):
        load(file)
    assert len(load(file, sentences=SENTENCES).steps) == 1


def read(folder: Path, text: str) -> Scenario:
    (folder / "s.yaml").write_text(text)
    return load(folder / "s.yaml", sentences=SENTENCES)


def test_everything_that_stands_above_the_steps_is_read(tmp_path: Path) -> None:
    script = read(
        tmp_path,
        """
scenario: All of it
about: what it shows
engine: echo
configuration: {outbox: {receipt_wait_seconds: 0.2}, notices: {lost: Weg.}}
within: 2s
leftovers: allowed
people:
  ann: {name: Annabel}
  erin: {number: "+1 555 000-0009", also: "15550000010", username: "@erin.e", id: US.9}
  faye: {number: null, id: US.8, reachable: false}
account: {test number for: [erin], token expires: -1h, messages per second: 3}
rules: {window: false}
ladder: {sent: 10ms, read: 1s}
steps:
  - faye: hello
  - ann hears: {notice: lost}
""",
    )
    assert (script.title, script.about, script.engine) == (
        "All of it",
        "what it shows",
        "echo",
    )
    assert script.within_s == 2.0
    assert script.allows_leftovers
    assert script.configuration["outbox"] == {"receipt_wait_seconds": 0.2}
    assert script.sentences["lost"] == "Weg."
    ann, erin, faye = script.people
    assert (ann.name, ann.wa_id) == ("Annabel", "4915550000001")
    assert (erin.name, erin.wa_id, erin.dialled) == ("Erin", "15550000009", ("15550000010",))
    assert (erin.username, erin.user_id) == ("erin.e", "US.9")
    assert (faye.wa_id, faye.user_id, faye.is_reachable) == (None, "US.8", False)
    assert script.account.allow_list == ("erin",)
    assert script.account.token_expires_s == -3600.0
    assert script.account.messages_per_second == 3
    assert script.rules == {"window": False}
    assert script.ladder == ((0.01, "sent"), (1.0, "read"))
    assert [step.line for step in script.steps] == [16, 17]


def test_what_is_laid_over_the_configuration_anybody_may_write(tmp_path: Path) -> None:
    text = (
        f"configuration: {{a: plain, b: [0x10, 'quoted'], c: {{d: null}}}}\n{HEAD}  - count anew\n"
    )
    laid = read(tmp_path, text).configuration
    assert laid == {"a": "plain", "b": [16, "quoted"], "c": {"d": None}}
    kinds = [type(laid["a"]), *(type(one) for one in laid["b"])]  # type: ignore[union-attr]
    assert kinds == [str, int, str]


def test_a_repetition_numbers_its_rounds(tmp_path: Path) -> None:
    steps = "  - repeat: {times: 2, steps: [{ann: 'word {n}'}, count anew]}\n"
    titles = [step.title for step in read(tmp_path, HEAD + steps).steps]
    assert titles == ["ann: word 1", "count anew", "ann: word 2", "count anew"]


def test_a_script_that_is_spoilt_anyhow_is_read_or_refused(tmp_path: Path) -> None:
    script = Path(__file__).parents[2] / "scenarios" / "off-the-record.yaml"
    lines = script.read_text("utf-8").split("\n")
    spoilt = [
        *(lines[:at] + lines[at + 1 :] for at in range(0, len(lines), 2)),
        *([*lines[:at], f"  {lines[at]}", *lines[at + 1 :]] for at in range(0, len(lines), 3)),
        *([*lines[:at], lines[at][: len(lines[at]) // 2]] for at in range(0, len(lines), 3)),
    ]
    refused: list[list[str]] = []
    for one in spoilt:
        (tmp_path / "s.yaml").write_text("\n".join(one))
        try:
            assert load(tmp_path / "s.yaml", sentences={"otr": "", "lost": "", "otr_off": ""}).steps
        except ConfigError as error:
            refused.append(error.problems)
    assert 0 < len(refused) < len(spoilt)
    assert all(one.startswith(f"{tmp_path}/s.yaml:") for problems in refused for one in problems)


def test_every_word_of_the_language_is_explained() -> None:
    explained = " ".join((scenario.__doc__ or "").split())
    spoken = [*OF_PEOPLE, *OF_ALL, *OF_STEPS, BUSINESS, *KEYS, *SEEN, *LOOKS, *MEDIA, *ORDERS]
    assert [word for word in spoken if word not in explained] == []
