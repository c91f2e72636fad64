"""What came beside the words, there and back."""

from hypothesis import given
from hypothesis import strategies as st

from openparallax.model.messages import Details
from openparallax.transcript.details import Kept, parse_details, render_details

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
details = st.builds(
    Details,
    choice_id=words,
    is_forwarded=st.booleans(),
    is_forwarded_often=st.booleans(),
    product=words,
    referral=st.dictionaries(words, words, max_size=3),
)
hashes = st.integers(-(2**63), 2**63 - 1)


@given(details, hashes, hashes)
def test_there_and_back(one: Details, quoted_in: int, quoted_out: int) -> None:
    assert parse_details(render_details(one, quoted_in, quoted_out)) == Kept(one)


@given(hashes, hashes)
def test_hashes_stand_for_what_is_quoted(quoted_in: int, quoted_out: int) -> None:
    wamid = "wamid.HBgNNDkxNTExMjM0NTY3OA"
    text = render_details(Details(quoted=wamid), quoted_in, quoted_out)
    assert wamid not in text.words
    assert parse_details(text) == Kept(Details(), quoted_in, quoted_out)


def test_reprs_show_none_of_it() -> None:
    one = Details("canary", "canary", product="canary", referral={"body": "canary"})
    for shown in (one, render_details(one, 1, 2), parse_details(render_details(one, 1, 2))):
        assert "canary" not in repr(shown)
