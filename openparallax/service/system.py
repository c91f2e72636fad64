"""systemd's own programs: run one at a time, and each failure put into a sentence."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from openparallax.errors import Refusal

BOOTED: Final = Path("/run/systemd/system")
"""There while systemd is the machine's manager. Source: sd_booted(3)."""
PATIENCE_S: Final = 60.0
_INSTEAD = (
    "Run `openparallax serve -c FILE` with whatever starts programs here (README, Without systemd);"
    " in a container it is the container's own command. `openparallax service install --print`"
    " shows the units, and --root FOLDER writes them for another machine."
)
_NO_BUS = (
    "your user's manager cannot be reached: log in as this user itself (over ssh or at the console,"
    " not by su or sudo), or set XDG_RUNTIME_DIR=/run/user/$(id -u)"
)
_SENTENCES: Final = (
    ("connect to bus", _NO_BUS),
    ("Access denied", "that needs root: sudo"),
    ("Interactive authentication required", "that needs root: sudo"),
    ("Permission denied", "that needs root: sudo"),
    ("is masked", "the unit is masked: systemctl unmask openparallax.service openparallax.socket"),
    ("Address already in use", "another program has the port: see `ss -ltnp`, or webhook_port"),
)


@dataclass(frozen=True, slots=True)
class Done:
    """What a program said.

    Attributes:
        said: Both streams.
    """

    code: int
    out: str
    said: str


class System:
    """Runs ``systemctl`` and its kin.

    Args:
        environment: Its variables; ``PATH`` says which programs they are.
        is_user: The user's manager is meant.
        root: The root of the machine that is meant, where it is not this one.
        needs_boot: Refuse where systemd does not run.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        is_user: bool = False,
        root: Path | None = None,
        needs_boot: bool = True,
    ) -> None:
        self._environment = dict(environment) | {"LC_ALL": "C.UTF-8", "SYSTEMD_COLORS": "0"}
        self._environment |= {"SYSTEMD_PAGER": "", "SYSTEMD_LOG_LEVEL": "err"}
        self._is_user = is_user
        self._root = root
        if needs_boot and root is None:
            self._refuse_without_systemd()

    def _refuse_without_systemd(self) -> None:
        if self.find("systemctl") is None:
            raise Refusal(f"there is no systemctl here, so no systemd. {_INSTEAD}")
        if not BOOTED.is_dir():
            raise Refusal(
                f"systemd is installed and does not run here, as in most containers. {_INSTEAD}"
            )

    def find(self, program: str) -> str | None:
        """Where it is; None if it is not."""
        path = self._environment.get("PATH", os.defpath) + ":/usr/sbin:/sbin:/usr/lib/systemd"
        return shutil.which(program, path=path)

    def systemctl(self, *words: str, patience_s: float = PATIENCE_S) -> Done:
        """Call it, and take whatever comes of it."""
        where = ["--user"] if self._is_user else []
        where += [f"--root={self._root}"] if self._root is not None else []
        return self.run("systemctl", *where, *words, patience_s=patience_s)

    def must(self, why: str, *words: str, patience_s: float = PATIENCE_S) -> Done:
        """Call systemctl.

        Args:
            why: What does not come about if it fails, such as ``the service could not be started``.
            words: Its arguments.
            patience_s: How long it may take.

        Raises:
            Refusal: It failed; in a sentence.
        """
        done = self.systemctl(*words, patience_s=patience_s)
        if done.code != 0:
            raise Refusal(sentence(why, done, ["systemctl", *words]))
        return done

    def run(self, program: str, *words: str, patience_s: float = PATIENCE_S) -> Done:
        """Call any of them; 127 where it is not installed, 124 where it took too long."""
        found = self.find(program)
        if found is None:
            return Done(127, "", f"{program} is not installed")
        try:
            done = subprocess.run(  # noqa: S603 - fixed words and paths of ours, no shell
                [found, *words],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env=self._environment,
                timeout=patience_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Done(124, "", f"{program} did not end within {patience_s:.0f} seconds")
        except OSError as error:
            return Done(126, "", f"{program} cannot be run: {error.strerror}")
        out = done.stdout.decode("utf-8", "replace")
        return Done(done.returncode, out, out + done.stderr.decode("utf-8", "replace"))

    def shown(self, unit: str, *names: str) -> dict[str, str]:
        """Properties of a unit; those that the manager does not know are not in it."""
        done = self.systemctl("show", unit, f"--property={','.join(names)}")
        pairs = (line.partition("=") for line in done.out.splitlines())
        return {name: value for name, _, value in pairs if name in names}


def sentence(why: str, done: Done, command: Sequence[str]) -> str:
    """What failed, what it said, and what to do where that is known."""
    said = " ".join(done.said.split())
    known = next((text for sign, text in _SENTENCES if sign in said), "")
    shown = " ".join(command)
    told = f"`{shown}` ended with {done.code}" + (f": {said[:400]}" if said else "")
    return f"{why}: {known}. ({told})" if known else f"{why}. {told}"
