"""The daemon's own sentences, and an operator's wording of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openparallax.session.commands import COMMANDS
from openparallax.session.notices import SENTENCES, Notices

FILLED: dict[str, str | int] = {
    "mode": "Off the record",
    "session": 7,
    "engine": "echo",
    "waiting": "Nothing is waiting.",
    "count": 3,
    "nearest": "/otr",
    "commands": "/new: …",
}


@pytest.mark.parametrize("name", SENTENCES)
def test_every_sentence_can_be_said(name: str) -> None:
    said = Notices().say(name, **FILLED)
    assert said
    assert "{" not in said
    assert len(said) <= 4096


def test_own_wording_takes_the_place_of_ours() -> None:
    notices = Notices({"mistyped": "Meintest du {nearest}?"})
    assert notices.say("mistyped", nearest="/otr") == "Meintest du /otr?"
    assert notices.say("new") == SENTENCES["new"]


@pytest.mark.parametrize(
    "broken",
    [
        "{", "}", "{}", "{0}", "{nearest", "nearest}", "{nearest!x}", "{nearest:>9999999999}",
        "{nearest[0][x]}", "{nearest.__class__}", "{other}", "{{nearest}}", "{:{}}", "%s %(x)s",
        "$nearest", "\\1 \\g<0>",
    ],
)  # fmt: skip
def test_broken_braces_never_fail(broken: str) -> None:
    said = Notices({"mistyped": broken}).say("mistyped", nearest="/otr")
    assert said == broken.replace("{nearest}", "/otr")


@given(st.text())
def test_no_wording_fails(wording: str) -> None:
    notices = Notices({"status": wording, "help": wording})
    said = notices.say("status", **FILLED)
    assert said == wording or any("{" + name + "}" in wording for name in FILLED)
    assert isinstance(notices.help(), str)


def test_what_is_filled_in_is_not_filled_in_again() -> None:
    assert Notices({"status": "{engine}"}).say("status", engine="{mode}", mode="x") == "{mode}"


def test_help_names_every_command() -> None:
    said = Notices().help()
    assert all(f"{command}: " in said for command in COMMANDS)


def test_the_confirmation_says_what_it_covers_and_what_not() -> None:
    said = SENTENCES["otr"]
    for word in ("memory", "WhatsApp", "model", "begins with this message", "/otr off"):
        assert word in said
