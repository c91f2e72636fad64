"""Listening sockets that the service manager holds: what it passes on, taken and looked at.

It holds them while one process ends and the next begins, so that nobody is refused in between: who
comes then waits, and is let in by the next process.

Source:
    sd_listen_fds(3): ``$LISTEN_FDS`` descriptors from 3 on, for the process ``$LISTEN_PID``, with
    names in ``$LISTEN_FDNAMES``.
"""

import os
import socket
from collections.abc import MutableMapping, Sequence
from contextlib import suppress

from openparallax.build import is_one_file
from openparallax.config import WhatsApp
from openparallax.config.forms import is_loopback
from openparallax.errors import StartError
from openparallax.logs import Logger

FIRST = 3
"""The descriptors before it are standard input, output and error."""
_WRONG = 78


def take_sockets(environment: MutableMapping[str, str]) -> tuple[socket.socket, ...]:
    """The sockets for the webhook's listener; none where nobody passes any on.

    What says so is removed from the environment, and what is taken is not inherited any further:
    a program of an engine's would hold the listener open.

    Raises:
        StartError: What is passed on is nothing to listen on (78).
    """
    given = environment.pop("LISTEN_FDS", "")
    wanted = environment.pop("LISTEN_PID", "")
    names = environment.pop("LISTEN_FDNAMES", "").split(":")
    if not given.isdecimal() or not _is_for_us(wanted):
        return ()
    found: list[socket.socket] = []
    try:
        for index in range(int(given)):
            name = names[index] if index < len(names) else ""
            found.append(_listening(FIRST + index, name))
    except StartError:
        for one in found:
            one.close()
        raise
    return tuple(found)


def _is_for_us(wanted: str) -> bool:
    """The one-file program runs in a child of the process that the manager started."""
    return wanted == str(os.getpid()) or (is_one_file() and wanted == str(os.getppid()))


def _listening(descriptor: int, name: str) -> socket.socket:
    said = f"the socket that the service manager passes on as descriptor {descriptor}"
    said += f" ({name})" if name.isprintable() and name else ""
    try:
        os.set_inheritable(descriptor, False)
        found = socket.socket(fileno=descriptor)
    except OSError:
        raise StartError(f"{said} is not there, or no socket.", exit_code=_WRONG) from None
    with suppress(OSError):
        is_tcp = found.family in {socket.AF_INET, socket.AF_INET6}
        is_tcp &= found.type == socket.SOCK_STREAM
        if is_tcp and found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            if name != "admin":
                return found
            found.close()
            raise StartError(
                f"{said} is called admin, and only the webhook's listener takes sockets: remove it"
                " from the socket unit; admin.port is listened on by the daemon itself.",
                exit_code=_WRONG,
            )
    found.close()
    raise StartError(
        f"{said} does not listen for TCP connections: a socket unit for this service has lines"
        " such as ListenStream=127.0.0.1:9443, and Accept=no.",
        exit_code=_WRONG,
    )


def check_sockets(sockets: Sequence[socket.socket], whatsapp: WhatsApp, log: Logger) -> None:
    """Hold what was inherited against the configuration: where it really listens is what counts.

    Raises:
        StartError: Signatures are not checked, and others than this machine can reach it (78).
    """
    for one in sockets:
        host, port = one.getsockname()[:2]
        is_checked = any(number.app_secret for number in whatsapp.numbers)
        if not (is_checked or whatsapp.allow_unsigned_webhooks or is_loopback(host)):
            raise StartError(
                f"the socket that the service manager holds listens on {host} port {port}, which is"
                " not loopback, and there is no app_secret: without it signatures cannot be checked"
                " and anybody could pose as Meta. Set app_secret (App settings, Basic), or have the"
                " socket unit listen on 127.0.0.1, or say that you want this with"
                " allow_unsigned_webhooks: true.",
                exit_code=_WRONG,
            )
    places = [one.getsockname()[:2] for one in sockets]
    if sockets and not any(_is_same(place, whatsapp) for place in places):
        host, port = places[0]
        log.warning(
            "inherited_socket_differs",
            host=host,
            port=port,
            hint="the service manager's socket listens elsewhere than webhook_host and webhook_port"
            " say, and it counts: run openparallax service install again, which brings both"
            " together, or change the socket unit",
        )


def _is_same(place: tuple[str, int], whatsapp: WhatsApp) -> bool:
    host, port = place
    wanted = whatsapp.webhook_host
    if port != whatsapp.webhook_port:
        return False
    is_name = not wanted.replace(".", "").isdecimal() and ":" not in wanted
    return host == wanted or (is_loopback(host) and is_loopback(wanted)) or is_name
