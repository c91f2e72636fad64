"""What the configuration itself gives to think about, and what is wrong with one that is."""

from collections.abc import Iterable, Sequence
from typing import Final

from openparallax.doctor.finding import Finding, Group, Level, Notes, Report

_KEYS: Final = (
    ("allowed_numbers is empty", "configuration.everybody"),
    ("allowed_numbers", "configuration.allowed_numbers"),
    ("app_secret is missing", "configuration.unsigned"),
    ("graph_api_url", "configuration.graph_api_url"),
    ("admin.host", "configuration.admin"),
    ("alert_command", "configuration.alerts"),
)
"""What a warning of the configuration says -> the key of the check."""
_TOLD_ELSEWHERE: Final = "other users of this machine may read this file"


def see_configuration(warnings: Sequence[str], keepers: Sequence[str]) -> Notes:
    """Take over what `openparallax check` warns of.

    Args:
        warnings: Sentences; the part before a colon says what is, the part behind a semicolon what
            to do.
        keepers: Engines and stages that keep what is said, and would serve off the record.
    """
    notes = Notes(Group.CONFIGURATION)
    for warning in warnings:
        if warning.startswith(_TOLD_ELSEWHERE):
            continue
        says, _, rest = warning.partition(": ")
        why, _, to_do = rest.partition("; ")
        check = next((key for part, key in _KEYS if part in says), "configuration.warning")
        notes.warning(check, _sentence(says), why=_sentence(why), to_do=_sentence(to_do))
    for keeper in keepers:
        notes.warning(
            "configuration.off_the_record",
            f"{keeper} keeps what is said, so /otr is refused.",
            why="Nobody can talk to the bot off the record.",
            to_do="Name others in off_the_record.engine and off_the_record.pipeline.",
        )
    if not notes.found:
        notes.ok("configuration.valid", "The configuration is in order.")
    return notes


def _sentence(text: str) -> str:
    """With a capital and a full stop, but for the name of a setting in front."""
    if not text:
        return ""
    first = text.split(maxsplit=1)[0]
    is_name = "." in first or "_" in first
    return f"{text if is_name else text[0].upper() + text[1:]}."


def wrong(problems: Iterable[str]) -> Report:
    """What is found where the configuration cannot be used: nothing else can be examined."""
    return Report(
        tuple(
            Finding(
                level=Level.FAILURE,
                group=Group.CONFIGURATION,
                check="configuration.valid",
                says=f"{problem.rstrip('.')}.",
                why="The daemon does not start with it.",
                to_do="Mend the file, or have one written by openparallax init.",
                command="openparallax check",
            )
            for problem in problems
        )
    )
