"""Where the files of a service lie: of the machine, or of one user of it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

NAME: Final = "openparallax"
SERVICE: Final = f"{NAME}.service"
SOCKET: Final = f"{NAME}.socket"
CREDSTORES: Final = ("etc/credstore", "run/credstore", "usr/lib/credstore")
"""Where systemd looks for a credential that is named without a path. Source: systemd.exec(5)."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The places.

    Attributes:
        root: What every path stands under, ``/`` but for images and tests.
        is_user: A service of the user who installs it, and not of the machine.
        config_home: The user's folder of configurations; of the machine it is ``/etc``.
    """

    root: Path
    is_user: bool
    config_home: Path

    @property
    def units(self) -> Path:
        return self.config_home / "systemd" / ("user" if self.is_user else "system")

    @property
    def service(self) -> Path:
        return self.units / SERVICE

    @property
    def socket(self) -> Path:
        return self.units / SOCKET

    @property
    def sysusers(self) -> Path:
        return self.config_home / "sysusers.d" / f"{NAME}.conf"

    @property
    def tmpfiles(self) -> Path:
        return self.config_home / "tmpfiles.d" / f"{NAME}.conf"

    @property
    def written(self) -> tuple[Path, ...]:
        """All that an installation may write."""
        own = (self.service, self.socket)
        return own if self.is_user else (self.sysusers, self.tmpfiles, *own)

    @property
    def folder(self) -> Path:
        """Of the configuration."""
        return self.config_home / NAME

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    @property
    def variables(self) -> Path:
        """A file of environment variables, for whoever wants one."""
        return self.folder / "environment"

    @property
    def credentials(self) -> Path:
        return self.folder / "credentials"

    @property
    def state(self) -> Path:
        """The folder of the database, where the configuration does not say."""
        return self.root / "var/lib" / NAME

    def credential(self, name: str) -> Path | None:
        """The file of that credential, if there is one; the strongest of several."""
        places = [self.credentials]
        places += [] if self.is_user else [self.root / one for one in CREDSTORES]
        return next((one / name for one in places if _is_file(one / name)), None)


def of_machine(root: Path = Path("/")) -> Layout:
    """The machine's, or those of the machine whose files lie under ``root``."""
    return Layout(root, is_user=False, config_home=root / "etc")


def of_user(environment: Mapping[str, str]) -> Layout:
    """Those of the user with these variables."""
    home = Path(environment.get("HOME") or Path.home())
    given = Path(environment.get("XDG_CONFIG_HOME", ""))
    return Layout(
        Path("/"),
        is_user=True,
        config_home=given if given.is_absolute() else home / ".config",
    )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # in a folder that may not be entered
        return os.path.lexists(path)
