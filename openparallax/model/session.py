"""A session: one conversation of one chat, in one mode for life."""

from enum import IntEnum

from openparallax.model.noun import noun
from openparallax.model.text import SessionId


class Mode(IntEnum):
    """Whether words are written down. The numbers stand in the database."""

    ON_THE_RECORD = 0
    OFF_THE_RECORD = 1

    @property
    def label(self) -> str:
        """The name that people and logs see, such as ``on the record``."""
        return self.name.lower().replace("_", " ")


@noun(frozen=True, slots=True)
class Session:
    """One conversation of one chat; its mode never changes."""

    id: SessionId
    mode: Mode
