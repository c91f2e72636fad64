"""Phone numbers: one key for all spellings of the same line, and the other spelling. Pure."""

import re

_MEXICO_MOBILE = re.compile(r"521(\d{10})", re.ASCII)
_ARGENTINA_MOBILE = re.compile(r"549(\d{10})", re.ASCII)
_BRAZIL = re.compile(r"55(\d{2})9?([6-9]\d{7})", re.ASCII)
_ADDED = (
    (re.compile(r"(55\d{2})(9?)([6-9]\d{7})", re.ASCII), "9"),
    (re.compile(r"(52)(1?)(\d{10})", re.ASCII), "1"),
    (re.compile(r"(54)(9?)(\d{10})", re.ASCII), "9"),
)
"""By country, the digit that a mobile's number has in one spelling and lacks in the other."""


def digits_of(number: str) -> str:
    """The digits of a number as people or Meta write it."""
    if number.isdigit() and number.isascii():
        return number
    return "".join(c for c in number if "0" <= c <= "9")


def match_key(digits: str) -> str:
    """The form under which spellings of one line meet; for matching only, never sent to.

    Brazilian mobiles with and without the ninth digit, Mexican ones with and without the 1,
    Argentinian ones with and without the 9 are one line each. Brazilian landlines (the eight
    digits begin with 2 to 5) are left alone, or a mobile would meet a landline.

    Source:
        Facts on the numbers of Brazil, Mexico and Argentina; Cloud API, phone number formats.
    """
    if found := _BRAZIL.fullmatch(digits):
        return f"55{found[1]}{found[2]}"
    if found := _MEXICO_MOBILE.fullmatch(digits):
        return f"52{found[1]}"
    if found := _ARGENTINA_MOBILE.fullmatch(digits):
        return f"54{found[1]}"
    return digits


def alternate_form(digits: str) -> str | None:
    """The other spelling of a number of Brazil, Mexico or Argentina, None where there is none.

    Of the other spelling it is the number itself again. For sending, once the spelling that Meta
    gave was refused; what is not all digits (a business-scoped id, say) has no other spelling.
    In Argentina the form without the 9 may be somebody's landline.

    Source:
        Facts on the numbers of Brazil, Mexico and Argentina; with a test number's list of
        recipients Meta accepts only one of the two.
    """
    for spelling, added in _ADDED:
        if found := spelling.fullmatch(digits):
            before, has_it, rest = found.groups()
            return f"{before}{rest}" if has_it else f"{before}{added}{rest}"
    return None
