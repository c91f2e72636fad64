"""Where the database of a configuration is."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from openparallax.config.document import folder_of, read
from openparallax.config.homes import Homes
from openparallax.config.models import File
from openparallax.config.places import search, state_file
from openparallax.config.problems import Problems, Where
from openparallax.config.resolve import Resolver
from openparallax.config.secrets import NotFound, Sources
from openparallax.errors import ConfigError

_SQLITE: Final = "sqlite:///"
_URL: Final[Where] = ("storage", "url")
_WRONG_URL = (
    "must be sqlite:///PATH; no other database is known in this version. An absolute path makes it"
    " four slashes: sqlite:////srv/bot/openparallax.db"
)
_OF_THE_SERVICE = Path("/var/lib/openparallax/openparallax.db")
_OF_THE_MACHINE = Path("/etc")


def database_path(url: str | None, sources: Sources, problems: Problems) -> Path:
    """The database's file; relative ones lie where the configuration lies."""
    nowhere = Path()
    if url is None:
        default = state_file(sources.environment)
        if default is None:
            problems.add(_URL, "is missing, and there is no home folder to put the database in")
        return default or nowhere
    try:
        return path_of_url(url, sources)
    except NotFound as reason:
        problems.add(_URL, str(reason))
        return nowhere


def path_of_url(url: str, sources: Sources) -> Path:
    """The file that ``sqlite:///PATH`` names, absolute.

    Raises:
        NotFound: It names none; a sentence that begins in the middle, behind the key.
    """
    if not url.startswith(_SQLITE):
        raise NotFound(_WRONG_URL)
    name = url.removeprefix(_SQLITE)
    if not name.strip("/") or name.endswith("/") or name == ":memory:":
        raise NotFound("must name a file after sqlite:///, with one more slash if absolute")
    if "?" in name or "#" in name or not name.isprintable():
        raise NotFound("must be a plain path after sqlite:///, in one line, without ? or #")
    return sources.path(name)


def find_database(path: Path | None, environment: Mapping[str, str]) -> Path:
    """Find the database of a configuration, for commands that talk about a file and not to Meta.

    No secret need be set, and no variable but those in ``storage.url``: the operator's shell has
    not what the service has. Where the file does not say, it is where ``serve`` would have put
    it, or else the shipped service: what is there is preferred to what is not.

    Args:
        path: The configuration; None: the one that is found, and if none is, only the usual
            places of the database are looked at.
        environment: The process's variables.

    Returns:
        An absolute path; perhaps nothing is there.

    Raises:
        ConfigError: The configuration cannot be read, or has a key that is none: that might be
            the line that says where the database is.
    """
    file = path or search(environment)
    if file is not None:
        problems = Problems(str(file))
        tree = read(file, problems)
        resolver = Resolver(_Unasked(environment, Path()), problems, Homes(tree, {}, {}))
        storage = resolver.section(File, tree, ()).get("storage", {})
        url = storage.get("url") if isinstance(storage, dict) else storage
        if not isinstance(storage, dict) or not isinstance(url, str | None):
            problems.add(_URL, "must be sqlite:///PATH")
        elif url is not None:
            sources = Sources(environment, folder_of(file))
            found = database_path(_expanded(url, sources, problems), sources, problems)
            problems.raise_if_any()
            return found
        problems.raise_if_any()
    return _usual_place(file, environment)


def guess_database(path: Path | None, environment: Mapping[str, str]) -> Path | None:
    """Where the database of a configuration may be that `find_database` refuses; None: who knows.

    Whoever is found there is to be asked whether the file is theirs.
    """
    file = path or search(environment)
    if file is None:
        return None
    problems = Problems(str(file))
    try:
        storage = read(file, problems).get("storage")
        url = storage.get("url") if isinstance(storage, dict) else None
        if isinstance(url, str):
            sources = Sources(environment, folder_of(file))
            return path_of_url(sources.expand(url), sources)
    except NotFound:
        return None
    except ConfigError:
        pass
    return _usual_place(file, environment)


def _expanded(url: str, sources: Sources, problems: Problems) -> str:
    try:
        return sources.expand(url)
    except NotFound as reason:
        problems.add(_URL, str(reason))
        raise problems.error() from None


def _usual_place(file: Path | None, environment: Mapping[str, str]) -> Path:
    own = state_file(environment)
    if own is not None and environment.get("STATE_DIRECTORY"):
        return own
    is_of_the_machine = file is not None and file.absolute().is_relative_to(_OF_THE_MACHINE)
    candidates = [one for one in (own, _OF_THE_SERVICE) if one is not None]
    if is_of_the_machine:
        candidates.reverse()
    return next((one for one in candidates if _is_there(one)), candidates[0])


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # in a folder that may not be entered: whoever opens it will say so
        return True


class _Unasked(Sources):
    """Takes every secret and variable as given, so that only the shape of the file is judged."""

    def expand(self, text: str) -> str:
        return text

    def named_secret(self, name: str, where: Where = ()) -> str:
        del where
        return name

    def secret(self, text: str, where: Where = ()) -> str:
        del where
        return text

    def credential(self, name: str, where: Where = ()) -> None:
        del name, where
