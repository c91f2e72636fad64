"""Every sentence that the daemon itself says, in one place.

Each may be given in other words or another language in the configuration (``notices``), by its
name. ``{…}`` stands for what is filled in; a sentence may leave it out.
"""

import re
from collections.abc import Mapping

from openparallax.session.commands import COMMANDS

_FILLED_IN = re.compile(r"\{([a-z]+)\}")

SENTENCES: dict[str, str] = {
    "new": "A fresh conversation. What was said before is no longer part of it.",
    "new_after_otr": (
        "A fresh conversation, and you are on the record again: what you write from now on is kept."
    ),
    "otr": (
        "Off the record from here on. Nothing that you or I say is written down on this side; it "
        "is kept in memory only and forgotten after a while or with a restart. WhatsApp itself and "
        "the provider of the model still see it. The promise begins with this message. "
        "/otr off takes you back."
    ),
    "otr_refused": (
        "I cannot talk off the record here: what answers you keeps what is said. I kept nothing of "
        "that message. If you are off the record, /otr off takes you back."
    ),
    "otr_off": "You are on the record again, in the conversation from before.",
    "otr_off_idle": "You are on the record already.",
    "still_off_the_record": (
        "That came late, from before you went off the record. We stay off the record."
    ),
    "help": "What you can write:\n{commands}",
    "status": "{mode}. Conversation {session}, engine {engine}. {waiting}",
    "status_on_the_record": "On the record",
    "status_off_the_record": "Off the record",
    "status_waiting": "Waiting for an answer: {count}.",
    "status_idle": "Nothing is waiting.",
    "mistyped": (
        "That looks like a command I do not know, so I kept nothing of it. Did you mean {nearest}?"
    ),
    "only_text": "I can read text only, so far.",
    "resend": "WhatsApp did not let me have that message. Please send it again.",
    "rate_limited": (
        "That was a lot at once. I did not keep your last message; please write again in a while."
    ),
    "engine_failed": "I could not answer that. Please try again.",
    "too_slow": "That took too long. Please try again.",
    "killed": "I tried to answer that several times and could not. Please put it another way.",
    "lost": (
        "I was restarted, and something that we said off the record went with my memory. "
        "If you miss an answer, please write again."
    ),
}


ANSWERS_TO_COMMANDS = (
    "new",
    "new_after_otr",
    "otr",
    "otr_refused",
    "otr_off",
    "otr_off_idle",
    "still_off_the_record",
    "help",
    "status",
    "mistyped",
)
"""What is said whoever else answers the chat."""


class Notices:
    """The sentences, with the operator's own wording where there is one."""

    def __init__(self, own: Mapping[str, str] | None = None) -> None:
        self.adopt(own or {})

    def adopt(self, own: Mapping[str, str]) -> None:
        """Say it so from now on; from any thread, while others speak."""
        self._sentences = {**SENTENCES, **own}

    def say(self, name: str, **filled: str | int) -> str:
        """The sentence of that name.

        A brace that nothing fills, or that is broken, stands as it is: an operator's own wording
        must not fail in front of a person.
        """
        return _FILLED_IN.sub(
            lambda found: str(filled.get(found[1], found[0])), self._sentences[name]
        )

    def help(self) -> str:
        """The list of commands."""
        lines = "\n".join(f"{command}: {does}" for command, does in COMMANDS.items())
        return self.say("help", commands=lines)
