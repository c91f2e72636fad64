"""Reading an upload: parts in any order, no more than may be, of a kind that may be."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from openparallax.emulator.graph.errors import GraphError
from openparallax.emulator.graph.fields import missing
from openparallax.emulator.graph.reading import readable

MIB = 1024 * 1024
MOST_BYTES = 100 * MIB
MOST_FIELD = 4096
MOST_PARTS = 20
UPLOAD_S = 120.0
"""How long an upload may take to arrive."""

_DOCUMENT = (
    "application/vnd.ms-powerpoint",
    "application/msword",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/pdf",
    "text/plain",
    "application/vnd.ms-excel",
)
LIMITS: Final[dict[str, int]] = {
    "audio/aac": 16 * MIB,
    "audio/mp4": 16 * MIB,
    "audio/mpeg": 16 * MIB,
    "audio/amr": 16 * MIB,
    "audio/ogg": 16 * MIB,
    "audio/opus": 16 * MIB,
    **dict.fromkeys(_DOCUMENT, MOST_BYTES),
    "image/jpeg": 5 * MIB,
    "image/png": 5 * MIB,
    # Of an animated sticker; a static one may have 100 KB. Which of them it is, nobody looks.
    "image/webp": 500 * 1024,
    "video/mp4": 16 * MIB,
    "video/3gpp": 16 * MIB,
}
"""MIME type -> most bytes. Source: facts, section 2.3; the types in the order of Meta's message."""


@dataclass(frozen=True, slots=True)
class Upload:
    """What was uploaded.

    Attributes:
        mime_type: As the file's own part says, parameters included.
    """

    mime_type: str
    data: bytes = field(repr=False)
    filename: str = field(repr=False)


async def read_upload(request: web.BaseRequest) -> Upload:
    """Read the body of ``POST /{phone_number_id}/media``; never more than `MOST_BYTES` of a file.

    The file's type is what its part says; what the field ``type`` says does not help a part that
    says nothing or ``application/octet-stream``: MissaelAnda/laravel-whatsapp#4. Unsure.

    Raises:
        GraphError: 100: not multipart, a part is missing, or a type that is not taken, in Meta's
            words; 131053: too large, where both code and words are unsure.
    """
    try:
        async with asyncio.timeout(UPLOAD_S):
            return await _read(await request.multipart())
    except TimeoutError:
        raise GraphError(100, "The request body did not arrive", http_status=408) from None
    except (GraphError, asyncio.CancelledError, ConnectionError, web.HTTPException):
        raise
    except (ValueError, AssertionError, LookupError, RuntimeError, HttpProcessingError) as error:
        # What aiohttp's reader raises on multipart that is none depends on how it is broken.
        raise GraphError(100, "The request body is not multipart/form-data") from error


async def _read(reader: MultipartReader) -> Upload:
    fields: dict[str, str] = {}
    upload: Upload | None = None
    for _ in range(MOST_PARTS):
        part = await reader.next()
        if part is None:
            break
        if not isinstance(part, BodyPartReader):
            raise GraphError(100, "The request body holds multipart within multipart")
        if part.name == "file" and part.filename is not None:
            said = part.headers.get("Content-Type", "application/octet-stream")
            mime_type = readable(said).strip()
            data = await _bytes_of(part, MOST_BYTES)
            upload = Upload(mime_type, data, readable(part.filename[:240]))
        elif part.name:
            raw = await _bytes_of(part, MOST_FIELD)
            fields[part.name[:64]] = raw.decode("utf-8", "replace")
    if fields.get("messaging_product") != "whatsapp":
        raise missing("messaging_product")
    if upload is None:
        raise missing("file")
    _check(upload)
    return upload


async def _bytes_of(part: BodyPartReader, most: int) -> bytes:
    data = bytearray()
    while chunk := await part.read_chunk(64 * 1024):
        data += chunk
        if len(data) > most:
            raise _too_large(len(data), most)
    return bytes(data)


def _check(upload: Upload) -> None:
    kind = upload.mime_type.partition(";")[0].strip().lower()
    most = LIMITS.get(kind)
    if most is None:
        raise GraphError(
            100,
            message="(#100) Param file must be a file with one of the following types: "
            f"{', '.join(LIMITS)}. Received file of type '{kind[:100]}'.",
        )
    if not upload.data:
        raise GraphError(100, message="(#100) Param file must not be empty.")
    if len(upload.data) > most:
        raise _too_large(len(upload.data), most)


def _too_large(size: int, most: int) -> GraphError:
    return GraphError(131053, f"The file is too large: {size} bytes or more; at most {most}.")
