"""Numbers and the allow-list: one person's spellings meet, two people's never do."""

from openparallax.chats.allowed import AllowList
from openparallax.chats.ids import NUMBER, number_of
from openparallax.chats.numbers import alternate_form, digits_of, match_key
from openparallax.config.numbers import normalise_number
from openparallax.model.messages import Sender
from tests.fuzz.draws import Draws
from tests.fuzz.target import Target

_DIGITS = frozenset("0123456789")
_MOBILE_IN_BRAZIL = frozenset("6789")


def try_numbers(data: bytes) -> None:
    """Two spellings, one for the list and one for a sender."""
    draws = Draws(data)
    listed, wrote = draws.text(40), draws.text(40)
    found = _normalised(listed)
    digits, other = digits_of(listed), digits_of(wrote)
    for one in (digits, other):
        # As it is, and with the digit that Brazil, Mexico and Argentina may add.
        for spelt in (one, f"{one[:4]}9{one[4:]}", f"{one[:2]}1{one[2:]}", f"{one[:2]}9{one[2:]}"):
            _assert_keyed(spelt)
    if found is None:
        return
    assert _normalised(found) == found, f"normalised twice is not once: {found}"
    if not found.isdigit():
        _assert_id(found, wrote)
        return
    assert 7 <= len(found) <= 15
    assert set(found) <= _DIGITS
    assert _normalised(f"+{found}") == found
    allowed = AllowList([found])
    assert allowed.lets_in(Sender(wa_id=found))
    sender = Sender(wa_id=wrote or None)
    is_same = _line(other) == _line(found) if other and not _has_letter(wrote) else False
    assert allowed.lets_in(sender) is is_same, f"{found} and {wrote!r}"
    assert not allowed.lets_in(Sender(user_id=found, parent_user_id=found))


def _normalised(spelling: str) -> str | None:
    try:
        return normalise_number(spelling)
    except ValueError as refusal:
        odd = [part for part in spelling.split() if len(part) > 3 and part in str(refusal)]
        assert not [part for part in odd if part not in _SENTENCE], "the entry is quoted"
        return None


def _assert_keyed(digits: str) -> None:
    key = match_key(digits)
    assert match_key(key) == key
    assert (key == digits) or len(digits) - len(key) == 1
    assert key == _line(digits)
    other = alternate_form(digits)
    if other is not None:
        assert other != digits
        assert match_key(other) == key
        assert alternate_form(other) == digits
    if digits:
        assert number_of(Sender(wa_id=digits)) == NUMBER + key


def _assert_id(found: str, wrote: str) -> None:
    allowed = AllowList([found])
    assert allowed.lets_in(Sender(user_id=found))
    assert not allowed.lets_in(Sender(wa_id=found))
    assert allowed.lets_in(Sender(user_id=wrote or None)) is (wrote == found)


def _has_letter(wrote: str) -> bool:
    return any(character.isalpha() for character in wrote)


def _line(digits: str) -> str:
    """Whose line it is, written down once more from the facts, without patterns."""
    country, rest = digits[:2], digits[2:]
    if country == "55" and len(rest) == 11 and rest[2] == "9" and rest[3] in _MOBILE_IN_BRAZIL:
        return country + rest[:2] + rest[3:]
    if country == "52" and len(rest) == 11 and rest[0] == "1":
        return country + rest[1:]
    if country == "54" and len(rest) == 11 and rest[0] == "9":
        return country + rest[1:]
    return digits


_SENTENCE = (
    "is neither a telephone number with its country code (seven to fifteen digits, such as"
    ' "+1 555 000 1111") nor a business-scoped user id (such as "US.123…")'
)


def _pair(listed: str, wrote: str) -> bytes:
    one, other = listed.encode(), wrote.encode()
    return bytes([len(one)]) + one + bytes([len(other)]) + other


def _seeds() -> list[bytes]:
    spellings = [
        *("+49 (0)151 1234-5678", "004915112345678", "5511987654321", "551187654321"),
        "+5491123456789",
        *("541123456789", "5215512345678", "525512345678", "US.13491208655302741918", "US.ENT.1"),
        "٤٩١٥١١٢٣٤٥٦",
        *("\u202a+49 151 12345678\u202c", "+1/555.000.1111", "+0987654321", "1234567"),
        "+123456789012345",
        *("+00 49 151 1234567", "0049151", "+ (0) 49 30 1234567", "\uff0b4930123456"),
        "551123456789",
    ]  # fmt: skip
    return [_pair(one, other) for one in spellings for other in spellings[::3]]


NUMBERS = Target(
    "numbers", try_numbers, _seeds, ["+49", "00", "(0)", "55", "521", "549", "US.ENT."]
)
