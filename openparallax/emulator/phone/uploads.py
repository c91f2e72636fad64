"""Files that a person sends: chosen in the browser, or one of a few small samples."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from openparallax.emulator.phone.calls import attempt, to_whom, told, who
from openparallax.emulator.phone.fields import Fields, Refused

if TYPE_CHECKING:
    from openparallax.emulator.emulator import Emulator

MEGABYTE: Final = 1024 * 1024
MOST_BYTES: Final = {
    "image": 5 * MEGABYTE,
    "video": 16 * MEGABYTE,
    "audio": 16 * MEGABYTE,
    "sticker": 500 * 1024,
    "document": 100 * MEGABYTE,
}
"""Kind -> what WhatsApp takes of it.

Source:
    Cloud API, media: supported types and sizes.
"""
MOST_UPLOAD: Final = max(MOST_BYTES.values())
MOST_CAPTION = 1024
_CAPTIONED = frozenset({"image", "video", "document"})


def upload(emulator: "Emulator", fields: Fields, data: bytes, mime_type: str) -> dict[str, Any]:
    """A person sends a file; without one, the sample of that kind."""
    kind = fields.one_of("kind", MOST_BYTES)
    person, more = who(emulator, fields), to_whom(emulator, fields)
    caption = fields.optional("caption", most=MOST_CAPTION) if kind in _CAPTIONED else None
    filename = fields.optional("filename", most=240) or ""
    is_voice = kind == "audio" and fields.flag("is_voice")
    if not data:
        data, mime_type, filename = sample(kind)
    if len(data) > MOST_BYTES[kind]:
        raise Refused(f"a {kind} has at most {MOST_BYTES[kind] // 1024} KiB", 413)
    return told(
        attempt(
            lambda: emulator.send_media(
                person,
                kind,
                data,
                mime_type,
                caption=caption,
                filename=filename,
                is_voice=is_voice,
                **more,
            )
        )
    )


def sample(kind: str) -> tuple[bytes, str, str]:
    """A small file of that kind: its bytes, type and name."""
    if kind not in SAMPLES:
        raise Refused(f"there is no sample of a {kind}, and no file was sent")
    name, mime_type = SAMPLES[kind]
    return _read(name), mime_type, name


SAMPLES: Final = {
    "image": ("hills.jpg", "image/jpeg"),
    "audio": ("voice.ogg", "audio/ogg; codecs=opus"),
    "document": ("hello.pdf", "application/pdf"),
}
"""Kind -> file and type. The picture is a drawing, the voice note four plucked strings."""


@cache
def _read(name: str) -> bytes:
    return (Path(__file__).parent / "samples" / name).read_bytes()
