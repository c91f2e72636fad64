"""This machine: does the daemon run, is there room, are its files its own, is its port free."""

import errno
import os
import shutil
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from openparallax.config.validity import der_of
from openparallax.doctor.certificate import see_end
from openparallax.doctor.daemon import Running
from openparallax.doctor.finding import Group, Notes
from openparallax.doctor.ports import Taker, is_own, taker_of, why_not_free

MB: Final = 1_000_000
LITTLE: Final = 1000 * MB
TOO_LITTLE: Final = 100 * MB
_LONG_S: Final = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What the configuration says of this machine.

    Attributes:
        config: The file that was read.
        database: The database's file, which need not be there yet.
        secret_files: That the configuration names, beside the key of ``tls``.
        literal_secrets: Keys whose secrets stand in the configuration itself.
        listeners: Name of the setting -> host and port.
        tls: Certificate and key of the public listener.
    """

    config: Path
    database: Path
    secret_files: Sequence[Path] = ()
    literal_secrets: Sequence[str] = ()
    listeners: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    tls: tuple[Path, Path] | None = None


def see_machine(
    machine: Machine,
    running: Running,
    status: Mapping[str, Any] | None,
    now: float,
    *,
    room: Callable[[Path], int] | None = None,
) -> Notes:
    """Look at it; reads names, modes and sizes, and of no file what it holds but certificates.

    Args:
        machine: What the configuration says.
        running: Whether a daemon has the database.
        status: What it said of itself; None: nothing.
        now: Unix seconds.
        room: Free bytes of a folder's disk.
    """
    notes = Notes(Group.MACHINE)
    _see_daemon(notes, running, status)
    _see_room(notes, machine.database, room or _room)
    _see_state(notes, machine.database)
    _see_files(notes, machine)
    if not running.is_running:
        for name, (host, port) in machine.listeners.items():
            _see_port(notes, name, host, port)
    if machine.tls is not None:
        der = der_of(machine.tls[0])
        if der is not None:
            what = f"the certificate in {machine.tls[0].name}"
            see_end(notes, "machine.certificate", what, der, now)
    return notes


# -- the daemon -----------------------------------------------------------------------------------


def _see_daemon(notes: Notes, running: Running, status: Mapping[str, Any] | None) -> None:
    if running.trouble:
        notes.note(
            "machine.daemon",
            f"Whether the daemon runs could not be examined: {running.trouble}",
            to_do="Run the doctor as the daemon's user, or as root.",
        )
    elif not running.is_running:
        notes.warning(
            "machine.daemon",
            "The daemon does not run.",
            why="Nobody is answered. Meta keeps messages for some days and brings them again.",
            to_do="Start it; where it is a service, with systemctl start openparallax.",
            command="openparallax serve",
        )
    elif status is None:
        notes.failure(
            "machine.daemon",
            "The daemon has its database and does not answer.",
            why="It is starting or stopping, or hangs.",
            to_do="Try again in a moment, then look at its log.",
        )
    else:
        _see_status(notes, status)


def _see_status(notes: Notes, status: Mapping[str, Any]) -> None:
    reasons = status.get("reasons")
    told = [str(one) for one in reasons] if isinstance(reasons, list) else []
    if status.get("ready") is True:
        pid = status.get("pid")
        notes.ok("machine.daemon", f"The daemon runs and is ready (process {pid}).")
    for reason in told:
        notes.failure(
            "machine.ready",
            f"The daemon is not ready: {reason}.",
            why="It answers late, or not at all.",
            to_do="See openparallax status and its log.",
            command="openparallax status",
        )
    started, now = status.get("started_at"), status.get("now")
    is_old = (
        isinstance(started, int | float)
        and isinstance(now, int | float)
        and now - started > _LONG_S
    )
    if status.get("last_webhook_at") is None and is_old:
        notes.note(
            "machine.heard",
            "Meta has called nothing since the daemon was started.",
            why="Perhaps nobody wrote. But while an app is in development mode real messages do not"
            " come, and Graph does not say which mode it is in.",
            to_do="Write to the number. If nothing comes, switch the app to Live in its dashboard.",
        )


# -- its disk and its files -----------------------------------------------------------------------


def _room(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _see_room(notes: Notes, database: Path, room: Callable[[Path], int]) -> None:
    folder = _nearest(database.parent)
    try:
        free = room(folder)
    except OSError as error:
        notes.warning(
            "machine.disk", f"The room on the disk of {folder} is not known: {error.strerror}."
        )
        return
    why = "Without room nothing can be stored: webhooks are refused, and come again for some days."
    to_do = "Make room, or let storage.retention_days forget what is old."
    says = f"The disk of the database has {free / MB:,.0f} MB left."
    if free < TOO_LITTLE:
        notes.failure("machine.disk", says, why=why, to_do=to_do, command=f"df -h {folder}")
    elif free < LITTLE:
        notes.warning("machine.disk", says, why=why, to_do=to_do, command=f"df -h {folder}")
    else:
        notes.ok("machine.disk", f"The disk has room ({free / 1000 / MB:,.0f} GB).")


def _nearest(folder: Path) -> Path:
    """The folder, or what of it is there."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def _see_state(notes: Notes, database: Path) -> None:
    """The folder and what is in it belong to one user, and to nobody else."""
    folder = database.parent
    if not folder.exists():
        notes.note("machine.state", f"{folder} is not there yet; the daemon makes it.")
        return
    is_well = True
    if not is_own(folder):
        notes.note(
            "machine.state",
            f"{folder} belongs to another user than you.",
            why="If the daemon is to run as you, it cannot keep anything there.",
            to_do="Run it, and the doctor, as the user whose folder it is.",
        )
        is_well = False
    for path in (folder, database, *database.parent.glob(f"{database.name}?*")):
        rights = _rights(path)
        if rights is not None and rights & 0o077:
            is_well = False
            notes.warning(
                "machine.state",
                f"Other users of this machine may open {path}.",
                why="There stand people's words and numbers, and perhaps a token.",
                to_do="Take that away.",
                command=f"chmod {'700' if path == folder else '600'} {path}",
            )
    if is_well:
        notes.ok("machine.state", f"{folder} is for its user alone.")


def _see_files(notes: Notes, machine: Machine) -> None:
    """Files with secrets, and the configuration where it holds one."""
    secret = [*machine.secret_files, *(machine.tls[1:] if machine.tls else ())]
    for path in dict.fromkeys(secret):
        rights = _rights(path)
        if rights is not None and rights & 0o007:
            notes.warning(
                "machine.secrets",
                f"Other users of this machine may read {path}.",
                why="Whoever has the secret in it can send, or pose as Meta.",
                to_do="Take that away, and exchange the secret if others use this machine.",
                command=f"chmod 600 {path}",
            )
    if not machine.literal_secrets:
        return
    named = ", ".join(machine.literal_secrets)
    rights = _rights(machine.config) or 0
    why = "It goes with the file wherever that goes: into copies, mails, a repository."
    to_do = "Write KEY_env: NAME, KEY: file:PATH or KEY: credential:NAME instead."
    if rights & 0o004:
        notes.failure(
            "configuration.literal",
            f"{named} stands in {machine.config}, which every user of this machine may read.",
            why="Whoever reads it can send in your name.",
            to_do=f"{to_do} At once: take the reading away.",
            command=f"chmod 600 {machine.config}",
        )
    else:
        notes.warning(
            "configuration.literal",
            f"{named} stands in {machine.config} itself.",
            why=why,
            to_do=to_do,
        )


def _rights(path: Path) -> int | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return None if stat.S_ISSOCK(found.st_mode) else stat.S_IMODE(found.st_mode)


# -- its ports ------------------------------------------------------------------------------------


def _see_port(notes: Notes, name: str, host: str, port: int) -> None:
    if not port:
        return
    number = why_not_free(host, port)
    if number == 0:
        notes.ok("machine.port", f"Port {port} is free ({name}).")
    elif number == errno.EADDRINUSE:
        taker = taker_of(port)
        if taker.pid == 1:
            notes.ok("machine.port", f"Port {port} is kept by the service manager ({name}).")
            return
        notes.failure(
            "machine.port",
            f"Port {port} ({name}) is taken by {_who(taker)}.",
            why="The daemon cannot start.",
            to_do=f"Stop the other one, or choose another port for {name}.",
            command=f"ss -ltnp 'sport = :{port}'",
        )
    else:
        notes.failure(
            "machine.port",
            f"Nothing can listen on {host} port {port} ({name}): {os.strerror(number)}.",
            why="The daemon cannot start.",
            to_do=f"Choose another host or port for {name}; below 1024 only root may listen.",
        )


def _who(taker: Taker) -> str:
    if not taker.pid:
        return "another process, of another user"
    return f"process {taker.pid} ({taker.name})"
