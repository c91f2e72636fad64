"""The search for a word in everything that the daemon wrote down."""

import base64
import json
from pathlib import Path

LEAST = 6
"""Characters; of a shorter word the shortest forms would be found by chance."""


def forms_of(word: str) -> dict[str, bytes]:
    """What ``word`` may look like in a file: by name of the form."""
    raw = word.encode()
    forms = {
        "as it is": raw,
        "in capitals": word.upper().encode(),
        "in small letters": word.lower().encode(),
        "escaped for JSON": json.dumps(word)[1:-1].encode(),
        "in UTF-16": word.encode("utf-16-le"),
        "in UTF-16, turned round": word.encode("utf-16-be"),
        "in hexadecimal": raw.hex().encode(),
        "backwards": raw[::-1],
    }
    for shift in range(3):
        # What surrounds it changes the first and last characters of a base64 text.
        coded = base64.b64encode(b"\0" * shift + raw).rstrip(b"=")
        forms[f"in base64 (shifted by {shift})"] = coded[shift + 1 : -1]
    return forms


def places_of(word: str, folder: Path | None, log: Path | None) -> list[str]:
    """Where ``word`` stands, as ``file: form`` in which it was found first; names count, too.

    What vanishes while it is searched is passed over: temporary files of a database do.
    """
    forms = forms_of(word)
    files = sorted(file for file in folder.rglob("*") if file.is_file()) if folder else []
    if log is not None and log not in files:
        files.append(log)
    found: list[str] = []
    for file in files:
        try:
            written = file.read_bytes()
        except OSError:
            continue
        named = (
            str(file.relative_to(folder)) if folder and file.is_relative_to(folder) else str(file)
        )
        found += [f"{named}: {form}" for form, look in forms.items() if look in written][:1]
        if word in named:
            found.append(f"{named}: in its name")
    return found
