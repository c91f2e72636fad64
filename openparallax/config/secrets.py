"""Where values come from that do not stand in the file: variables, credentials, files."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from openparallax.config.problems import Where

_VARIABLE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_USUAL_NAME = re.compile(r"(?!.*[A-Z0-9]{16})[A-Z_][A-Z0-9_]{0,63}\Z")
"""Words of capitals, none of them as long as a secret is."""
_CREDENTIAL = re.compile(r"[A-Za-z0-9_.-]{1,255}\Z")
_MAX_BYTES = 64 * 1024

Stamp = tuple[object, ...]


class NotFound(Exception):  # noqa: N818 - it never leaves this room, which catches it by this name
    """A value could not be had; the message is a sentence without values."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a secret was read from; not the secret.

    Attributes:
        kind: ``file``: may be given anew while the daemon runs. ``environment`` and
            ``credential``: set once for the life of a process.
        name: Of the variable or of the credential; "" where several variables make it up.
        path: The file, absolute; None for the environment.
        stamp: What the file was like when it was read; see `stamp_of`.
    """

    kind: Literal["file", "environment", "credential"]
    name: str = ""
    path: Path | None = None
    stamp: Stamp = ()


class Sources:
    """The environment, the service manager's credentials, and files.

    Args:
        environment: The process's variables.
        folder: What relative paths in the file are relative to.

    Attributes:
        origins: Where each secret was looked for that does not stand in the file itself, had or
            not.
    """

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self.environment = environment
        self.folder = folder
        self.origins: dict[Where, Origin] = {}

    def variable(self, name: str) -> str:
        """The variable's value, which may be empty.

        Raises:
            NotFound: It is not set, or holds bytes that are no text.
        """
        if name not in self.environment:
            raise NotFound(f"the environment variable {name} is not set")
        value = self.environment[name]
        if not _is_clean(value):
            raise NotFound(f"the environment variable {name} holds bytes that are no text")
        return value

    def expand(self, text: str) -> str:
        """Put variables in: ``${NAME}``, ``${NAME:-default}``; ``$${`` stands for ``${``.

        Raises:
            NotFound: A variable is not set, or ``${`` begins no variable.
        """

        def value(match: re.Match[str]) -> str:
            name, default = match.groups()
            if name is None:
                if match.group() == "$${":
                    return "${"
                raise NotFound(
                    "has ${ that begins no variable: write ${NAME} or ${NAME:-default}, or $${"
                    " for the characters themselves"
                )
            if default is None:
                return self.variable(name)
            return self.variable(name) if self.environment.get(name) else str(default)

        return _VARIABLE.sub(value, text)

    def path(self, text: str) -> Path:
        """A path of the file, absolute; ``~`` is the home folder."""
        home = self.environment.get("HOME")
        if home and (text == "~" or text.startswith("~/")):
            return Path(home, text[2:])
        return self.folder / text

    def named_secret(self, name: str, where: Where = ()) -> str:
        """The secret in the variable that ``KEY_env`` names, for the setting at ``where``.

        Raises:
            NotFound: No such variable, or it is empty.
        """
        if not _NAME.match(name):
            raise NotFound("must be the name of an environment variable, not the secret itself")
        if name not in self.environment and not _USUAL_NAME.match(name):
            # Perhaps the secret itself, pasted into the wrong line: it is not repeated.
            raise NotFound(
                "names an environment variable that is not set; it takes the variable's name, not"
                " the secret itself"
            )
        self.origins[where] = Origin("environment", name)
        return _not_empty(self.variable(name), f"the environment variable {name}")

    def secret(self, text: str, where: Where = ()) -> str:
        """The secret that a value of the file stands for, in any of its forms.

        Args:
            text: What the file says.
            where: The setting.

        Raises:
            NotFound: It cannot be had, or is empty.
        """
        if text.startswith("credential:"):
            name = text.removeprefix("credential:")
            if not _CREDENTIAL.match(name) or name in {".", ".."}:
                raise NotFound("must name a credential after the colon: credential:NAME")
            folder = self.environment.get("CREDENTIALS_DIRECTORY")
            if not folder:
                raise NotFound(
                    "names a credential, and there is no $CREDENTIALS_DIRECTORY: the service"
                    " manager sets it"
                )
            self.origins[where] = Origin("credential", name, Path(folder, name))
            return _not_empty(_read(Path(folder, name)), "the credential it names")
        if text.startswith("file:"):
            path = self.path(self.expand(text.removeprefix("file:")))
            # Before it is read: what is written meanwhile makes it another one.
            self.origins[where] = Origin("file", path=path, stamp=stamp_of(path))
            return _not_empty(_read(path), "the file it names")
        if text in self.environment and "_" in text and _USUAL_NAME.match(text):
            raise NotFound(
                "is the name of an environment variable, which is not looked at here: write it"
                " behind the key with _env at its end, or as ${NAME}"
            )
        expanded = self.expand(text)
        if expanded != text:
            whole = _VARIABLE.fullmatch(text)
            self.origins[where] = Origin("environment", (whole and whole[1]) or "")
        return _not_empty(expanded, "it")

    def credential(self, name: str, where: Where = ()) -> str | None:
        """What the service manager put into ``$CREDENTIALS_DIRECTORY`` under ``name``, if anything.

        Raises:
            NotFound: It is there and cannot be read, or is empty.
        """
        folder = self.environment.get("CREDENTIALS_DIRECTORY")
        if not folder:
            return None
        path = Path(folder, name)
        try:
            if not path.exists():
                return None
        except OSError:
            pass
        self.origins[where] = Origin("credential", name, path)
        try:
            return _not_empty(_read(path), "it")
        except NotFound as reason:
            raise NotFound(f"is looked up as the credential {name}, which {reason}") from None


def stamp_of(path: Path) -> Stamp:
    """Different whenever the file may have another content, or other rights; through links."""
    try:
        now = path.stat()
    except (OSError, ValueError) as error:
        return (type(error).__name__,)
    return (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise NotFound(f"names a file that cannot be read ({reason or 'no path'})") from None
    if len(raw) > _MAX_BYTES:
        raise NotFound("names a file too big for a secret")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotFound("names a file that is not text") from None


def _not_empty(value: str, what: str) -> str:
    """Without the spaces and line breaks round it, which editors and ``echo`` leave there."""
    bare = value.strip()
    if not bare:
        raise NotFound("is empty" if what == "it" else f"{what} is empty")
    return bare


def _is_clean(value: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" for c in value)
