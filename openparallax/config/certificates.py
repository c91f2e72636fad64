"""The certificate and the key of the public listener: there, readable, and a pair."""

import ssl
import stat
from pathlib import Path

from openparallax.config.document import Tree
from openparallax.config.problems import Problems, Where
from openparallax.config.secrets import Sources

_TLS: Where = ("channels", "whatsapp", "tls")
_KEYS = ("certificate", "key")
_PEM = "PEM text, as Let's Encrypt and openssl write it"
_OTHER_PAIR = frozenset({"KEY_VALUES_MISMATCH", "NO_CERTIFICATE_ASSIGNED"})
"""OpenSSL's names for a key of another certificate: of the same kind, and of another one."""


class Unusable(Exception):  # noqa: N818 - says what the files are; whoever loads them says it on
    """The files are no pair.

    Attributes:
        key: Which of the two settings is to blame.
        fault: What is wrong with it, as the end of a sentence; nothing of what is in it.
    """

    def __init__(self, key: str, fault: str) -> None:
        super().__init__(f"{key} {fault}")
        self.key = key
        self.fault = fault


class _Encrypted(Exception):  # noqa: N818 - it never leaves this file
    """The key wants a password; nobody is there to type one."""


def load_pair(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    """Have ``context`` speak with this certificate.

    Raises:
        Unusable: The files are no pair. The context is not to be used then.
    """
    for name, path in zip(_KEYS, (certificate, key), strict=True):
        fault = _unreadable(path)
        if fault:
            raise Unusable(name, fault)
    _load(context, certificate, key)


def check(whatsapp: Tree, sources: Sources, problems: Problems) -> None:
    """Make the paths of ``tls`` absolute, in place, and refuse files that are no pair.

    Both files are read, here for the first time; the listener reads them again.
    """
    tls = whatsapp.get("tls") if isinstance(whatsapp, dict) else None
    if not isinstance(tls, dict):
        return
    paths = {}
    for key in _KEYS:
        given = tls.get(key)
        if not isinstance(given, str) or problems.blames((*_TLS, key)):
            continue
        path = sources.path(given)
        tls[key] = str(path)
        fault = _unreadable(path) if given.strip() else "is empty"
        if fault:
            problems.add((*_TLS, key), fault)
        else:
            paths[key] = path
    _check_contents(paths, problems)


def _unreadable(path: Path) -> str:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would keep us waiting
            return "names something that is no file"
        path.open("rb").close()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        return f"names a file that cannot be read ({reason or 'no path'})"
    return ""


def _check_contents(paths: dict[str, Path], problems: Problems) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate, key = (paths.get(name) for name in _KEYS)
    try:
        if certificate is not None and key is not None:
            _load(context, certificate, key)
        elif certificate is not None:
            _look_into(certificate)
    except Unusable as why:
        problems.add((*_TLS, why.key), why.fault)


def _look_into(certificate: Path) -> None:
    try:
        # Says of this file alone whether it is in order; nobody is verified by it.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(cafile=certificate)
    except OSError:
        raise Unusable("certificate", f"names a file without a certificate ({_PEM})") from None


def _load(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    _look_into(certificate)
    try:
        context.load_cert_chain(certificate, key, password=_refuse)
    except _Encrypted:
        raise Unusable(
            "key",
            "names a key that is encrypted, and nobody can type its password at a start: take it"
            " off with `openssl pkey`, and let only the daemon read the file",
        ) from None
    except OSError as error:  # as OpenSSL's own errors are
        is_other = getattr(error, "reason", None) in _OTHER_PAIR
        raise Unusable(
            "key",
            "is not the key of that certificate (the first one in its file must be your own)"
            if is_other
            else f"names a file without a private key ({_PEM})",
        ) from None


def _refuse() -> str:
    # Without this OpenSSL would ask on the terminal.
    raise _Encrypted
