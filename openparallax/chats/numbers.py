"""Phone numbers: one key for all spellings of the same line. Pure."""

import re

_MEXICO_MOBILE = re.compile(r"521(\d{10})")
_ARGENTINA_MOBILE = re.compile(r"549(\d{10})")
_BRAZIL = re.compile(r"55(\d{2})9?([6-9]\d{7})")


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
