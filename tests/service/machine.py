"""A machine's files under a folder, and a ``systemctl`` that writes down what it is asked."""

import os
from pathlib import Path

from openparallax.service.layout import Layout, of_machine
from openparallax.service.system import System

_SYSTEMCTL = r"""#!/bin/sh
# Remembers in files what it was asked and what runs; fails where a file says so.
cd "$(dirname "$0")/../did"
name=$(basename "$0")
echo "$name $*" >> calls
for word in "$@"; do
    case $word in -*) ;; *) verb=$word; break ;; esac
done
case "$name $verb $*" in # a start that fails has been a life, too
"systemctl start"*.service*|"systemctl restart"*)
    [ -f unborn ] || echo "$(($(cat life) + 1))" >life ;;
esac
if [ -f "fails-$verb" ] && grep -q "$verb" "fails-$verb"; then
    cat "fails-$verb" >&2
    exit 1
fi
case "$name $verb $*" in
"systemctl start"*.service*|"systemctl restart"*) touch runs ;;
"systemctl stop"*|"systemctl disable"*--now*) rm -f runs ;;
"systemctl enable"*) touch enabled ;;
"systemctl show"*InvocationID*) echo "InvocationID=$(cat life)" ;;
"systemctl show"*ExecMainStartTimestamp*) echo "ExecMainStartTimestamp=@$(cat since)" ;;
"systemctl show"*socket*Listen*) echo "Listen=127.0.0.1:9443 (Stream)" ;;
"systemctl show"*)
    echo LoadState=loaded
    [ -f runs ] && echo ActiveState=active || echo ActiveState=inactive
    [ -f enabled ] && echo UnitFileState=enabled || echo UnitFileState=disabled
    [ -f why ] && cat why
    ;;
"journalctl"*" _SYSTEMD_INVOCATION_ID=$(cat life) + "*) cat said 2>/dev/null ;;
"journalctl"*" --since=@"*) echo the words since then ;;
"journalctl"*) echo the words of all lives ;;
esac
exit 0
"""


class Machine:
    """One, with nothing installed on it.

    Attributes:
        layout: Its places.
        system: The manager that runs on it.
    """

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.root.mkdir()
        self._did = folder / "did"
        self._did.mkdir()
        programs = folder / "bin"
        programs.mkdir()
        for name in (
            *("systemctl", "systemd-analyze", "systemd-sysusers", "systemd-tmpfiles"),
            *("journalctl", "userdel", "loginctl"),
        ):
            (programs / name).write_text(_SYSTEMCTL)
            (programs / name).chmod(0o755)
        self.path = f"{programs}:{os.environ['PATH']}"
        self.layout: Layout = of_machine(self.root)
        self.system = System({"PATH": self.path}, needs_boot=False)
        self.note("since", "99999999999")
        self.note("life", "1")

    def note(self, name: str, text: str = "") -> None:
        (self._did / name).write_text(text)

    def forget(self, name: str) -> None:
        (self._did / name).unlink(missing_ok=True)

    def calls(self) -> list[str]:
        """What was asked since the last time, without the questions."""
        file = self._did / "calls"
        found = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return [one for one in found if " show " not in one and "journalctl" not in one]

    @property
    def asked(self) -> list[str]:
        """All that was asked since `calls`."""
        return (self._did / "calls").read_text().splitlines()

    @property
    def is_running(self) -> bool:
        return (self._did / "runs").exists()

    def files(self) -> dict[str, str]:
        """All that lies under the root."""
        return {
            str(one.relative_to(self.root)): one.read_text()
            for one in sorted(self.root.rglob("*"))
            if one.is_file()
        }
