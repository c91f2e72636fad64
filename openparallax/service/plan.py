"""What the units depend on, put together from the settings."""

import ipaddress
import math
import re
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from openparallax.config import Settings
from openparallax.config.forms import is_loopback
from openparallax.config.models import Conversation
from openparallax.errors import Refusal
from openparallax.service.layout import Layout

SHIPPED: Final = ("/opt/openparallax/bin/openparallax",)
"""The program that the shipped unit starts."""
MARGIN_S: Final = 15.0
"""What the manager waits longer than a stop may take: it is the last resort."""
USUAL: Final = (
    "whatsapp_access_token",
    "whatsapp_app_secret",
    "whatsapp_verify_token",
    "anthropic_api_key",
)
"""The credentials that are looked for whether they are there or not."""
HIDDEN: Final = ("home", "root", "run/user")
"""What ``ProtectHome=yes`` makes empty. Source: systemd.exec(5)."""
_CREDENTIAL = re.compile(r"credential:([A-Za-z0-9_.-]+)")
_CONFIG_PROBLEM = 78


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is written into the units.

    Attributes:
        program: What is run, before ``serve``.
        config: The configuration; None: where the service looks by itself.
        drain_s: For how long of it turns may end.
        most_stop_s: How long a stop may take.
        listens: Addresses of the socket, as systemd writes them; none: no socket unit.
        is_free_bind: They are of this machine, and may not be there yet when it boots.
        credentials: Names, and the file where it lies in no place that systemd knows.
        writes: A further folder that the daemon writes to: the database's.
        readable: Files beside the configuration that the service's user must be able to read.
        variables: Further variables.
        is_one_file: The program is the one-file one, which runs in a child of its own.
    """

    program: Sequence[str] = SHIPPED
    config: Path | None = None
    drain_s: float = Conversation().drain_seconds
    most_stop_s: float = 45.0
    listens: Sequence[str] = ("127.0.0.1:9443",)
    is_free_bind: bool = False
    credentials: Sequence[tuple[str, Path | None]] = tuple((name, None) for name in USUAL)
    writes: Path | None = None
    readable: Sequence[Path] = ()
    variables: Sequence[tuple[str, str]] = field(default=())
    is_one_file: bool = False

    @property
    def stop_s(self) -> int:
        """After which the manager kills."""
        return math.ceil(self.most_stop_s + MARGIN_S)


def make(
    settings: Settings,
    layout: Layout,
    *,
    program: Sequence[str],
    most_stop_s: float,
    tree: Any,
    variables: Sequence[tuple[str, str]] = (),
    is_one_file: bool = False,
) -> Plan:
    """The plan for these settings.

    Args:
        settings: As the service will see them.
        layout: Where things lie.
        program: What is run.
        most_stop_s: How long a stop may take with these settings.
        tree: The file as it is written, in which references to secrets stand.
        variables: Of the user's that the service needs.
        is_one_file: See `Plan`.

    Raises:
        Refusal: The service cannot work with it, such as with a database in a home folder.
    """
    whatsapp = settings.whatsapp
    config = settings.file.absolute()
    is_usual = not layout.is_user and config == layout.config
    database = settings.storage.path.parent
    is_elsewhere = not layout.is_user and not database.is_relative_to(layout.state)
    texts = list(_texts(tree))
    files = [config.parent / text[5:] for text in texts if text.startswith("file:")]
    tls = [whatsapp.tls.certificate, whatsapp.tls.key] if whatsapp.tls else []
    if not layout.is_user:
        for path, what in (
            (config, "the configuration"),
            (database, "the database (storage.url)"),
            *((one, "what the configuration names") for one in (*files, *tls)),
        ):
            refuse_hidden(path, what, layout)
    listens = tuple(addresses(whatsapp.webhook_host, whatsapp.webhook_port))
    wanted = (
        *USUAL,
        *(
            f"whatsapp_{one.phone_number_id}_{kind}"
            for one in whatsapp.accounts
            for kind in ("access_token", "app_secret", "verify_token")
        ),
        *(match[1] for text in texts if (match := _CREDENTIAL.fullmatch(text))),
    )
    return Plan(
        program=program,
        config=None if is_usual else config,
        drain_s=settings.conversation.drain_seconds,
        most_stop_s=most_stop_s,
        listens=listens,
        is_free_bind=not _is_everywhere(whatsapp.webhook_host)
        and not is_loopback(whatsapp.webhook_host),
        credentials=tuple(_credentials(wanted, layout, but=files)),
        writes=database if is_elsewhere else None,
        readable=() if layout.is_user else tuple(one for one in files if _is_ours(one, layout)),
        variables=variables,
        is_one_file=is_one_file,
    )


def refuse_hidden(path: Path, what: str, layout: Layout) -> None:
    """Refuse what the service could not see.

    Raises:
        Refusal: It lies in somebody's home.
    """
    for form in {path, path.resolve()}:
        if any(form.is_relative_to(layout.root / one) for one in HIDDEN):
            raise Refusal(
                f"{what} is {path}, in a home folder, which a service of the machine does not see."
                f" Put it elsewhere ({layout.config} is the usual place of a configuration, and a"
                " database without storage.url is in /var/lib/openparallax), or install the"
                " service for yourself alone: --user.",
                exit_code=_CONFIG_PROBLEM,
            )


def addresses(host: str, port: int) -> Iterator[str]:
    """What to listen on, as a socket unit says it; a name is looked up.

    Raises:
        Refusal: Nobody knows the name, or the port is 0.
    """
    if port == 0:
        raise Refusal(
            "webhook_port is 0, which takes a free port at each start: a service needs a port that"
            " stays, such as 9443.",
            exit_code=_CONFIG_PROBLEM,
        )
    try:
        found = {
            one[4][0]: None
            for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            if one[0] in {socket.AF_INET, socket.AF_INET6}
        }
    except OSError:
        raise Refusal(
            f"webhook_host is {host}, and no address of that name is known: write an address, such"
            " as 127.0.0.1.",
            exit_code=_CONFIG_PROBLEM,
        ) from None
    for address in found:
        yield f"[{address}]:{port}" if ":" in str(address) else f"{address}:{port}"


def _credentials(
    names: Sequence[str], layout: Layout, *, but: Sequence[Path]
) -> Iterator[tuple[str, Path | None]]:
    """Each once. Those that are usual may be missing; further ones are named if they are there.

    A file that the configuration names itself is none: it may be rotated without a restart.
    """
    for name in dict.fromkeys(names):
        file = layout.credential(name)
        is_own = file is not None and file.is_relative_to(layout.credentials)
        if is_own and file not in but:
            yield name, file
        elif not layout.is_user and (name in USUAL or file is not None):
            yield name, None


def _is_ours(path: Path, layout: Layout) -> bool:
    return path.is_relative_to(layout.folder) and ".." not in path.parts


def _is_everywhere(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _texts(tree: Any) -> Iterator[str]:
    if isinstance(tree, str):
        yield str(tree)
    elif isinstance(tree, dict):
        for one in tree.values():
            yield from _texts(one)
    elif isinstance(tree, list):
        for one in tree:
            yield from _texts(one)
