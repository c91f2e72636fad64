"""What an alert says, and what the program that carries it is given."""

import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from openparallax.watching.ledger import Entry, Kind, State

SUBJECTS: Final[Mapping[Kind, str]] = {
    Kind.ACCOUNT_PAUSED: "a number of yours does not send",
    Kind.BACKLOG: "answers are held up",
    Kind.STORAGE: "the database cannot be written to",
    Kind.DISK: "the disk is nearly full",
    Kind.ENGINE: "the engine does not answer",
    Kind.SILENCE: "nothing comes from Meta any more",
    Kind.TOKEN: "an access token is about to end",
    Kind.CERTIFICATE: "the certificate is about to end",
}
"""By kind, what is wrong in a few words."""
_GRAVE: Final = frozenset({Kind.ACCOUNT_PAUSED, Kind.STORAGE, Kind.ENGINE, Kind.SILENCE})
_HANDED_ON: Final = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TZ", "LANG", "LANGUAGE", "TMPDIR"}
    | {"http_proxy", "https_proxy", "no_proxy", "all_proxy"}
    | {"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"}
    | {"XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY"}
    | {"WAYLAND_DISPLAY", "SSL_CERT_FILE", "SSL_CERT_DIR"}
)
"""What a program needs of the environment. Ours holds the bot's secrets, and is not handed on."""
_OWN_PREFIXES: Final = ("ALERT_", "LC_")
"""``ALERT_…`` is for what the operator wants to give the program, such as a password of its own."""


@dataclass(frozen=True, slots=True)
class Alert:
    """What is told, once.

    Attributes:
        kind: A `Kind`, or what its state is where it has none.
        subject: One line, without a line break.
        text: All of it, some lines; no words of contacts, no whole numbers.
        since: When it began, unix seconds.
    """

    kind: str
    state: State
    subject: str
    text: str
    since: float

    @property
    def severity(self) -> str:
        """``critical`` where nobody is answered, ``warning``, or ``info``."""
        if self.state in {State.ALL_CLEAR, State.TEST}:
            return "info"
        return "critical" if self.kind in _GRAVE else "warning"

    def environment(self, ours: Mapping[str, str]) -> dict[str, str]:
        """What the program gets: the alert, and of our own environment what it needs."""
        found = {
            name: value
            for name, value in ours.items()
            if name in _HANDED_ON or name.startswith(_OWN_PREFIXES)
        }
        return {
            "PATH": os.defpath,
            **found,
            "OPENPARALLAX_ALERT_KIND": self.kind,
            "OPENPARALLAX_ALERT_STATE": self.state.value,
            "OPENPARALLAX_ALERT_SEVERITY": self.severity,
            "OPENPARALLAX_ALERT_SUBJECT": self.subject,
            "OPENPARALLAX_ALERT_TEXT": self.text,
            "OPENPARALLAX_ALERT_SINCE": _iso(self.since),
        }


def trouble(kind: Kind, state: State, entry: Entry) -> Alert:
    """Something is wrong, or still is."""
    again = ", still" if state is State.REPEATED else ""
    return Alert(
        kind.value,
        state,
        f"OpenParallax on {_machine()}{again}: {SUBJECTS[kind]}",
        f"{entry.says}\n\nSince {_iso(entry.since)}. More: openparallax status\n",
        entry.since,
    )


def all_clear(over: Sequence[Kind], now: float) -> Alert:
    """What was told is over."""
    lines = "".join(f"- {SUBJECTS[kind]}\n" for kind in over)
    return Alert(
        State.ALL_CLEAR.value,
        State.ALL_CLEAR,
        f"OpenParallax on {_machine()}: all is well again",
        f"All is well again. This was told, and is over:\n{lines}",
        now,
    )


def test(now: float) -> Alert:
    """Nothing is wrong: somebody wants to see whether alerts arrive."""
    return Alert(
        State.TEST.value,
        State.TEST,
        f"OpenParallax on {_machine()}: a test",
        "This is a test of alerts.alert_command. Nothing is wrong.\n",
        now,
    )


def _machine() -> str:
    return "".join(c for c in socket.gethostname() if c.isprintable())[:64] or "this machine"


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
