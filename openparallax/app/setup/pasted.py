"""What was pasted, judged by its form: cleaned, or refused in a sentence that says what it is.

Nothing here asks anybody. No sentence repeats a secret.
"""

import re
import unicodedata
from dataclasses import dataclass, field

QUOTES = "\"'`\u00b4\u201c\u201d\u201e\u2018\u2019\u201a\u00ab\u00bb"
_BULLETS = frozenset("\u2022\u25cf\u00b7*\u2219\u26ab")
_ASSIGNMENT = re.compile(r"(?:export\s+)?[A-Za-z_][A-Za-z0-9_]*\s*=\s*(?=\S)")
_HEADER = re.compile(r"(?:authorization\s*:\s*)?bearer\s+", re.IGNORECASE)
_HEX_32 = re.compile(r"[0-9a-fA-F]{32}")
_ID_IN_ADDRESS = re.compile(r"[?&/](?:apps/|app_id=|waba_id=|asset_id=|phone_number_id=)([0-9]+)")
_SPELT_AS_NUMBER = re.compile(r"^(?:[+(]|00)|[0-9][\s().\u2010-\u2015/-]+[0-9]")
_IN_GROUPS = re.compile(r"[1-9][0-9 ]*")
_LEAST_ID = 14
"""Digits; Meta's ids of numbers and accounts have 15 or more, telephone numbers at most 15."""


class Wrong(Exception):  # noqa: N818 - an answer to whoever pasted it, no fault of ours
    """It cannot be that; the message is a sentence for the person, without the value.

    Attributes:
        is_doubt: It only looks wrong; whoever insists may be right.
    """

    def __init__(self, sentence: str, *, is_doubt: bool = False) -> None:
        super().__init__(sentence)
        self.is_doubt = is_doubt


@dataclass(frozen=True, slots=True)
class Pasted:
    """A value as it is to be used.

    Attributes:
        notes: What was mended or looks odd, each a sentence.
    """

    value: str = field(repr=False)
    notes: tuple[str, ...] = ()


# -- secrets --------------------------------------------------------------------------------------


def access_token(text: str) -> Pasted:
    """A token as Meta shows it; raises `Wrong`."""
    bare, notes = _secret(text)
    if "|" in bare:
        raise Wrong(
            "This is an app's own token (its id, a bar and its secret). It cannot send messages:"
            " make one of a system user."
        )
    if _HEX_32.fullmatch(bare):
        raise Wrong(
            "This looks like the app secret: 32 characters of 0-9 and a-f. A token begins with EAA"
            " and is much longer."
        )
    if bare.isdecimal():
        raise Wrong("This is an id. A token begins with EAA and has some 200 letters and digits.")
    if bare.startswith("sk-"):
        raise Wrong("This looks like a key of an engine, not like a token of Meta's.")
    if not bare.startswith("EAA"):
        notes = (*notes, "Meta's tokens begin with EAA; this one does not.")
    return Pasted(bare, notes)


def app_secret(text: str) -> Pasted:
    """The secret that Meta signs with: 32 hexadecimal digits; raises `Wrong`."""
    if text.strip() and set(text.strip()) <= _BULLETS:
        raise Wrong("These are the dots that stand in its place: press Show beside it, then copy.")
    bare, notes = _secret(text)
    if bare.startswith("EAA"):
        raise Wrong("This is an access token. The app secret stands in App settings, Basic.")
    if bare.isdecimal() and len(bare) != 32:
        raise Wrong("This is an id. The app secret stands below it, behind Show.")
    if not _HEX_32.fullmatch(bare):
        odd = "" if len(bare) == 32 else f"; this has {len(bare)}"
        raise Wrong(
            f"An app secret is 32 characters, each one of 0-9 and a-f{odd}. Copy it again from App"
            " settings, Basic (press Show)."
        )
    if bare != bare.lower():
        notes = (*notes, "It is written in small letters, as Meta does.")
    return Pasted(bare.lower(), notes)


def verify_token(text: str) -> Pasted:
    """A text of one's own; raises `Wrong`."""
    bare, notes = unwrapped(text)
    if not bare:
        raise Wrong("It is empty.")
    if not bare.isascii() or not bare.isprintable() or " " in bare:
        raise Wrong("Take letters, digits and marks without spaces: Meta sends it in an address.")
    return Pasted(bare, notes)


def engine_key(text: str) -> Pasted:
    """A key of whatever provider; raises `Wrong`."""
    bare, notes = _secret(text)
    if bare.startswith("EAA"):
        raise Wrong("This is an access token of Meta's, not a key of the engine's provider.")
    return Pasted(bare, notes)


def plain(text: str) -> Pasted:
    """Any text that is one; raises `Wrong`."""
    bare, notes = unwrapped(text)
    if not bare:
        raise Wrong("It is empty.")
    return Pasted(bare, notes)


def _secret(text: str) -> tuple[str, tuple[str, ...]]:
    bare, notes = unwrapped(text)
    if any(c.isspace() for c in bare):
        bare = "".join(bare.split())
        notes = (*notes, "Spaces and line breaks inside it were left out.")
    if not bare:
        raise Wrong("It is empty.")
    if bare.endswith(("...", "\u2026")):
        raise Wrong("It ends with dots, so it was cut off: copy it with the button beside it.")
    if set(bare) <= _BULLETS:
        raise Wrong("These are the dots that stand in its place: have it shown first, then copy.")
    if not (bare.isascii() and bare.isprintable()):
        raise Wrong("It holds a letter that no token has: copy it again.")
    return bare, notes


def unwrapped(text: str) -> tuple[str, tuple[str, ...]]:
    """Without what comes along when something is copied from a page, a shell or a program."""
    bare = _visible(text).strip()
    notes: tuple[str, ...] = ()
    if (found := _ASSIGNMENT.match(bare)) and "|" not in bare[: found.end()]:
        bare = bare[found.end() :]
        notes = (*notes, "The name and the = before it were left out.")
    unquoted = bare.strip(QUOTES + " \t\r\n,;")
    if found := _HEADER.match(unquoted):
        unquoted = unquoted[found.end() :].strip(QUOTES + " ")
        notes = (*notes, '"Bearer" before it was left out.')
        bare = bare.strip(QUOTES + " \t\r\n,;")
    if unquoted != bare and any(mark in bare for mark in QUOTES):
        notes = (*notes, "The quotes round it were left out.")
    return unquoted, notes


def _visible(text: str) -> str:
    """Without marks that nobody sees; line breaks stay."""
    return "".join(c for c in text if c.isspace() or unicodedata.category(c) not in {"Cf", "Cc"})


# -- ids ------------------------------------------------------------------------------------------


def app_id(text: str) -> Pasted:
    """The id of an app; raises `Wrong`."""
    found = _id(text, "App ID")
    if _HEX_32.fullmatch(found.value):
        raise Wrong("This is the app secret. The App ID stands above it and is digits only.")
    return _digits(found, "App ID")


def phone_number_id(text: str, *, app: str = "", account: str = "") -> Pasted:
    """The id of a number, and not the number; raises `Wrong`."""
    found = _id(text, "phone number ID")
    if _is_spelt_as_number(text):
        raise Wrong(
            "This is the telephone number itself. Wanted is Meta's id of it: some 15 digits, on the"
            " same page, under the number."
        )
    found = _digits(found, "phone number ID")
    if app and found.value == app:
        raise Wrong("This is the App ID. The phone number ID stands in API Setup, under From.")
    if account and found.value == account:
        raise Wrong("This is the account's id. The phone number ID stands before it.")
    if len(found.value) < _LEAST_ID:
        raise Wrong(
            "This looks like the telephone number itself: Meta's ids have 15 digits or more. The"
            " id stands on the same page, under the number.",
            is_doubt=True,
        )
    return found


def waba_id(text: str, *, app: str = "", number: str = "") -> Pasted:
    """The id of a WhatsApp business account; raises `Wrong`."""
    found = _id(text, "account's id")
    if _is_spelt_as_number(text):
        raise Wrong("This is a telephone number. Wanted is the id of the account that holds it.")
    found = _digits(found, "account's id")
    if number and found.value == number:
        raise Wrong(
            "This is the phone number ID once more. The account's id stands beside it: WhatsApp"
            " Business Account ID, or Messaging account ID."
        )
    if app and found.value == app:
        raise Wrong("This is the App ID. The account's id stands in API Setup, beside the number.")
    return found


def _is_spelt_as_number(text: str) -> bool:
    """As people write telephone numbers, and nobody an id; groups of many digits may be one."""
    bare = text.strip()
    if _IN_GROUPS.fullmatch(bare) and len(bare.replace(" ", "")) >= _LEAST_ID:
        return False
    return "://" not in bare and _SPELT_AS_NUMBER.search(bare) is not None


def _id(text: str, what: str) -> Pasted:
    if found := _ID_IN_ADDRESS.search(text):
        return Pasted(found[1], (f"The {what} was taken out of the address.",))
    bare, notes = unwrapped(text)
    if bare.startswith("EAA"):
        raise Wrong(f"This is an access token. The {what} is digits only.")
    return Pasted(bare, notes)


def _digits(found: Pasted, what: str) -> Pasted:
    bare = "".join(found.value.split())
    if not bare:
        raise Wrong("It is empty.")
    if not (bare.isascii() and bare.isdecimal() and len(bare) <= 40):
        raise Wrong(f"The {what} is digits only, as the dashboard shows it.")
    return Pasted(bare, found.notes)
