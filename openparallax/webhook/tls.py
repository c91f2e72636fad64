"""TLS for the public listener: a certificate and a key that are read again when they change."""

import ssl
from pathlib import Path

from openparallax.clock import Clock, Timer
from openparallax.config.certificates import Unusable, load_pair
from openparallax.errors import StartError
from openparallax.logs import Logger

LOOK_EVERY_S = 5.0
"""How often the files are looked at: two calls of the kernel each."""
HANDSHAKE_S = 10.0
"""How long a client may take to say hello, and by TLS; asyncio's own limit is a minute."""
SHUTDOWN_S = 5.0
"""How long a client is waited for that does not say goodbye."""

Stamp = tuple[object, ...]


class Certificates:
    """A certificate and its key, in use for new connections; those that exist go on with theirs.

    Every few seconds the files are looked at, through symbolic links. What has changed is read as
    soon as it has rested for one look, since the two files are renewed one after the other. A new
    pair is loaded beside the old one, and takes its place only if it can be used: what cannot be is
    logged once, the old pair stays, and the files are read again when they change again.

    Args:
        certificate: The file with the certificate and its chain, our own first.
        key: The file with its private key, without a password.
    """

    def __init__(self, *, certificate: Path, key: Path, clock: Clock, log: Logger) -> None:
        self._certificate = certificate
        self._key = key
        self._clock = clock
        self._log = log
        self._timer: Timer | None = None
        self._seen: Stamp = ()
        self._tried: Stamp = ()

    def start(self) -> ssl.SSLContext:
        """Read the files and begin to look after them; what to listen with.

        The context listened with has no certificate itself: each handshake asks which one is in
        use. OpenSSL asks that also where the client names no host.

        Raises:
            StartError: They are no pair; the text says what is wrong with which.
        """
        self._seen = self._tried = self._stamp()
        try:
            self._in_use = _load(self._certificate, self._key)
        except Unusable as reason:
            raise StartError(f"channels.whatsapp.tls.{reason}", exit_code=78) from None

        def choose(connection: ssl.SSLObject, _host: str | None, _context: ssl.SSLContext) -> None:
            connection.context = self._in_use

        listening = _without_certificate()
        listening.sni_callback = choose
        self._timer = self._clock.call_later(LOOK_EVERY_S, self._look)
        return listening

    def follow(self, certificate: Path, key: Path) -> None:
        """Look after these files from now on; they are read as soon as they were looked at twice.

        Until they are, and if they are no pair, the pair from before stays in use.
        """
        self._certificate, self._key = certificate, key

    def close(self) -> None:
        """Look no more; may be called twice."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        self._timer = self._clock.call_later(LOOK_EVERY_S, self._look)
        stamp = self._stamp()
        has_rested, self._seen = stamp == self._seen, stamp
        if not has_rested or stamp == self._tried:
            return
        self._tried = stamp
        try:
            self._in_use = _load(self._certificate, self._key)
        except Unusable as reason:
            self._log.warning(
                "certificate_refused",
                path=str(self._certificate if reason.key == "certificate" else self._key),
                reason=str(reason),
                hint="the one read before stays in use; the files are read again when they change",
            )
        else:
            self._log.info("certificate_renewed", path=str(self._certificate))

    def _stamp(self) -> Stamp:
        return (_stamp(self._certificate), _stamp(self._key))


def _stamp(path: Path) -> Stamp:
    """Different whenever the file may have another content, or other rights."""
    try:
        now = path.stat()
    except OSError as error:
        return (error.errno,)
    return (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns)


def _without_certificate() -> ssl.SSLContext:
    # Not ssl.create_default_context: it would write every session's keys into $SSLKEYLOGFILE.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # OpenSSL 1.1.1 lets a client ask for one handshake after the other, which cost us, not them.
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    return context


def _load(certificate: Path, key: Path) -> ssl.SSLContext:
    """Read both files.

    Raises:
        Unusable: They are no pair.
    """
    context = _without_certificate()
    load_pair(context, certificate, key)
    return context
