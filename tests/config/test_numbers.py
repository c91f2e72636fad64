import pytest
from hypothesis import given
from hypothesis import strategies as st

from openparallax.config import normalise_number


@pytest.mark.parametrize(
    ("spelling", "normalised"),
    [
        ("+1234567890", "1234567890"),
        ("+0987654321", "0987654321"),
        ("+1 (555) 000-1111", "15550001111"),
        ("1-555-000-1111", "15550001111"),
        ("+1.555.000.1111", "15550001111"),
        ("0049 30 901820", "4930901820"),
        ("+49 (0)30 901820", "4930901820"),
        ("+00 49 30 901820", "4930901820"),  # both ways of saying that a country code follows
        ("(00) 49 30 901820", "4930901820"),
        ("+49 30/901820", "4930901820"),
        ("+44\u00a020\u200a7946\u20110958", "442079460958"),
        ("\u202a+1 555 000 1111\u202c", "15550001111"),
        ("+\u0661\u0662\u0663\u0664\u0665\u0666\u0667", "1234567"),
        ("US.13491208655302741918", "US.13491208655302741918"),
        ("US.ENT.aB3", "US.ENT.aB3"),
        (" DE.x ", "DE.x"),
    ],
)
def test_spellings(spelling: str, normalised: str) -> None:
    assert normalise_number(spelling) == normalised


@pytest.mark.parametrize(
    "spelling",
    [
        "",
        "+",
        "+1 555",
        "123456",
        "1" * 16,
        "+1 555 000 1111 x5",
        "++15550001111",
        "1555+0001111",
        "us.123",
        "USA.123",
        "US.",
        "US.ENT.",
        "US." + "a" * 129,
        "US.12-3",
        "tel:+15550001111",
        "somebody",
        "²²²²²²²²",
    ],
)
def test_what_is_no_number_is_refused_and_not_repeated(spelling: str) -> None:
    with pytest.raises(ValueError, match="neither a telephone number") as raised:
        normalise_number(spelling)

    with pytest.raises(ValueError, match="neither a telephone number") as other:
        normalise_number("something else")
    assert str(raised.value) == str(other.value)


@given(
    digits=st.text("0123456789", min_size=7, max_size=15).filter(lambda d: not d.startswith("00")),
    marks=st.lists(st.sampled_from([" ", "-", ".", "/", "\u00a0", "\u2009", "\u2013", "\u200e"])),
    data=st.data(),
)
def test_marks_between_the_digits_change_nothing(
    digits: str, marks: list[str], data: st.DataObject
) -> None:
    spelt = digits
    for mark in marks:
        at = data.draw(st.integers(0, len(spelt)))
        spelt = spelt[:at] + mark + spelt[at:]

    assert normalise_number("+" + spelt) == digits
    assert normalise_number(normalise_number("+" + spelt)) == digits


@given(st.text())
def test_anything_is_either_normalised_or_refused(spelling: str) -> None:
    try:
        normalised = normalise_number(spelling)
    except ValueError:
        return
    assert normalised.isascii()
    assert "." in normalised or 7 <= len(normalised) <= 15


@given(st.text("+0(0)49 -\u0660\u0661", max_size=24))
def test_what_is_normalised_is_so_already(spelling: str) -> None:
    try:
        found = normalise_number(spelling)
    except ValueError:
        return
    assert normalise_number(found) == found
