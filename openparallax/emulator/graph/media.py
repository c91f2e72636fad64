"""Files: uploaded by the bot or sent by people, fetched from an address that expires."""

import hashlib
import hmac
import re
import secrets
from base64 import b64encode
from typing import Any
from urllib.parse import urlencode

from openparallax.emulator.graph.asked import Answer, Asked, Routes
from openparallax.emulator.graph.errors import GraphError
from openparallax.emulator.graph.fields import no_object
from openparallax.emulator.graph.uploading import read_upload
from openparallax.emulator.ids import new_media_id
from openparallax.emulator.world import Medium, World

DAY_S = 86_400.0
UPLOADED_S = 30 * DAY_S
ADDRESS_S = 300
"""How long an address is good for. Source: facts, section 11."""
ADDRESS_PATH = "whatsapp_business/attachments"
MOST_FILES = 1_000
MOST_BYTES = 512 * 1024 * 1024
"""Of all files together: they are in memory, and a run may be long. The oldest go first."""
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class Media:
    """Keeps files in memory.

    Attributes:
        base_url: Where the emulator listens; addresses of files begin with it.
    """

    def __init__(self, world: World) -> None:
        self.base_url = ""
        self._world = world
        self._key = secrets.token_bytes(32)

    def routes(self) -> Routes:
        """The edge of uploads, and the addresses of files, which carry no version."""
        return {("POST", "media"): self._upload, ("GET", ADDRESS_PATH): self._fetch}

    def keep(
        self, number_id: str, mime_type: str, data: bytes, *, lasts_s: float, filename: str = ""
    ) -> Medium:
        """Put a file into the world; what has expired goes, and the oldest of too many."""
        now = self._world.clock.now()
        media = self._world.media
        for old in [one.id for one in media.values() if one.expires_at <= now]:
            del media[old]
        medium = Medium(
            id=new_media_id(),
            number_id=number_id,
            mime_type=mime_type,
            data=data,
            expires_at=now + lasts_s,
            filename=filename,
        )
        media[medium.id] = medium
        size = sum(len(one.data) for one in media.values())
        while len(media) > 1 and (len(media) > MOST_FILES or size > MOST_BYTES):
            oldest = media.pop(next(iter(media)))
            size -= len(oldest.data)
        return medium

    def find(self, media_id: str) -> Medium | None:
        """The file, unless it has expired."""
        medium = self._world.media.get(media_id)
        if medium is None or medium.expires_at <= self._world.clock.now():
            return None
        return medium

    def address(self, medium: Medium) -> str:
        """An address of the file, valid for five minutes; each call makes a new one."""
        ends = str(int(self._world.clock.now()) + ADDRESS_S)
        nonce = secrets.token_urlsafe(6)
        query = {"mid": medium.id, "ext": ends, "hash": nonce + self._mac(medium.id, ends, nonce)}
        return f"{self.base_url}/{ADDRESS_PATH}/?{urlencode(query)}"

    def as_webhook(self, medium: Medium) -> dict[str, Any]:
        """What stands in a webhook under the type's own name.

        Source:
            ``url`` since 2026 (facts, section 11). ``sha256`` in base64: seen in webhooks that are
            quoted in public (WhatsApp-Business-API-Setup-Scripts#73); unsure whether always.
        """
        digest = b64encode(hashlib.sha256(medium.data).digest()).decode("ascii")
        described = {"mime_type": medium.mime_type, "sha256": digest, "id": medium.id}
        if medium.filename:
            described["filename"] = medium.filename
        return {**described, "url": self.address(medium)}

    # what `Nodes` asks for an id that is a file's

    def describe(self, asked: Asked) -> Answer:
        """Where the file can be fetched.

        Source:
            facts, section 11. ``sha256`` in hex, as examples of this call show it: unsure.
        """
        medium = self._own(asked)
        return Answer(
            {
                "url": self.address(medium),
                "mime_type": medium.mime_type,
                "sha256": hashlib.sha256(medium.data).hexdigest(),
                "file_size": len(medium.data),
                "id": medium.id,
                "messaging_product": "whatsapp",
            }
        )

    def delete(self, asked: Asked) -> Answer:
        del self._world.media[self._own(asked).id]
        return Answer({"success": True})

    def _own(self, asked: Asked) -> Medium:
        """The file, if it is of the number that the request may name; unsure how Meta says no."""
        medium = self.find(asked.node)
        number_id = asked.query.get("phone_number_id")
        if medium is None or (number_id is not None and number_id != medium.number_id):
            raise no_object(asked.method, asked.node)
        return medium

    async def _upload(self, asked: Asked) -> Answer:
        number = self._world.account.number(asked.node)
        if number is None:
            raise no_object(asked.method, asked.node)
        asked.exchange.what = "media · upload"
        upload = await read_upload(asked.request)
        medium = self.keep(
            number.id,
            upload.mime_type,
            upload.data,
            lasts_s=UPLOADED_S,
            filename=upload.filename,
        )
        return Answer({"id": medium.id})

    async def _fetch(self, asked: Asked) -> Answer:
        """The file itself, whole or in part; 404 once the address has expired."""
        asked.exchange.what = "media · download"
        media_id, ends = asked.query.get("mid", ""), asked.query.get("ext", "")
        nonce, mac = asked.query.get("hash", "")[:8], asked.query.get("hash", "")[8:]
        is_ours = hmac.compare_digest(
            mac.encode("utf-8", "replace"), self._mac(media_id, ends, nonce).encode("ascii")
        )
        medium = self.find(media_id)
        if not is_ours or medium is None or int(ends) <= self._world.clock.now():
            raise GraphError(
                100, message="Media not found or its address has expired", http_status=404
            )
        headers = {
            "Content-Type": medium.mime_type,
            "Accept-Ranges": "bytes",
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
            # A page that somebody uploaded must not run beside the phone.
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Content-Disposition": "attachment",
        }
        return _part(medium.data, asked.request.headers.get("Range", ""), headers)

    def _mac(self, media_id: str, ends: str, nonce: str) -> str:
        said = f"{media_id}\n{ends}\n{nonce}".encode("utf-8", "replace")
        return hmac.new(self._key, said, hashlib.sha256).hexdigest()[:32]


def _part(data: bytes, wanted: str, headers: dict[str, str]) -> Answer:
    """All of it, or the one range that is asked for; several, or what is no range: all of it."""
    size = len(data)
    found = _RANGE.fullmatch(wanted.strip())
    if found is None or found.groups() == ("", ""):
        return Answer(data, headers=headers)
    first, last = found.groups()
    if first:
        start, end = int(first), min(int(last) if last else size - 1, size - 1)
        if last and int(last) < start:
            return Answer(data, headers=headers)
    else:
        start, end = max(size - int(last), 0), size - 1
    if start > end:
        return Answer(b"", 416, {**headers, "Content-Range": f"bytes */{size}"})
    cut = {**headers, "Content-Range": f"bytes {start}-{end}/{size}"}
    return Answer(data[start : end + 1], 206, cut)
