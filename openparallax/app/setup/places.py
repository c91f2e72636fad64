"""Where the files go, and whether they can: known before the first question."""

import grp
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from openparallax import config
from openparallax.app.setup.plan import Layout
from openparallax.errors import Refusal

SYSTEM_CONFIG: Final = Path("/etc/openparallax/config.yaml")
CREDSTORE: Final = Path("/etc/credstore")
"""Where systemd looks for what ``LoadCredential=NAME`` names."""
_SERVICE_USER: Final = "openparallax"
_CANNOT: Final = 78


def choose(named: Path | None, environment: Mapping[str, str], *, is_system: bool) -> Layout:
    """As named, else where a configuration is, else the usual place of this user."""
    is_root = os.geteuid() == 0
    found = named or (None if is_system else config.search(environment))
    if found is None:
        usual = [one for one in config.places(environment) if one != SYSTEM_CONFIG]
        found = SYSTEM_CONFIG if is_system or is_root or not usual else usual[-1]
    path = Path(os.path.abspath(found))  # noqa: PTH100 - a link at its end stays one
    if not is_system and path.parent != SYSTEM_CONFIG.parent:
        return Layout(config=path)
    try:
        group: int | None = grp.getgrnam(_SERVICE_USER).gr_gid
    except KeyError:  # the service is not installed yet; that will hand the file over
        group = None
    return Layout(config=path, credstore=CREDSTORE, group=group if is_root else None)


def see(layout: Layout) -> None:
    """See that it can be written there.

    Raises:
        Refusal: It cannot.
    """
    folder = layout.config.parent
    try:
        if layout.config.is_dir():
            raise Refusal(f"{layout.config} is a folder; name the file in it", exit_code=_CANNOT)
        for one in (folder, layout.credentials):
            folder = one
            while not folder.exists():
                folder = folder.parent
            if not folder.is_dir():
                raise Refusal(
                    f"{folder} is no folder, so nothing can be written below it", exit_code=_CANNOT
                )
            if not os.access(folder, os.W_OK | os.X_OK):
                raise Refusal(
                    f"{folder} cannot be written to by this user: name another place with -c FILE,"
                    " or run this as root",
                    exit_code=_CANNOT,
                )
    except OSError as error:
        raise Refusal(
            f"{folder} cannot be looked at: {error.strerror}; name another place with -c FILE, or"
            " run this as root",
            exit_code=_CANNOT,
        ) from None
