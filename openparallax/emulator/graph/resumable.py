"""Uploads in pieces, for the samples of templates: ``/{app_id}/uploads`` and ``upload:…``."""

import base64
import secrets
from dataclasses import dataclass, field
from typing import Final

from openparallax.emulator.graph.asked import Answer, Asked, Routes
from openparallax.emulator.graph.errors import GraphError
from openparallax.emulator.graph.fields import missing, no_object
from openparallax.emulator.world import World

PREFIX: Final = "upload:"
TYPES: Final = ("application/pdf", "image/jpeg", "image/jpg", "image/png", "video/mp4")
MOST_BYTES: Final = 100 * 1024 * 1024
MOST_SESSIONS: Final = 100


@dataclass(slots=True)
class Session:
    """One file under way; of a whole one only the handle is kept.

    Attributes:
        received: Bytes so far.
    """

    length: int
    mime_type: str
    received: int = 0
    handle: str = field(default="", repr=False)


class Resumable:
    """Counts the bytes of files and gives handles; what is in them nobody reads.

    Source:
        Meta's page on the Resumable Upload API. Unsure: what is said to a piece that is not the
        last, or is not the next. That a template names a handle that there is, is not looked at.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._sessions: dict[str, Session] = {}

    def routes(self) -> Routes:
        return {("POST", "uploads"): self._begin}

    async def _begin(self, asked: Asked) -> Answer:
        if asked.node != self._world.account.app_id:
            raise no_object(asked.method, asked.node)
        said = {**asked.query, **asked.json()}
        length, mime_type = str(said.get("file_length", "")), said.get("file_type")
        for name in ("file_length", "file_type"):
            if not said.get(name):
                raise missing(name)
        if not (length.isascii() and length.isdecimal() and 0 < int(length[:12]) <= MOST_BYTES):
            raise GraphError(100, message="(#100) Param file_length must be a number of bytes.")
        if not isinstance(mime_type, str) or mime_type not in TYPES:
            known = ", ".join(TYPES)
            raise GraphError(100, message=f"(#100) Param file_type must be one of {{{known}}}")
        session_id = PREFIX + secrets.token_urlsafe(24)
        self._sessions[session_id] = Session(int(length), mime_type)
        if len(self._sessions) > MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        return Answer({"id": session_id})

    def describe(self, asked: Asked) -> Answer:
        """How far it is, for whoever was cut off."""
        session = self._of(asked)
        return Answer({"id": asked.node, "file_offset": session.received})

    def take(self, asked: Asked) -> Answer:
        """The next bytes; the handle once all are there."""
        session = self._of(asked)
        offset = asked.request.headers.get("file_offset") or asked.query.get("file_offset", "0")
        if offset != str(session.received):
            raise GraphError(100, message=f"(#100) Param file_offset must be {session.received}.")
        if session.received + len(asked.body) > session.length:
            raise GraphError(100, message="(#100) The file is longer than its file_length.")
        session.received += len(asked.body)
        if session.received < session.length:
            return self.describe(asked)
        session.handle = session.handle or _handle(session.mime_type)
        return Answer({"h": session.handle})

    def _of(self, asked: Asked) -> Session:
        session = self._sessions.get(asked.node)
        if session is None:
            raise no_object(asked.method, asked.node)
        return session


def _handle(mime_type: str) -> str:
    """As those that are quoted in public look."""
    kind = base64.b64encode(mime_type.encode("ascii")).decode("ascii")
    return f"4::{kind}:AR{secrets.token_urlsafe(48)}"
