"""What has been read of one request so far, and the count of what could not be."""

from typing import TypeVar

from openparallax.model.messages import (
    Echo,
    Inbound,
    News,
    Preference,
    Relink,
    StatusUpdate,
)

NOT_ITS_NUMBER = "not_its_number"
"""Counted for what names a number of ours whose app did not sign the request."""

_MAX_NAMES = 64
"""Different names counted for one request; the rest goes under ``other``."""

_MAX_NEWS = 1000
"""News kept of one request: Meta sends at most so many updates in one."""

_Noun = TypeVar("_Noun")


class Gathered:
    """Lists to be filled.

    Args:
        others: Phone number ids of ours that the request may not speak for.
    """

    __slots__ = (
        "echoes",
        "messages",
        "news",
        "others",
        "preferences",
        "relinks",
        "statuses",
        "unsupported",
    )

    def __init__(self, others: frozenset[str]) -> None:
        self.others = others
        self.messages: list[Inbound] = []
        self.statuses: list[StatusUpdate] = []
        self.echoes: list[Echo] = []
        self.relinks: list[Relink] = []
        self.preferences: list[Preference] = []
        self.news: list[News] = []
        self.unsupported: dict[str, int] = {}

    def take(self, read: _Noun | str, into: list[_Noun]) -> None:
        """Keep what was read, or count the name of why it could not be."""
        if isinstance(read, str):
            self.miss(read)
        else:
            into.append(read)

    def tell(self, news: News) -> None:
        if len(self.news) < _MAX_NEWS:
            self.news.append(news)
        else:
            self.miss("too_much_news")

    def miss(self, name: str, times: int = 1) -> None:
        if not times:
            return
        if (
            name not in self.unsupported
            and len(self.unsupported) >= _MAX_NAMES
            and name != NOT_ITS_NUMBER
        ):
            name = "other"
        self.unsupported[name] = self.unsupported.get(name, 0) + times
