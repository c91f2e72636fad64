"""What a caller puts in place of the file's own: Graph's address, the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from openparallax.config.database import path_of_url
from openparallax.config.forms import BaseUrl
from openparallax.config.secrets import NotFound, Sources
from openparallax.config.whatsapp import WhatsApp
from openparallax.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Instead:
    """Options of ``openparallax serve`` that win against the file, which is checked all the same.

    Attributes:
        graph_api_url: As the setting of that name, for every number.
        storage_url: As ``storage.url``; relative to the folder that we are in.
    """

    graph_api_url: str | None = None
    storage_url: str | None = None

    def check(self, environment: Mapping[str, str]) -> None:
        """Raise `ConfigError`, which names each option that is not usable and shows no value."""
        problems: list[str] = []
        if self.graph_api_url is not None:
            try:
                _graph(self.graph_api_url)
            except ValidationError as found:
                said = found.errors(include_url=False, include_input=False)[0]["msg"]
                problems.append(f"--graph-api-url: {said}")
        try:
            self.database(environment)
        except NotFound as reason:
            problems.append(f"--storage-url: {reason}")
        if problems:
            raise ConfigError(problems)

    def whatsapp(self, of_file: WhatsApp) -> WhatsApp:
        """What the file says, with Graph's address replaced where one is given."""
        if self.graph_api_url is None:
            return of_file
        given = {"graph_api_url": _graph(self.graph_api_url)}
        others = tuple(one.model_copy(update=given) for one in of_file.accounts)
        return of_file.model_copy(update={**given, "accounts": others})

    def database(self, environment: Mapping[str, str]) -> Path | None:
        """The database that is given, if one is.

        Raises:
            NotFound: It cannot be one; a sentence that begins in the middle.
        """
        if self.storage_url is None:
            return None
        return path_of_url(self.storage_url, Sources(environment, Path.cwd()))


def _graph(url: str) -> str:
    return str(TypeAdapter(BaseUrl).validate_python(url))
