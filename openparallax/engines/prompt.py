"""A turn as the Messages API wants it: alternating messages of text blocks, with cache marks.

What came beside the words (quoted, forwarded, an advertisement, a product, a tapped choice) is told
in one block of its own before the message that it belongs to::

    [WhatsApp: in reply to your message "We open at nine."; forwarded]
    Is that still so?

Whatever people or advertisers wrote stands in it as a JSON string: on one line, cut, and unable to
end its own quotation mark or the bracket. A person can still type such a line; all it can do is to
deceive the model about that person's own message, and the true one stands before it. A turn with
nothing beside its words is asked exactly as if there were no such thing.

Up to three of the four cache marks that the API takes are set:

- on the system prompt, which all chats share;
- on the last block of the history, which is the same in every later request until the history is
  trimmed (in blocks, so seldom);
- on the turn itself if the next request will show it in the same form: a single message, as the
  person sent it, with nothing beside it. So the next request reads all but the reply from the cache
  instead of paying for a long message a second time and more.

A mark before which less than the model's least cacheable length stands (512 to 4096 tokens) does
nothing and costs nothing. The API looks for earlier marks in the 20 blocks before each mark; only a
turn of nearly that many messages answered together makes it miss, once.

Source:
    Anthropic's page "Prompt caching", autumn 2026.
"""

import json
from collections.abc import Iterator
from itertools import dropwhile
from typing import Any

from openparallax.plugin import EngineError, Message, Quoted, Turn

QUOTED_CHARACTERS = 500
OTHER_CHARACTERS = 200
"""So much of a quotation, and of anything else that came beside the words, is told."""

_CACHE_UP_TO_HERE = {"cache_control": {"type": "ephemeral"}}
_WHOSE = {"engine": "your message", "contact": "their own message", None: "an earlier message"}
_OF_THE_ADVERTISEMENT = {"headline": "headline", "body": "text", "source_url": "address"}
"""What of a referral is told, and how. The rest (click ids, pictures) tells a model nothing."""


def render_system(prompt: str) -> list[dict[str, Any]]:
    """The system prompt; nothing if it is blank, which the API refuses."""
    if not prompt.strip():
        return []
    return [{"type": "text", "text": prompt, **_CACHE_UP_TO_HERE}]


def render_messages(turn: Turn) -> list[dict[str, Any]]:
    """The session's history and the turn, alternating, the contact first.

    Entries of one role in a row become blocks of one message and are not glued together, so that
    the history's blocks are the same in the next request. The API refuses blank blocks, so they
    are left out.

    Raises:
        EngineError: The turn has no words.
    """
    if not turn.text.strip():
        raise EngineError("There are no words to answer.")
    messages: list[dict[str, Any]] = []

    def add(role: str, text: str) -> None:
        if not messages or messages[-1]["role"] != role:
            messages.append({"role": role, "content": []})
        messages[-1]["content"].append({"type": "text", "text": storable(text)})

    def mark() -> None:
        messages[-1]["content"][-1].update(_CACHE_UP_TO_HERE)

    history = (spoken for spoken in turn.history if spoken.text.strip())
    for spoken in dropwhile(lambda spoken: spoken.role == "engine", history):
        add("user" if spoken.role == "contact" else "assistant", spoken.text)
    if messages:
        mark()
    blocks = list(_blocks_of(turn))
    for text in blocks:
        add("user", text)
    if blocks == [turn.text] == [message.text for message in turn.messages]:
        mark()
    return messages


def storable(text: str) -> str:
    """``text`` without lone surrogates, which neither JSON's bytes nor the database can hold."""
    return text.encode("utf-8", "replace").decode()


def _blocks_of(turn: Turn) -> Iterator[str]:
    notes = [_note(message) for message in turn.messages]
    if not any(notes):
        yield turn.text
    elif turn.text == "\n".join(message.text for message in turn.messages):
        for note, message in zip(notes, turn.messages, strict=True):
            if note:
                yield note
            if message.text.strip():
                yield message.text
    else:  # a stage has changed the words: which of them came with what is not known any more
        yield from filter(None, notes)
        yield turn.text


def _note(message: Message) -> str:
    """What came beside the words of ``message``, in brackets; "" for nothing."""
    facts = "; ".join(_facts(message))
    return f"[WhatsApp: {facts}]" if facts else ""


def _facts(message: Message) -> Iterator[str]:
    if message.quoted is not None:
        yield _in_reply_to(message.quoted)
    if message.is_forwarded_often:
        yield "forwarded many times"
    elif message.is_forwarded:
        yield "forwarded"
    if message.choice_id:
        yield f"tapped the choice {_quoted(message.choice_id, OTHER_CHARACTERS)}"
    if message.product:
        yield f"asks about the product {_quoted(message.product, OTHER_CHARACTERS)}"
    if message.referral:
        told = [
            f"{name} {_quoted(message.referral[key], OTHER_CHARACTERS)}"
            for key, name in _OF_THE_ADVERTISEMENT.items()
            if message.referral.get(key)
        ]
        yield " ".join(["came from an advertisement", ", ".join(told)]).rstrip()


def _in_reply_to(quoted: Quoted) -> str:
    said = f"in reply to {_WHOSE[quoted.role]}"
    return f"{said} {_quoted(quoted.text, QUOTED_CHARACTERS)}" if quoted.text else said


def _quoted(text: str, most: int) -> str:
    """``text`` as a JSON string on one line, cut."""
    one_line = " ".join(text.split())
    if len(one_line) > most:
        one_line = one_line[: most - 1] + "…"
    return json.dumps(one_line, ensure_ascii=False)
