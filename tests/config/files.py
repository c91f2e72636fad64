"""Configurations for tests: a file written, small catalogs, a complete environment."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, Field, SecretStr, field_validator

from openparallax import config
from openparallax.errors import ConfigError
from openparallax.plugin import PluginSettings

SMALLEST = """\
channels:
  whatsapp:
    enabled: true
    phone_number_id: "1234567890123456"
    access_token_env: WHATSAPP_ACCESS_TOKEN
    verify_token: "my-secret-verify-token"
    webhook_port: 9443
    allowed_numbers:
      - "+1234567890"
      - "+0987654321"
"""

ENVIRONMENT: Mapping[str, str] = {
    "HOME": "/home/somebody",
    "WHATSAPP_ACCESS_TOKEN": "token-of-the-environment",
    "WHATSAPP_APP_SECRET": "app-secret-of-the-environment",
    "ANTHROPIC_API_KEY": "key-of-the-environment",
}


class ModelSettings(PluginSettings):
    """What an engine with a key might want."""

    class Proxy(BaseModel):
        host: str
        password: SecretStr | None = None

    secret_variables: ClassVar[dict[str, str]] = {"api_key": "ANTHROPIC_API_KEY"}

    model: str = "claude"
    api_key: SecretStr
    base_url: str | None = None
    max_tokens: int = Field(default=1024, ge=1)
    system_prompt: str = ""
    proxy: Proxy | None = None
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    paths: tuple[Path, ...] = ()

    @field_validator("model")
    @classmethod
    def _known(cls, value: str) -> str:
        if value.startswith("gpt"):
            raise ValueError(f"{value} is no model of this maker")
        if value.startswith("llama"):
            raise ValueError("must be a model of this maker")
        return value


class TimeLimitSettings(PluginSettings):
    seconds: float = Field(default=120, gt=0)


class ShoutSettings(PluginSettings):
    mark: str = "!"
    word: SecretStr | None = None


class Broken(Mapping[str, type[BaseModel]]):
    """A catalog with a plugin that cannot be imported."""

    def __getitem__(self, name: str) -> type[BaseModel]:
        raise ConfigError([f"the engine {name} could not be imported"])

    def __iter__(self) -> Iterator[str]:
        return iter(["broken"])

    def __len__(self) -> int:
        return 1


ENGINES: config.Catalog = {"anthropic": ModelSettings, "echo": PluginSettings}
STAGES: config.Catalog = {"time_limit": TimeLimitSettings, "shout": ShoutSettings}
NOTICES = {"lost": "Lost.", "only_text": "Only text.", "otr": "Off.", "help": "{commands}"}


def load(
    folder: Path,
    text: str | bytes,
    environment: Mapping[str, str] = ENVIRONMENT,
    *,
    engines: config.Catalog = ENGINES,
    stages: config.Catalog = STAGES,
) -> config.Settings:
    """Write ``text`` to a file and load it."""
    file = folder / "config.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return config.load(
        file, environment=environment, engines=engines, stages=stages, sentences=NOTICES
    )


def problems(
    folder: Path,
    text: str | bytes,
    environment: Mapping[str, str] = ENVIRONMENT,
    *,
    engines: config.Catalog = ENGINES,
    stages: config.Catalog = STAGES,
) -> list[str]:
    """What is wrong with ``text``, without the name of the file; [] if it is in order."""
    try:
        load(folder, text, environment, engines=engines, stages=stages)
    except ConfigError as error:
        return [problem.replace(f"{folder}/", "") for problem in error.problems]
    return []


def with_line(line: str) -> str:
    """The smallest file, with one more setting of the number (or another value for it)."""
    key = line.partition(":")[0]
    kept = SMALLEST
    if key == "allowed_numbers":
        kept = kept[: kept.index("    allowed_numbers")]
    stem = key.removesuffix("_env")
    lines = [
        old
        for old in kept.splitlines()
        if old.strip().partition(":")[0].removesuffix("_env") != stem
    ]
    return "\n".join([*lines, *(f"    {part}" for part in line.splitlines()), ""])


def with_block(block: str) -> str:
    """The smallest file, with one more block at the top level."""
    return f"{SMALLEST}{block}\n"
