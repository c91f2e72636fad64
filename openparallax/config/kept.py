"""Access tokens that the daemon has had refreshed: a file of its own beside the database.

The configuration is the operator's and is never rewritten. A token that Meta gave in place of a
configured one is kept with the fingerprint of that one, and stands for it as long as it is the one
configured: as soon as another is, that one wins. What the file holds of tokens that are configured
no more goes when they have expired: an account that comes back finds its own again.
"""

import hashlib
import json
import os
import threading
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from openparallax.config.settings import Settings
from openparallax.config.whatsapp import WhatsApp

SUFFIX: Final = ".tokens"
"""Behind the name of the database."""
_MOST_BYTES: Final = 1024 * 1024
_DAY_S: Final = 86_400


def kept_path(database: Path) -> Path:
    """Where the refreshed tokens of the daemon with this database are."""
    return Path(f"{database}{SUFFIX}")


def fingerprint(token: str) -> str:
    """What a token is recognised by; says nothing about it."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class KeptToken:
    """A token in place of a configured one.

    Attributes:
        configured: Fingerprint of the one that the configuration names.
        token: What is used instead.
        expires_at: Unix seconds; 0: never, or not known.
        refreshed_at: Unix seconds.
    """

    configured: str
    token: str = field(repr=False)
    expires_at: int
    refreshed_at: int


class KeptTokens:
    """The refreshed tokens, in memory as on the disk.

    Args:
        path: The file; it need not be there.

    Attributes:
        trouble: Why what the file holds could not be used, or "".
        is_saved: The file holds what is in memory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.trouble = ""
        self.is_saved = True
        self._kept: dict[str, KeptToken] = {}
        self._one = threading.Lock()
        self._read()

    def of(self, configured: str) -> KeptToken | None:
        """What stands for a configured token; the token itself is given."""
        return self._kept.get(fingerprint(configured))

    def put_in(self, settings: Settings) -> Settings:
        """``settings`` with each token that was refreshed in place of the configured one."""
        settings = as_configured(settings)
        whatsapp = settings.whatsapp
        accounts = tuple(
            one.model_copy(update={"access_token": self._instead_of(one.access_token)})
            if "access_token" in one.model_fields_set and one.access_token is not None
            else one
            for one in whatsapp.accounts
        )
        first = self._instead_of(whatsapp.access_token)
        if first == whatsapp.access_token and accounts == whatsapp.accounts:
            return settings
        update: dict[str, Any] = {"access_token": first, "accounts": accounts}
        put_in = whatsapp.model_copy(update=update)
        return replace(settings, whatsapp=put_in, configured=whatsapp)

    def keep(self, one: KeptToken) -> None:
        """Have ``one`` stand for its configured token; on the disk with the next `save`."""
        self._kept[one.configured] = one
        self.is_saved = False

    def drop(self, configured: str) -> None:
        """Have the configured token itself used again, given by its fingerprint."""
        if self._kept.pop(configured, None) is not None:
            self.is_saved = False

    def drop_expired(self, now: float, *, in_use: Collection[str]) -> None:
        """Forget what has expired and is configured no more.

        Args:
            now: Unix seconds.
            in_use: Fingerprints of what is configured.
        """
        over = [
            one.configured
            for one in self._kept.values()
            if one.configured not in in_use and one.expires_at and one.expires_at < now - _DAY_S
        ]
        for configured in over:
            self.drop(configured)

    def save(self) -> None:
        """Write the file: all of it or nothing, for nobody else to read.

        May be repeated, and called from any thread.

        Raises:
            OSError: It could not be written; what it held before is there as it was.
        """
        with self._one:
            kept = tuple(self._kept.values())
            text = json.dumps({"tokens": [_as_data(one) for one in kept]}, indent=1) + "\n"
            _write(self.path, text.encode("ascii"))
            # Another may have been kept meanwhile, which the next `save` is for.
            self.is_saved = tuple(self._kept.values()) == kept

    def _instead_of(self, configured: SecretStr) -> SecretStr:
        kept = self.of(configured.get_secret_value())
        return configured if kept is None else SecretStr(kept.token)

    def _read(self) -> None:
        try:
            with self.path.open("rb") as file:
                raw = file.read(_MOST_BYTES + 1)
        except FileNotFoundError:
            return
        except OSError as error:
            self.trouble = error.strerror or "it cannot be read"
            return
        try:
            found = [_parse(one) for one in json.loads(raw)["tokens"]]
        except (ValueError, KeyError, TypeError, RecursionError):
            self.trouble = "it is damaged"
            return
        self._kept = {one.configured: one for one in found}


def as_configured(settings: Settings) -> Settings:
    """``settings`` with the tokens that the configuration names, whatever was put in."""
    if settings.configured is None:
        return settings
    tokens = {one.phone_number_id: one for one in settings.configured.accounts}
    accounts = tuple(
        one.model_copy(update={"access_token": tokens[one.phone_number_id].access_token})
        if "access_token" in one.model_fields_set
        else one
        for one in settings.whatsapp.accounts
    )
    update: dict[str, Any] = {
        "access_token": settings.configured.access_token,
        "accounts": accounts,
    }
    whatsapp = settings.whatsapp.model_copy(update=update)
    return replace(settings, whatsapp=whatsapp, configured=None)


def configured_tokens(whatsapp: WhatsApp) -> dict[str, tuple[str, ...]]:
    """Fingerprint of each configured token -> the numbers of ours that it is for.

    Numbers that are switched off are among them.
    """
    found: dict[str, tuple[str, ...]] = {}
    for token, number in _tokens(whatsapp):
        key = fingerprint(token)
        found[key] = (*found.get(key, ()), number)
    return found


def _tokens(whatsapp: WhatsApp) -> Iterable[tuple[str, str]]:
    first = whatsapp.access_token
    yield first.get_secret_value(), whatsapp.phone_number_id
    for one in whatsapp.accounts:
        own = one.access_token if "access_token" in one.model_fields_set else None
        yield (own or first).get_secret_value(), one.phone_number_id


def _as_data(one: KeptToken) -> dict[str, str | int]:
    return {
        "configured": one.configured,
        "token": one.token,
        "expires_at": one.expires_at,
        "refreshed_at": one.refreshed_at,
    }


def _parse(one: Any) -> KeptToken:
    """Raises: ValueError, KeyError, TypeError: It is none."""
    token = one["token"]
    if not (isinstance(token, str) and token.isascii() and token.isprintable()):
        raise ValueError
    if not token or " " in token or len(one["configured"]) != len(fingerprint("")):
        raise ValueError
    return KeptToken(
        str(one["configured"]), token, int(one["expires_at"]), int(one["refreshed_at"])
    )


def _write(path: Path, raw: bytes) -> None:
    """Put ``raw`` in the file's place; raises OSError, and has changed nothing then."""
    # In the same folder, so that it can take the other's place. One that a crash left behind is in
    # the way of nothing and goes here.
    new = path.with_name(f"{path.name}.new")
    with suppress(FileNotFoundError):
        new.unlink()
    number = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
