"""The units of the service manager: do they leave the daemon its time, and hold its port?"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from openparallax.doctor.finding import Group, Notes

NAME: Final = "openparallax.service"
SOCKET: Final = "openparallax.socket"
SYSTEM: Final = tuple(
    Path(one)
    for one in (
        "/etc/systemd/system",
        "/run/systemd/system",
        "/usr/local/lib/systemd/system",
        "/usr/lib/systemd/system",
        "/lib/systemd/system",
    )
)
"""Where units lie, the strongest first. Source: systemd.unit(5)."""
_DEFAULT_S: Final = 90.0
_UNITS: Final = {
    "us": 1e-6, "usec": 1e-6, "ms": 1e-3, "msec": 1e-3,
    "": 1.0, "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0,
    "m": 60.0, "min": 60.0, "minute": 60.0, "minutes": 60.0,
    "h": 3600.0, "hr": 3600.0, "hour": 3600.0, "hours": 3600.0,
}  # fmt: skip
_PART: Final = re.compile(r"([0-9.]+)\s*([a-z]*)\s*")


def folders(home: Path | None) -> tuple[Path, ...]:
    """Where a unit of this machine, or of a user of it, may lie.

    Args:
        home: The user's folder of configurations.
    """
    of_user = (home / "systemd/user",) if home is not None else ()
    return (*of_user, *SYSTEM)


def see_unit(
    needs_s: float,
    where: Sequence[Path],
    *,
    home: Path | None = None,
    lingering: Path = Path("/var/lib/systemd/linger"),
    user: str = "",
) -> Notes:
    """Look at the unit, if there is one.

    Args:
        needs_s: How long a stop may take: draining, sending, closing.
        where: Folders of units, the strongest first.
        home: The user's folder of configurations; a unit below it needs lingering.
        user: Its name.
        lingering: Names of the users whose services run while they are not logged in.
    """
    notes = Notes(Group.MACHINE)
    unit = next((folder / NAME for folder in where if (folder / NAME).is_file()), None)
    if unit is None:
        return notes
    given = _value(_files(unit, where), "TimeoutStopSec") or _value(
        _files(unit, where), "TimeoutSec"
    )
    stops_s = _DEFAULT_S if given is None else seconds(given)
    if stops_s is not None and stops_s < needs_s:
        notes.warning(
            "machine.unit",
            f"{unit} gives the daemon {stops_s:.0f} seconds to stop, and it may need"
            f" {needs_s:.0f}.",
            why="It would be killed while it answers; those turns are run again at the next start.",
            to_do=f"Set TimeoutStopSec to {needs_s + 10:.0f} or more, or conversation.drain_seconds"
            " to less.",
            command="systemctl edit openparallax",
        )
    else:
        notes.ok("machine.unit", f"{unit.name} gives the daemon time to stop.")
    if home is not None and unit.is_relative_to(home) and user and not (lingering / user).exists():
        notes.warning(
            "machine.linger",
            "The service is yours, and ends when you log out.",
            why="Then nobody is answered.",
            to_do="Let your services run while you are not logged in.",
            command=f"loginctl enable-linger {user}",
        )
    return notes


@dataclass(frozen=True, slots=True)
class Held:
    """What the service manager says of the unit that holds the port.

    Attributes:
        listens: Where it listens, as in ``ListenStream=``.
        is_active: It does so now.
        is_enabled: It will when the machine starts.
        is_user: It is of a user's manager.
    """

    listens: Sequence[str]
    is_active: bool
    is_enabled: bool
    is_user: bool = False


def see_socket(held: Held | None, wanted: Collection[str]) -> Notes:
    """Look at the unit that holds the port, if there is one.

    Args:
        held: What is said of it; None where there is none.
        wanted: Where the configuration wants the webhook's listener, written alike.
    """
    notes = Notes(Group.MACHINE)
    if held is None:
        return notes
    user = "--user " if held.is_user else ""
    again = (
        f"{'' if held.is_user else 'sudo '}openparallax service install{' --user' * held.is_user}"
    )
    where = ", ".join(held.listens)
    if wanted and not set(held.listens) & set(wanted):
        notes.warning(
            "machine.socket",
            f"The service manager listens at {where or 'no port'}, and the configuration says"
            f" {', '.join(wanted)}.",
            why="What the service manager holds counts; where the configuration says, nobody"
            " answers.",
            to_do="Bring both together.",
            command=again,
        )
    elif not held.is_active:
        notes.warning(
            "machine.socket",
            f"{SOCKET} is installed, and does not hold the port.",
            why="Whoever calls while the daemon restarts is refused.",
            to_do="Install the service again: it opens the port, and says what is in the way.",
            command=again,
        )
    elif not held.is_enabled:
        notes.warning(
            "machine.socket",
            f"{SOCKET} is not enabled.",
            why="When the machine has started anew, nobody holds the port.",
            to_do="Have it start with the machine.",
            command=f"systemctl {user}enable {SOCKET}",
        )
    else:
        notes.ok("machine.socket", f"The service manager holds {where}.")
    return notes


def _files(unit: Path, where: Sequence[Path]) -> list[Path]:
    """The unit, and what was laid over it, in the order in which it counts."""
    over = {
        one.name: one
        for folder in reversed(where)
        for one in sorted((folder / f"{NAME}.d").glob("*.conf"))
    }
    return [unit, *(over[name] for name in sorted(over))]


def _value(files: Iterable[Path], key: str) -> str | None:
    """The last that is said of ``key`` in the section of the service."""
    found = None
    for file in files:
        section = ""
        try:
            lines = file.read_text("utf-8", "replace").splitlines()
        except OSError:
            continue
        for line in lines:
            text = line.strip()
            if text.startswith("["):
                section = text
            elif section == "[Service]" and text.partition("=")[0].strip() == key:
                found = text.partition("=")[2].strip()
    return found


def seconds(span: str) -> float | None:
    """A length of time as systemd writes it; None: without end, or not understood.

    Source:
        systemd.time(7).
    """
    text = span.strip().lower()
    if text in ("infinity", "0"):
        return None
    parts = _PART.findall(text)
    if not parts or _PART.sub("", text):
        return None
    try:
        return sum(float(count) * _UNITS[unit] for count, unit in parts)
    except (KeyError, ValueError):
        return None
