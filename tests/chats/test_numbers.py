"""One key for all spellings of a line, and none for two lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openparallax.chats.numbers import alternate_form, digits_of, match_key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5511987654321", "551187654321"),  # Sao Paulo, with and without the ninth digit
        ("5531987654321", "553187654321"),  # Belo Horizonte: mostly registered without it
        ("5585968574321", "558568574321"),
        ("5215512345678", "525512345678"),  # Mexico City, wa_id and dialable
        ("5491123456789", "541123456789"),  # Buenos Aires
    ],
)
def test_spellings_of_one_line_meet(one: str, other: str) -> None:
    assert match_key(one) == match_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5511987654321", "5521987654321"),  # another area
        ("5511987654321", "5511987654322"),
        ("551123456789", "5511923456789"),  # a landline, and a newer mobile that keeps the 9
        ("551152345678", "5511952345678"),
        ("5215512345678", "5215512345679"),
        ("5491123456789", "5491123456788"),
        ("15215512345678", "1525512345678"),  # begins with another country's code
        ("55119876543210", "5511987654321"),  # a digit too many
        ("4915112345678", "15112345678"),
    ],
)
def test_two_lines_stay_two(one: str, other: str) -> None:
    assert match_key(one) != match_key(other)


@pytest.mark.parametrize(
    "number",
    ["551123456789", "5511923456789", "4915112345678", "525512345678", "541123456789", "5", ""],
)
def test_what_has_one_spelling_is_left_as_it_is(number: str) -> None:
    assert match_key(number) == number


@given(st.text("0123456789", max_size=16))
def test_a_key_is_its_own_key(digits: str) -> None:
    assert match_key(match_key(digits)) == match_key(digits)


@given(
    st.from_regex(r"55[1-9][1-9][6-9][0-9]{7}|5[24][1-9][0-9]{9}", fullmatch=True).filter(
        lambda number: not number.startswith(("521", "549"))
    )
)
def test_the_added_digit_makes_no_difference(number: str) -> None:
    place = {"55": 4, "52": 2, "54": 2}[number[:2]]
    added = {"55": "9", "52": "1", "54": "9"}[number[:2]]
    assert match_key(number[:place] + added + number[place:]) == match_key(number)


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("+49 (151) 1234-5678", "4915112345678"),
        ("4915112345678", "4915112345678"),
        ("٤٩١٥", ""),  # other digits are not digits of a number as Meta writes it
        ("\uff14\uff19", ""),
        ("US.13491208655302741918", "13491208655302741918"),
        ("", ""),
    ],
)
def test_digits_of_a_number_as_people_write_it(written: str, digits: str) -> None:
    assert digits_of(written) == digits


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5511987654321", "551187654321"),
        ("5511998765432", "551198765432"),  # eight digits that begin with 9
        ("5215512345678", "525512345678"),
        ("5491123456789", "541123456789"),
    ],
)
def test_the_other_spelling_of_the_other_spelling_is_the_number(one: str, other: str) -> None:
    assert alternate_form(one) == other
    assert alternate_form(other) == one


@pytest.mark.parametrize(
    "address",
    [
        "551123456789",  # a landline of Brazil
        "5511923456789",  # a mobile that always keeps the 9
        "55119876543210",
        "52155123456789",
        "54911234567890",
        "15215512345678",
        "4915112345678",
        "+5511987654321",
        "BR.5511987654321",
        "MX.ENT.5215512345678",
        "55119876\u0665\u0664321",
        "",
    ],
)
def test_what_has_no_other_spelling(address: str) -> None:
    assert alternate_form(address) is None


@given(st.from_regex(r"55[1-9][1-9]9?[6-9][0-9]{7}|521?[0-9]{10}|549?[0-9]{10}", fullmatch=True))
def test_both_spellings_are_one_line(number: str) -> None:
    other = alternate_form(number)
    assert other is not None
    assert other != number
    assert alternate_form(other) == number
    assert match_key(other) == match_key(number)
