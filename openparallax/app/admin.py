"""The operator's listener of a house: where it listens and what it is told."""

from collections.abc import Mapping
from pathlib import Path

from openparallax.admin.control import Control
from openparallax.admin.server import AdminServer
from openparallax.app.condition import Condition
from openparallax.config import Settings
from openparallax.logs import Logger


def build_admin(
    settings: Settings,
    condition: Condition,
    controls: Mapping[str, Control],
    *,
    environment: Mapping[str, str],
    log: Logger,
) -> AdminServer:
    """Nothing listens yet."""
    admin = settings.admin
    return AdminServer(
        controls,
        host=admin.host,
        port=admin.port if admin.enabled else None,
        folder=_socket_folder(environment, settings.storage.path),
        reasons=condition.reasons,
        exposition=condition.exposition,
        log=log,
    )


def _socket_folder(environment: Mapping[str, str], database: Path) -> Path:
    """Systemd's folder for it, else that of the database.

    Source:
        systemd.exec(5): ``$RUNTIME_DIRECTORY`` may name several, with colons between.
    """
    given = environment.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    return Path(given) if given else database.parent
