"""A word that nobody else says, and the search for it in everything that was written down."""

import base64
import json
import secrets
from pathlib import Path

from tests.town import Town


class Canary:
    """A word for one test: random, so that it stands in no source file and no earlier test's dust.

    It has letters outside ASCII, so that an escaped form differs from the plain one, and a core of
    plain hexadecimal digits, which most encodings leave as it is.

    Attributes:
        words: What is said.
        core: The part that gives it away.
    """

    def __init__(self) -> None:
        self.core = f"c{secrets.token_hex(8)}"
        self.words = f"żółta {self.core} ßird 🐤"

    def __str__(self) -> str:
        return self.words

    def forms(self) -> dict[str, bytes]:
        """What it may look like in a file, by a name for the failure."""
        core = self.core.encode()
        forms = {
            "core": core,
            "upper case": core.upper(),
            "backwards": core[::-1],
            "hexadecimal": core.hex().encode(),
            "utf-8": self.words.encode(),
            "json": json.dumps(self.words).encode(),
            "utf-16-le": self.core.encode("utf-16-le"),
            "utf-16-be": self.core.encode("utf-16-be"),
        }
        for shift in range(3):
            # The middle of a base64 text depends only on where in a group of three it began.
            coded = base64.b64encode(b"\0" * shift + core).rstrip(b"=")
            forms[f"base64, shift {shift}"] = coded[shift + 1 : -1]
        return forms

    def found_in(self, written: bytes) -> list[str]:
        """The names of the forms in which it stands in ``written``."""
        return [name for name, form in self.forms().items() if form in written]


def written_by(town: Town) -> dict[str, bytes]:
    """Everything the house has written: each file of the state folder, their names, and the log."""
    files = [file for file in sorted(town.state.rglob("*")) if file.is_file()]
    return {
        **{file.name: file.read_bytes() for file in files},
        "the names of the files": "\n".join(str(file) for file in files).encode(),
        "the log": town.log.getvalue().encode(),
    }


def heard_singing(town: Town, *canaries: Canary) -> list[str]:
    """Where a canary was written down, as ``file: form``; empty is what is wanted."""
    return [
        f"{place}: {form}"
        for place, written in written_by(town).items()
        for canary in canaries
        for form in canary.found_in(written)
    ]


def singing_in(folder: Path, *canaries: Canary) -> list[str]:
    """The same for every file below ``folder``."""
    return [
        f"{file.name}: {form}"
        for file in sorted(folder.rglob("*"))
        if file.is_file()
        for canary in canaries
        for form in canary.found_in(file.read_bytes())
    ]
