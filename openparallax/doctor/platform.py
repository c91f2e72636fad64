"""What Graph's answers tell beside what was asked: its clock, and the version that answered.

Source:
    facts page, sections 1 (ends of the versions) and 14, check 12.
"""

from datetime import UTC, datetime
from typing import Final

from openparallax.doctor.finding import Group, Notes
from openparallax.doctor.subject import Ward

ENDS: Final = {
    "v19.0": "2026-05-21",
    "v20.0": "2026-09-24",
    "v21.0": "2027-01-21",
    "v22.0": "2027-05-20",
    "v23.0": "2027-10-08",
    "v24.0": "2028-02-18",
    "v25.0": "2028-07-29",
}
"""The day on which each version is over. v26.0 has no day yet. Source: Meta's list of versions."""
SOON_S: Final = 183 * 86_400
MOST_SKEW_S: Final = 60.0
_GOOD: Final = "v25.0"


def see_platform(ward: Ward) -> None:
    """Look at version and clock; nothing is asked."""
    notes = ward.notes(Group.APP)
    _see_version(ward, notes)
    ward.keep(notes)
    notes = ward.notes(Group.MACHINE)
    _see_clock(ward, notes)
    ward.keep(notes)


def see_version_alone(ward: Ward) -> None:
    """The same of the version, where Graph was not asked."""
    notes = ward.notes(Group.APP)
    _see_version(ward, notes)
    ward.keep(notes)


def _see_version(ward: Ward, notes: Notes) -> None:
    version, now = ward.subject.version, ward.clock.now()
    answered = ward.latest.version if ward.latest else ""
    end = ENDS.get(version)
    ends_at = datetime.fromisoformat(end).replace(tzinfo=UTC).timestamp() if end else None
    is_older = _number(version) < _number(next(iter(ENDS)))
    to_do = f"Set graph_api_version to {_GOOD} or newer, after reading Meta's list of changes."
    if (ends_at is not None and ends_at <= now) or is_older or (answered and answered != version):
        by = f"; {answered} answers instead" if answered and answered != version else ""
        on = f" since {end}" if ends_at is not None and ends_at <= now else ""
        notes.failure(
            "graph.version",
            f"Graph's version {version} is over{on}{by}.",
            why="Another version may answer otherwise than the daemon expects.",
            to_do=to_do,
        )
    elif ends_at is not None and ends_at - now < SOON_S:
        notes.warning(
            "graph.version",
            f"Graph's version {version} ends on {end}.",
            why="After that another version answers, perhaps otherwise than the daemon expects.",
            to_do=to_do,
        )
    else:
        notes.ok("graph.version", f"Graph's version {version} is in use.")


def _number(version: str) -> int:
    digits = version.removeprefix("v").partition(".")[0]
    return int(digits) if digits.isdecimal() else 0


def _see_clock(ward: Ward, notes: Notes) -> None:
    answer = ward.latest
    theirs = answer.date if answer else None
    if answer is None or theirs is None:
        return
    # Theirs is cut to a whole second, and was written somewhen while we waited.
    skew_s = answer.at - answer.seconds / 2 - theirs - 0.5
    if abs(skew_s) <= MOST_SKEW_S:
        notes.ok("machine.clock", "This machine's clock agrees with Meta's.")
        return
    way = "ahead of" if skew_s > 0 else "behind"
    notes.warning(
        "machine.clock",
        f"This machine's clock is {abs(skew_s):.0f} seconds {way} Meta's.",
        why="The 24 hours in which people may be answered, and the ends of tokens and certificates,"
        " are judged by it.",
        to_do="Let it be set by the network.",
        command="timedatectl set-ntp true",
    )
