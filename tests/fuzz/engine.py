"""What an engine is asked, and what is remembered off the record."""

import json
from dataclasses import replace
from typing import Literal

from openparallax.engines.prompt import render_messages, render_system
from openparallax.model.entry import CONTACT_PART, ENGINE_PART, Entry, Role
from openparallax.model.session import Mode, Session
from openparallax.model.text import SessionId, Text
from openparallax.plugin import EngineError, Message, Quoted
from openparallax.transcript.volatile import VolatileTranscript
from tests.fakes.messages_api import Asked, faults_of
from tests.fuzz.draws import Draws
from tests.fuzz.target import Target
from tests.pipeline.doubles import make_turn

_ROLES = ("contact", "engine")
_WHOSE: tuple[Literal["contact", "engine"] | None, ...] = ("contact", "engine", None)
_HEADERS = {"x-api-key": "k", "anthropic-version": "1", "content-type": "application/json"}


def try_prompt(data: bytes) -> None:
    """Any history and any messages: Anthropic takes what is asked; notes stay on their line."""
    draws = Draws(data)
    history = [(draws.one_of(_ROLES), draws.text(30)) for _ in range(draws.below(8))]
    messages = [_message(draws) for _ in range(draws.below(4))]
    said = "\n".join(message.text for message in messages)
    words = said if draws.is_so() else draws.text(30)
    turn = replace(make_turn(words, *history), messages=tuple(messages))
    try:
        asked = render_messages(turn)
    except EngineError:
        assert not words.strip()
        return
    assert words.strip()
    system = render_system(draws.text(20).encode("utf-8", "replace").decode())  # a file's text
    body = {"model": "m", "max_tokens": 1, "system": system, "messages": asked}
    json.dumps(body, ensure_ascii=False).encode()  # raises on a lone surrogate
    assert list(faults_of("POST", Asked("/v1/messages", _HEADERS, body))) == []
    for message in asked[-1]["content"]:
        text = message["text"]
        if text.startswith("[WhatsApp: ") and text not in (said, words) and text not in said:
            assert text.splitlines() == [text], "a note on two lines"
            assert len(text) < 5000


def _message(draws: Draws) -> Message:
    quoted = None
    if draws.is_so():
        quoted = Quoted(draws.one_of(_WHOSE), draws.text(40) if draws.is_so() else None)
    return Message(
        draws.text(30),
        choice_id=draws.text(10),
        quoted=quoted,
        is_forwarded=draws.is_so(),
        product=draws.text(10),
        referral={"headline": draws.text(20), "body": draws.text(20)} if draws.is_so() else {},
    )


# -- memory off the record ------------------------------------------------------------------------

_MOST_IN_SESSION, _MOST = 40, 90
_WRITERS = (Role.CONTACT, Role.ENGINE, Role.PERSON, Role.UNSAID)


def try_memory(data: bytes) -> None:
    """Whatever is held, dropped, struck and forgotten: the bounds hold, and the sums are right."""
    draws = Draws(data)
    room = VolatileTranscript(
        history_entries=6, session_characters=_MOST_IN_SESSION, all_characters=_MOST
    )
    while draws:
        session = Session(SessionId(draws.below(5)), Mode.OFF_THE_RECORD)
        turn = draws.below(9)
        match draws.below(8):
            case 0:
                room.forget(session.id)
            case 1:
                room.drop(session, turn)
            case 2:
                room.strike(session, turn)
            case 3:
                room.note_unsaid(session, turn)
            case 4:
                room.note_said_again(session, turn)
            case _:
                room.hold(_entry(draws, session, turn))
        _assert_bounded(room)
        assert room.keep(_entry(draws, session, turn)) == ()


def _entry(draws: Draws, session: Session, turn: int) -> Entry:
    role = draws.one_of(_WRITERS)
    part = CONTACT_PART if role is Role.CONTACT else ENGINE_PART
    hashed = turn if draws.is_so() else None
    return Entry(session, turn, part, role, Text("x" * draws.below(60)), 0, hashed=hashed)


def _assert_bounded(room: VolatileTranscript) -> None:
    held = room._sessions.values()
    for one in held:
        assert one.characters == sum(len(entry.text) for entry in one.entries.values())
        assert one.characters <= _MOST_IN_SESSION or len(one.entries) == 1
    total = sum(one.characters for one in held)
    assert room._characters == total, "characters were lost count of"
    assert total <= _MOST or len(room._sessions) == 1


PROMPT = Target("prompt", try_prompt, lambda: [bytes(range(n, n + 90)) for n in range(0, 160, 8)])
MEMORY = Target("memory", try_memory, lambda: [bytes(range(n, n + 90)) for n in range(0, 160, 8)])
