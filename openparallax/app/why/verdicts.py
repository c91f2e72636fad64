"""A story in a sentence: what became of a message; where it was not answered why, and what next.

Pure. Every outcome has its own sentence; a word stands beside it for programs.
"""

import time
from collections.abc import Mapping

from openparallax.app.why.now import Now, Verdict, long
from openparallax.app.why.sent import sent
from openparallax.app.why.sentences import AT_THE_DOOR, NOTICES, REVOKED, SILENCE, UNKNOWN
from openparallax.app.why.stories import Story
from openparallax.model.envelope import Envelope, EnvelopeState
from openparallax.trail import Note, Step


def judge(story: Story, now: Now) -> Verdict:
    """What became of a message, and why."""
    if story.envelope is not None:
        return _unfinished(story, story.envelope, now)
    if story.parts:
        return sent(story, story.parts, now)
    for step in (Step.REVOKED, Step.HANDED_OVER, Step.OVERTAKEN):
        if (note := story.latest(step)) is not None:
            return _taken_away(note, story, now)
    door = story.door
    if door is not None and door.step in AT_THE_DOOR:
        return AT_THE_DOOR[door.step]
    posted = story.latest(Step.POSTED)
    if posted is not None and not posted.amount:
        return SILENCE
    if story.latest(Step.LOST) is not None:
        return NOTICES["lost"]
    if story.kept is not None and story.kept.is_revoked:
        return REVOKED
    until = now.taken_until.get(story.chat, 0)
    if until - now.takeover_s <= story.at < until:
        return _handed_over(until, now)
    return UNKNOWN


def _taken_away(note: Note, story: Story, now: Now) -> Verdict:
    if note.step is Step.REVOKED:
        return REVOKED
    until = now.taken_until.get(story.chat, 0)
    if note.step is Step.HANDED_OVER or until > note.at:
        return _handed_over(until, now)
    return Verdict(
        "overtaken", "What it asked was revoked, forgotten or left to a person meanwhile."
    )


def _handed_over(until: float, now: Now) -> Verdict:
    if until > now.at:
        return Verdict(
            "handed_over",
            f"A person of ours has taken over this chat until {_when(until)}: the message is "
            "theirs, and what comes until then is not answered here.",
            "Answer it from the phone. How long that lasts is human_takeover_minutes.",
        )
    return Verdict(
        "handed_over",
        "A person of ours had taken over this chat when it came, so it was left to them.",
        "If they did not answer it, do so: openparallax send --to NUMBER TEXT.",
    )


# -- not finished ---------------------------------------------------------------------------------


def _unfinished(story: Story, envelope: Envelope, now: Now) -> Verdict:
    account = now.account_of.get(story.chat, "")
    if envelope.state is EnvelopeState.HELD:
        return Verdict(
            "held",
            "The 24-hour window closed before it could be answered, so Meta would take no answer. "
            "It is kept, and joins their next message.",
            "Nothing, if they write again. Only a template reaches them before, from WhatsApp "
            "Manager.",
        )
    if now.served is not None and account not in now.served:
        return Verdict(
            "not_served",
            f"It waits: the configuration does not have the number {account} any more.",
            "Put the number back into the configuration, and run openparallax reload.",
        )
    if not now.is_running:
        return Verdict(
            "waiting",
            "The daemon is not running. It is kept, and is answered when the daemon runs again.",
            "Start it: openparallax serve, or systemctl start openparallax.",
        )
    if now.state == "draining":
        return Verdict(
            "waiting", "The daemon is stopping. It is kept, and the next process answers it."
        )
    return _in_its_turn(story, envelope, now)


def _in_its_turn(story: Story, envelope: Envelope, now: Now) -> Verdict:
    note = story.latest(Step.ASKED, Step.ANSWERED, Step.ENGINE_FAILED, Step.PUT_OFF)
    waits_s = max(0.0, now.at - story.at)
    if note is not None and note.step is Step.ASKED:
        return Verdict(
            "engine",
            f"The engine {note.about} was asked {long(now.at - note.at)} ago and has not "
            "answered yet.",
            "Wait. If it is always slow, see openparallax status for how long answers take; the "
            "stage time_limit says when it is given up.",
        )
    if note is not None and note.step in {Step.ANSWERED, Step.ENGINE_FAILED}:
        return Verdict(
            "storing",
            "The engine has answered, and the answer is being written to the disk.",
            _disk(now),
        )
    if note is not None:
        return Verdict("put_off", *_PUT_OFF.get(note.about, _PUT_OFF["disk"]))
    if envelope.state is EnvelopeState.RUNNING:
        return Verdict("engine", "It is being answered.", "Wait.")
    running, most = now.running
    if running >= most > 0:
        return Verdict(
            "waiting",
            f"It waits for its turn since {long(waits_s)}: all {most} turns are busy.",
            "See openparallax status for how long the engine takes. conversation.max_concurrent"
            "_turns is how many are answered at a time.",
        )
    return Verdict(
        "waiting",
        f"It waits for its turn since {long(waits_s)}; what came before it in this chat is "
        "answered first.",
        _disk(now) or "Wait a moment. If it stays so, look for turn_broke in the log.",
    )


_PUT_OFF: Mapping[str, tuple[str, str]] = {
    "disk": (
        "The database could not be read or written when its turn came; it is tried again.",
        "See openparallax status for what is wrong with the disk.",
    ),
    "broke": (
        "Its turn broke in a way that nobody foresaw; it is tried again, three times at most.",
        "Look for turn_broke in the log, and report it.",
    ),
    "not_served": (
        "When its turn came the configuration did not have its number.",
        "Put the number into the configuration, and run openparallax reload.",
    ),
}


def _disk(now: Now) -> str:
    return " ".join(f"{one}." for one in now.trouble if one.startswith("storage"))


def _when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
