"""Whom the doctor examines: one of our numbers as the configuration has it, and what was learnt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from openparallax.clock import Clock
from openparallax.doctor.finding import Finding, Group, Notes, without
from openparallax.doctor.graph import Answer, Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One of our numbers.

    Attributes:
        place: Of its settings in the file, such as ``channels.whatsapp.accounts.0``.
        app_secrets: None: its webhooks are not signed.
        callback_url: Where Meta is to call; "": not configured.
        renews_token: The daemon is able to fetch a fresh token before this one ends.
        messages_per_second: Our own limit; None: none.
    """

    place: str
    phone_number_id: str
    token: str = field(repr=False)
    verify_token: str = field(repr=False)
    app_secrets: tuple[str, ...] = field(default=(), repr=False)
    app_id: str = ""
    waba_id: str = ""
    callback_url: str = ""
    graph_url: str = "https://graph.facebook.com"
    version: str = "v25.0"
    renews_token: bool = False
    messages_per_second: float | None = 80


@dataclass(slots=True)
class Ward:
    """A subject under examination; what one check learns spares the others questions.

    Attributes:
        graph: Speaks with the number's token.
        app: Speaks as the app; None where its id or its right secret is not known.
        app_id: Configured, or as the token says.
        waba_id: Configured, or as the number says.
        waba_of_number: As the number says.
        lacks: What the token may not; refusals that follow from it are not told again.
        is_number_known: Graph has shown the number.
        places: Where the number's webhooks go, as Graph says it.
        has_subscription: The app has a webhook for WhatsApp; None: not known.
        is_subscribed: The app gets this account's webhooks; None: not known.
        commands: What the number's menu has; None: not known.
        is_graph_gone: That it stopped answering was told; not again for each question.
        codes_told: With which Graph refused something that was told; the same once only.
        latest: The last good answer: version and clock are read from it.
        findings: So far.
    """

    subject: Subject
    graph: Reader
    clock: Clock
    app: Reader | None = None
    app_id: str = ""
    waba_id: str = ""
    waba_of_number: str = ""
    lacks: set[str] = field(default_factory=set)
    is_number_known: bool = False
    places: Mapping[str, Any] = field(default_factory=dict)
    has_subscription: bool | None = None
    is_subscribed: bool | None = None
    commands: Sequence[Mapping[str, Any]] | None = None
    is_graph_gone: bool = False
    codes_told: set[int | None] = field(default_factory=set)
    latest: Answer | None = None
    findings: list[Finding] = field(default_factory=list)

    def notes(self, group: Group) -> Notes:
        """A sheet for findings, which `keep` takes."""
        return Notes(group, self.subject.phone_number_id)

    def keep(self, notes: Notes) -> None:
        subject = self.subject
        secrets = (subject.token, *subject.app_secrets, subject.verify_token)
        self.findings += [without(one, secrets) for one in notes.found]

    def refused(self, notes: Notes, answer: Answer, check: str, what: str) -> None:
        """Note that something could not be asked, unless that follows from what is known."""
        if self.lacks and (answer.is_forbidden or answer.is_gone):
            return
        if not answer.is_graphs or answer.is_limited:
            if self.is_graph_gone:
                return
            self.is_graph_gone, check = True, "graph.reachable"
        elif answer.code in self.codes_told:
            return
        self.codes_told.add(answer.code)
        notes.warning(
            check,
            f"{what} could not be examined: Graph {answer.explain()}.",
            why="What is not seen may be wrong.",
            to_do="Run the doctor again in a few minutes.",
        )


def short(secret: str) -> str:
    """So much of a token or an id that its owner knows which it is."""
    return f"{secret[:3]}…{secret[-4:]}" if len(secret) >= 16 else "…"


def text_of(body: Mapping[str, Any], name: str) -> str:
    """A text of an answer; "" for anything else."""
    value = body.get(name)
    return value if isinstance(value, str) else ""


def rows_of(body: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The objects in a list of an answer."""
    value = body.get(name)
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []
