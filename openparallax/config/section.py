"""What every block of settings has in common."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A block of settings."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    secret_variables: ClassVar[dict[str, str]] = {}
    """Secret -> environment variable that is read when the file says nothing of it."""
    credential_prefix: ClassVar[str] = ""
    """Begins the name of the credential that an unnamed secret is looked up as."""
    told_apart_by: ClassVar[str] = ""
    """The setting whose value follows that prefix, where there may be several such blocks."""
    left_to_plugins: ClassVar[frozenset[str]] = frozenset()
    """Keys whose shape only a plugin's own model knows."""
