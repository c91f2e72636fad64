"""Stories as plain data."""

from typing import Any

from openparallax.app.why.now import Verdict
from openparallax.app.why.stories import Story
from openparallax.storage.overview import ChatLine
from openparallax.trail import Note


def chat(line: ChatLine, window_until: int) -> dict[str, Any]:
    is_number = line.address.isascii() and line.address.isdigit()
    return {
        "chat": line.chat,
        "account": line.account,
        "contact": f"+{line.address}" if is_number else line.address,
        "name": line.name,
        "mode": line.mode.label,
        "waiting": line.waiting,
        "sending": line.sending,
        "taken_over_until": line.taken_until or None,
        "window_until": window_until or None,
    }


def message(story: Story, verdict: Verdict) -> dict[str, Any]:
    return {
        "turn": story.turn or None,
        "chat": story.chat or None,
        "at": story.at,
        "is_ours": story.is_ours,
        "outcome": verdict.outcome,
        "why": verdict.why,
        "to_do": verdict.to_do,
        "steps": [step(note) for note in story.notes],
        "parts": [
            {
                "parcel": one.parcel,
                "turn": one.turn,
                "notice": one.notice,
                "state": one.state.name.lower(),
                "status": one.status.name.lower() if one.status is not None else None,
                "code": one.code,
                "attempts": one.attempts,
                "at": one.created_at,
            }
            for one in story.parts
        ],
    }


def step(note: Note) -> dict[str, Any]:
    """A step as plain data, without what it does not say."""
    told = {key: value for key, value in note._asdict().items() if value not in {0, "", None}}
    return {**told, "step": str(note.step)}
