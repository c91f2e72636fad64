"""Where the configuration and the database lie when nobody says."""

from collections.abc import Mapping
from pathlib import Path


def places(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Where a configuration is looked for when none is named, in that order.

    Source:
        XDG base directories; systemd.exec, ``CONFIGURATION_DIRECTORY``.
    """
    found = []
    if configuration := environment.get("CONFIGURATION_DIRECTORY"):
        found.append(Path(configuration.split(":")[0]) / "config.yaml")
    if base := _base(environment, "XDG_CONFIG_HOME", ".config"):
        found.append(base / "openparallax" / "config.yaml")
    return (*found, Path("/etc/openparallax/config.yaml"))


def search(environment: Mapping[str, str]) -> Path | None:
    """Find the configuration when ``-c`` is left out; None if there is none.

    What ``$OPENPARALLAX_CONFIG`` names is returned whether it exists or not, so that a wrong name
    is told and not passed over.
    """
    if named := environment.get("OPENPARALLAX_CONFIG"):
        return Path(named)
    for place in places(environment):
        try:
            if place.exists():
                return place
        except OSError:  # a folder that may not be entered: the reader will say so
            return place
    return None


def state_file(environment: Mapping[str, str]) -> Path | None:
    """The default place of the database; None where not even a home folder is known."""
    if state := environment.get("STATE_DIRECTORY"):
        return Path(state.split(":")[0]) / "openparallax.db"
    base = _base(environment, "XDG_STATE_HOME", ".local/state")
    return base / "openparallax" / "openparallax.db" if base else None


def _base(environment: Mapping[str, str], variable: str, below_home: str) -> Path | None:
    named = Path(environment.get(variable, ""))
    if named.is_absolute():  # XDG: a relative one is ignored
        return named
    home = environment.get("HOME")
    return Path(home) / below_home if home else None
