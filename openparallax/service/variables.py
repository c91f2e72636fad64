"""What the service has in its environment, for a command that asks about it from a shell."""

import os
from collections.abc import Mapping
from pathlib import Path

from openparallax.service.layout import CREDSTORES


def as_the_service(
    file: Path | None, environment: Mapping[str, str], *, root: Path = Path("/")
) -> Mapping[str, str]:
    """``environment``, with the credentials that the service manager hands to the service.

    So that root can ask from a shell about the configuration of the machine: its secrets lie in a
    folder that only the manager and root read.

    Args:
        file: The configuration.
        environment: The process's variables; what they say of credentials is left alone.
        root: What the folders stand under.
    """
    is_of_the_machine = file is not None and file.absolute().is_relative_to(root / "etc")
    if not is_of_the_machine or "CREDENTIALS_DIRECTORY" in environment:
        return environment
    for name in CREDSTORES:
        if os.access(root / name / "whatsapp_access_token", os.R_OK):
            return {**environment, "CREDENTIALS_DIRECTORY": str(root / name)}
    return environment
