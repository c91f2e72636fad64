"""A root folder in which there is no Python, no shell and no library but those of C and zlib."""

import os
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

_LIBRARIES = ("c", "m", "dl", "pthread", "rt", "util", "z", "resolv", "nss_dns", "nss_files")
"""glibc's own, and zlib, as every Debian has them."""
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_ENTER = """
set -e
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
root=$1
shift
exec chroot "$root" "$@"
"""


def lacks() -> str | None:
    """What is missing to have a root of our own; None if nothing is."""
    for tool in ("unshare", "chroot", "mount", "ldconfig"):
        if shutil.which(tool, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None:
            return tool
    tried = subprocess.run([*_namespaces(), "true"], capture_output=True, check=False)  # noqa: S603
    return None if tried.returncode == 0 else "the right to have namespaces of one's own"


def _namespaces() -> list[str]:
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", *user, "--mount", "--pid", "--fork", "--kill-child"]


class EmptyRoot:
    """The folder, and how a program is run in it; loopback is that of this machine."""

    def __init__(self, folder: Path, program: Path) -> None:
        self.folder = folder
        for name in ("proc", "dev", "tmp", "etc/ssl/certs", "home", "usr/bin", "lib64", "lib"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self._copy_libraries()
        shutil.copy2(program, folder / "usr/bin/openparallax")
        if _CERTIFICATES.exists():
            shutil.copy(_CERTIFICATES, folder / "etc/ssl/certs")
        (folder / "etc/hosts").write_text("127.0.0.1 localhost\n")
        (folder / "etc/passwd").write_text("root:x:0:0:root:/home:/none\n")

    def _copy_libraries(self) -> None:
        known = subprocess.run(
            ["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True
        ).stdout
        for line in known.splitlines():
            name, _, path = line.strip().partition(" => ")
            if "(libc6,x86-64)" not in name and "(libc6,AArch64)" not in name:
                continue
            stem = name.split(".so")[0].removeprefix("lib")
            if stem in _LIBRARIES or name.startswith("ld-linux"):
                into = "lib64" if name.startswith("ld-linux-x86") else "lib"
                target = self.folder / into / name.split(" ")[0]
                if not target.exists():
                    shutil.copy(os.path.realpath(path), target)

    def argv(self, *arguments: str) -> list[str]:
        """What runs ``openparallax`` in there."""
        enter = ["/bin/sh", "-c", _ENTER, "enter", str(self.folder)]
        return [*_namespaces(), *enter, "/usr/bin/openparallax", *arguments]

    @property
    def environment(self) -> dict[str, str]:
        """All that the program is told."""
        return {"HOME": "/home", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LD_LIBRARY_PATH": "/lib"}

    def run(
        self, *arguments: str, said: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(  # noqa: S603 - ours
            self.argv(*arguments),
            input=said,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )


class Running:
    """A program that runs until the end of the context, with all that it started."""

    def __init__(self, argv: list[str], environment: dict[str, str], log: Path) -> None:
        self._argv = argv
        self._environment = environment
        self.log = log

    def __enter__(self) -> Self:
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603 - ours
                self._argv,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    @property
    def said(self) -> str:
        """What it printed so far."""
        return self.log.read_text("utf-8", "replace")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
