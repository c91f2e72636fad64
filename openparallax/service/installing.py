"""Installing a service, and upgrading it in place: the same thing, done again."""

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from openparallax.errors import Refusal
from openparallax.service import condition, placing, units
from openparallax.service.layout import SERVICE, SOCKET, Layout
from openparallax.service.plan import Plan
from openparallax.service.reach import USER, unreadable
from openparallax.service.system import Done, System, sentence

START_S: Final = 3600.0
"""A start may copy and upgrade a large database; the manager itself is patient meanwhile."""
Says = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What an installation is made with.

    Attributes:
        needed: What the service's user must be able to read.
        watched: Files whose change since the start wants a restart.
        differs: Why what runs is not what would be started now; "" if it is the same.
        starts: Start it, too; False leaves that to later, such as the first boot of an image.
        says: Told each step that was done.
    """

    plan: Plan
    layout: Layout
    system: System
    needed: Sequence[Path] = ()
    watched: Sequence[Path] = ()
    differs: Callable[[], str] = lambda: ""
    starts: bool = True
    says: Says

    def install(self) -> condition.Condition | None:
        """Write, verify, enable and start; may be repeated, and does then what is missing.

        Raises:
            Refusal: It did not come about; the files are as they were.
        """
        texts = units.files(self.plan, self.layout)
        self._verify(texts)
        before = condition.look(self.system) if self.starts else None
        placed = placing.place(texts)
        for path in placed.new:
            self.says(f"wrote {path}")
        for path in placed.changed:
            self.says(f"changed {path}")
        try:
            return self._bring_up(placed, before)
        except BaseException as error:
            self._take_back(placed, before)
            if isinstance(error, Refusal):
                raise Refusal(
                    f"{error} {'What was written is as it was.' if placed.before else ''}".strip(),
                    exit_code=error.exit_code,
                ) from None
            raise

    def _verify(self, texts: dict[Path, str]) -> None:
        """Let systemd look at the units before they are anywhere."""
        folder = Path(tempfile.mkdtemp(prefix="openparallax-"))
        try:
            for path, text in texts.items():
                if path.parent == self.layout.units:
                    (folder / path.name).write_text(text, "utf-8")
            user = ["--user"] if self.layout.is_user else []
            found = sorted(str(one) for one in folder.iterdir())
            # It looks at all that the units stand on; what it says of others is not ours.
            done = self.system.run("systemd-analyze", *user, "--man=no", "verify", *found)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        if done.code not in {0, 127}:
            raise Refusal(
                sentence(
                    "systemd finds a fault in the units, and nothing was written",
                    done,
                    ["systemd-analyze", "verify"],
                )
            )

    # -- running --------------------------------------------------------------------------------

    def _bring_up(
        self, placed: placing.Placed, before: condition.Condition | None
    ) -> condition.Condition | None:
        layout, system = self.layout, self.system
        if not layout.is_user and {layout.sysusers, layout.tmpfiles} & set(placed.before):
            self._make_user_and_folders()
        elif not layout.is_user and before is not None:
            self._tmpfiles()
        if before is None:
            system.must("the service could not be enabled", "enable", SERVICE, SOCKET)
            self.says("enabled: it starts when that machine does")
            return None
        self._see_what_it_reads()
        touched = [one for one in placed.before if one.parent == layout.units]
        if touched or before.service.get("NeedDaemonReload") == "yes" or self._unseen(before):
            system.must("systemd could not take in the units", "daemon-reload")
        if touched or not (before.is_enabled and before.socket.get("UnitFileState") == "enabled"):
            system.must("the service could not be enabled", "enable", SERVICE, SOCKET)
            if not before.is_enabled:
                when = "when you log in" if layout.is_user else "with the machine"
                self.says(f"enabled: it starts {when}")
        self._start(before, touched)
        found = condition.look(system)
        if not found.is_running:
            raise Refusal(f"the service does not stay up: {found.why or 'see the log'}.")
        return found

    def _make_user_and_folders(self) -> None:
        done = self._of_root("systemd-sysusers", self.layout.sysusers.name)
        if done.code != 0:
            raise Refusal(
                sentence(f"the user {USER} could not be made", done, ["systemd-sysusers"])
            )
        self._tmpfiles()

    def _tmpfiles(self) -> None:
        done = self._of_root("systemd-tmpfiles", "--create", self.layout.tmpfiles.name)
        if done.code != 0:
            raise Refusal(
                sentence("the folders could not be made", done, ["systemd-tmpfiles", "--create"])
            )

    def _of_root(self, program: str, *words: str) -> Done:
        """Run one that looks for the file it is named in the folders of a root."""
        root = self.layout.root
        where = [] if root == Path("/") else [f"--root={root}"]
        return self.system.run(program, *where, *words)

    def _see_what_it_reads(self) -> None:
        if self.layout.is_user:
            return
        for path, part in unreadable(self.needed):
            mode = "g+x" if part != path.resolve() else "g+r"
            raise Refusal(
                f"the service's user cannot read {path}: {part} is in the way. One way is: chgrp"
                f" {USER} {part} && chmod {mode} {part}.",
                exit_code=78,
            )

    def _start(self, before: condition.Condition, touched: Sequence[Path]) -> None:
        system = self.system
        if not before.is_running:
            system.systemctl("reset-failed", SERVICE, SOCKET)
            system.must("the port could not be opened", "start", SOCKET)
            self._ready("could not be started", "start", SERVICE)
            self.says("started, and ready")
            return
        if self.layout.socket in touched or not before.is_held:
            # Only so is the port opened anew; whoever calls in this moment is refused, once.
            self._ready("could not be restarted", "restart", SOCKET)
            self._ready("could not be started", "start", SERVICE)
            self.says("restarted with the new port, and ready")
            return
        why = self._why_restart(before, touched)
        if not why:
            self.says("nothing has changed: it goes on running")
            return
        self._ready("could not be restarted", "restart", SERVICE)
        self.says(f"restarted without refusing anybody, since {why}")

    def _why_restart(self, before: condition.Condition, touched: Sequence[Path]) -> str:
        if touched:
            return "its unit has changed"
        if before.service.get("NeedDaemonReload") == "yes" or self._unseen(before):
            return "a drop-in has changed"
        if why := self.differs():
            return why
        shown = self.system.systemctl(
            "show", SERVICE, "--timestamp=unix", "--property=ExecMainStartTimestamp"
        )
        since = shown.out.strip().partition("=@")[2]
        if since.isdecimal():
            for path in self.watched:
                if path.exists() and path.stat().st_mtime > int(since) + 1:
                    return f"{path} is newer than it"
        return ""

    def _unseen(self, before: condition.Condition) -> list[Path]:
        """Drop-ins that the manager has not read: of a new folder it does not notice it itself."""
        read = before.service.get("DropInPaths", "").split()
        own = (self.layout.units / f"{SERVICE}.d").glob("*.conf")
        return [one for one in own if str(one) not in read]

    def _ready(self, what: str, *words: str) -> None:
        """Have it started; with ``Type=notify`` that ends when it is ready."""
        before, began = self._life(), time.time()
        done = self.system.systemctl(*words, patience_s=START_S)
        if done.code == 0:
            return
        why = condition.look(self.system).why
        told = (
            f"the service {what}: {why}."
            if why
            else sentence(f"the service {what}", done, ["systemctl", *words])
        )
        raise Refusal(told + self._last_words(before, began))

    def _life(self) -> str:
        """The manager's name for the service's present or latest run; "" before the first."""
        return self.system.shown(SERVICE, "InvocationID").get("InvocationID", "")

    def _last_words(self, before: str, began: float) -> str:
        """The end of what this start logged, and nothing that earlier lives left in the journal.

        Args:
            before: The life before it.
            began: When it was asked for; unix seconds.

        Source:
            systemd.journal-fields(7): the first is of what the service wrote itself, the others of
            what the manager wrote about it.
        """
        life, said = self._life(), ""
        if life and life != before:
            fields = ("_SYSTEMD_INVOCATION_ID", "INVOCATION_ID", "USER_INVOCATION_ID")
            said = self._logged(*" + ".join(f"{name}={life}" for name in fields).split())
        if not said:  # it never came to life, or the journal does not know whose a line is
            said = self._logged("-u", SERVICE, f"--since=@{began:.6f}")
        return f"\nThe end of its log:\n{said}\n" if said else ""

    def _logged(self, *which: str) -> str:
        user = ["--user"] if self.layout.is_user else []
        asked = ["-n", "12", "-o", "cat", "--no-pager", "-q"]
        done = self.system.run("journalctl", *user, *asked, *which)
        lines = done.out.splitlines() if done.code == 0 else []
        return "\n".join(f"    {line}" for line in lines)

    # -- back -----------------------------------------------------------------------------------

    def _take_back(self, placed: placing.Placed, before: condition.Condition | None) -> None:
        """Leave nothing of a try that failed; what fails here is told by what failed first."""
        system, was_running = self.system, before is not None and before.is_running
        is_new = self.layout.service in placed.new
        if is_new:
            system.systemctl("disable", "--now", SOCKET, SERVICE, patience_s=START_S)
        placed.take_back()
        if before is None or not placed.before:
            return
        system.systemctl("daemon-reload")
        system.systemctl("reset-failed", SERVICE, SOCKET)
        if was_running:
            system.systemctl("restart", SOCKET, SERVICE, patience_s=START_S)
