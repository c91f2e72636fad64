"""How the service is, asked of the manager and said in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from openparallax.service.layout import SERVICE, SOCKET
from openparallax.service.system import System

_ASKED: Final = (
    *("LoadState", "ActiveState", "SubState", "UnitFileState", "Result", "NeedDaemonReload"),
    *("ExecMainCode", "ExecMainStatus", "StatusText", "MainPID", "NRestarts"),
    *("ActiveEnterTimestamp", "DropInPaths"),
)
_CODES: Final = {
    2: "it was called wrongly: look at ExecStart, and at drop-ins (systemctl cat openparallax)",
    70: "an error of its own: see the log, and please report it",
    75: "the port or the database is in use, or the disk refuses: it is tried again",
    78: "the configuration, or something that it names, cannot be used: openparallax check says"
    " what; then systemctl restart openparallax",
    200: "its working folder is not there",
    203: "the program cannot be run: it has gone, or lies where the service may not look; run"
    " openparallax service install with the program that is to run",
    216: "the group openparallax is not there: run openparallax service install",
    217: "the user openparallax is not there, or namespaces of users are not allowed here",
    218: "rights cannot be given up here, as in some containers",
    226: "its view of the files cannot be made: a folder that the unit names is not there, or"
    " namespaces are not allowed here, as in some containers",
    228: "system calls cannot be restricted here",
    238: "its folder /var/lib/openparallax cannot be made or used",
    241: "its folder of the configuration cannot be used",
    243: "a credential that the unit names with its path is not there: run openparallax service"
    " install, which looks anew",
}
"""Those from 200 on are systemd's own. Source: systemd.exec(5), "Process Exit Codes"."""
_RESULTS: Final = {
    "watchdog": "it hung, and the watchdog ended it: the log shows where",
    "oom-kill": "the machine ran out of memory, and the kernel ended it",
    "timeout": "it took too long to start or to stop",
    "protocol": "it ended before it was ready",
    "start-limit-hit": "it was started too often",
    "resources": "the manager lacked something to start it: see the log",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """What the manager says.

    Attributes:
        service: Properties of the service's unit.
        socket: The same of the socket's.
        listens: Where the socket listens.
    """

    service: dict[str, str]
    socket: dict[str, str]
    listens: tuple[str, ...]

    @property
    def is_installed(self) -> bool:
        return self.service.get("LoadState") not in {None, "", "not-found"}

    @property
    def is_running(self) -> bool:
        return self.service.get("ActiveState") in {"active", "reloading"}

    @property
    def is_held(self) -> bool:
        """The manager holds the port."""
        return self.socket.get("ActiveState") == "active"

    @property
    def is_enabled(self) -> bool:
        return self.service.get("UnitFileState", "").startswith("enabled")

    @property
    def why(self) -> str:
        """Why it does not run, as far as the manager knows; "" where there is nothing to say."""
        status = self.service.get("ExecMainStatus", "")
        result = self.service.get("Result", "success")
        if self.service.get("ExecMainCode") == "1" and status.isdecimal() and int(status) in _CODES:
            return f"it ended with {status}: {_CODES[int(status)]}"
        if result in _RESULTS:
            return _RESULTS[result]
        if result in {"signal", "core-dump"}:
            return f"it was ended by signal {status}"
        return f"it ended with {status}" if result == "exit-code" else ""

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "installed": self.is_installed,
            "running": self.is_running,
            "state": self.service.get("ActiveState", ""),
            "sub_state": self.service.get("SubState", ""),
            "enabled": self.is_enabled,
            "status": self.service.get("StatusText", ""),
            "why": self.why,
            "pid": int(self.service.get("MainPID") or 0) or None,
            "restarts": int(self.service.get("NRestarts") or 0),
            "socket": {"held": self.is_held, "listens": list(self.listens)},
        }


def look(system: System) -> Condition:
    """Ask the manager."""
    shown = system.systemctl("show", SOCKET, "--property=Listen")
    return Condition(
        system.shown(SERVICE, *_ASKED),
        system.shown(SOCKET, "LoadState", "ActiveState", "UnitFileState", "Result"),
        tuple(
            line.partition("=")[2].removesuffix(" (Stream)")
            for line in shown.out.splitlines()
            if line.startswith("Listen=")
        ),
    )


def lines(found: Condition, user: str = "") -> Iterator[str]:
    """The condition in words. ``user`` is what a command for the user's manager wants more."""
    if not found.is_installed:
        yield "not installed: openparallax service install puts it in place"
        return
    yield from _running(found, user)
    yield from _port(found)
    yield (
        f"starts {'when you log in' if user else 'with the machine'}"
        if found.is_enabled
        else f"does not start with the machine: systemctl {user}enable openparallax.service"
        " openparallax.socket"
    )
    if found.service.get("NeedDaemonReload") == "yes":
        yield f"its unit was changed since: systemctl {user}daemon-reload, and restart it"
    if drop_ins := found.service.get("DropInPaths"):
        yield f"with changes of your own: {drop_ins}"


def _running(found: Condition, user: str) -> Iterator[str]:
    state = found.service.get("ActiveState", "unknown")
    if found.is_running:
        since = found.service.get("ActiveEnterTimestamp", "")
        yield f"runs{f' since {since}' if since else ''}"
        if said := found.service.get("StatusText"):
            yield said
    elif state == "activating" and found.service.get("SubState") == "auto-restart":
        yield f"fails and is tried again: {found.why or 'see the log'}"
    elif state == "activating":
        yield f"is starting: {found.service.get('StatusText') or 'not ready yet'}"
    elif state == "failed":
        yield f"does not run: {found.why or 'it failed'}"
    else:
        yield f"does not run ({state}): systemctl {user}start openparallax starts it"
    if (restarts := found.service.get("NRestarts", "0")) not in {"", "0"}:
        yield f"was restarted {restarts} times since somebody started it"


def _port(found: Condition) -> Iterator[str]:
    if found.is_held:
        where = ", ".join(found.listens) or "its port"
        yield f"systemd holds {where}: a restart refuses nobody"
    elif found.socket.get("LoadState") == "loaded":
        result = found.socket.get("Result", "success")
        why = "" if result == "success" else f" ({result})"
        yield f"systemd does not hold the port{why}: who calls while it does not run is refused"
