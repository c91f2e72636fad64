import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openparallax.graph import errors
from openparallax.graph.errors import CODES, classify, meaning, what_to_do
from openparallax.model.outcomes import ErrorClass

SLOW, AMBIGUOUS, ACCOUNT, WINDOW, RECIPIENT, OURS = (
    ErrorClass.SLOW,
    ErrorClass.AMBIGUOUS,
    ErrorClass.ACCOUNT,
    ErrorClass.WINDOW,
    ErrorClass.RECIPIENT,
    ErrorClass.OURS,
)

EXPECTED = {
    SLOW: {4, 80007, 80008, 130429, 131056},
    AMBIGUOUS: {1, 2, 131000, 131016, 133004},
    WINDOW: {131047},
    ACCOUNT: {
        *{0, 3, 10, 33, 190, 368, 131005, 131031, 131037, 131042, 131044, 131045, 131048},
        *{131057, 131064, 133000, 133005, 133006, 133008, 133009, 133010, 133015, 133016, 134011},
    },
    RECIPIENT: {
        *{130403, 130472, 130497, 131021, 131026, 131030, 131049, 131050, 131062, 137000},
    },
    OURS: {
        *{100, 131008, 131009, 131051, 131052, 131053, 131055, 131060, 131063, 135000},
        *{132000, 132001, 132005, 132007, 132008, 132012, 132015, 132016, 132018, 132068, 132069},
        *{134100, 134101, 134102},
    },
}
ALL = [(code, which) for which, codes in EXPECTED.items() for code in sorted(codes)]


@pytest.mark.parametrize(("code", "expected"), ALL)
@pytest.mark.parametrize("http_status", [200, 400, 401, 403, 429, 500, 503])
def test_a_known_code_decides_whatever_the_status(
    code: int, expected: ErrorClass, http_status: int
) -> None:
    assert classify(code, http_status) is expected
    assert meaning(code)


def test_the_table_has_these_codes_and_no_others() -> None:
    assert set(CODES) == {code for code, _ in ALL}


@pytest.mark.parametrize("code", [200, 210, 299])
def test_permission_errors_are_a_block_of_numbers(code: int) -> None:
    assert classify(code) is ACCOUNT
    assert "System User" in what_to_do(code)


@pytest.mark.parametrize(
    ("code", "http_status", "expected"),
    [
        (999999, 400, OURS),
        (999999, 403, OURS),
        (999999, 429, SLOW),
        (999999, 408, AMBIGUOUS),
        (999999, 500, AMBIGUOUS),
        (999999, 503, AMBIGUOUS),
        (999999, 200, AMBIGUOUS),
        (300, 400, OURS),
        (199, 400, OURS),
    ],
)
def test_an_unknown_code_leaves_it_to_the_status(
    code: int, http_status: int, expected: ErrorClass
) -> None:
    assert classify(code, http_status) is expected


def test_an_unknown_code_of_a_failed_status_is_final() -> None:
    assert classify(999999) is OURS


@pytest.mark.parametrize(
    ("http_status", "expected"),
    [
        (301, ACCOUNT),
        (308, ACCOUNT),
        (400, OURS),
        (401, ACCOUNT),
        (403, ACCOUNT),
        (404, ACCOUNT),
        (405, ACCOUNT),
        (407, ACCOUNT),
        (408, AMBIGUOUS),
        (410, ACCOUNT),
        (413, OURS),
        (429, SLOW),
        (500, AMBIGUOUS),
        (502, AMBIGUOUS),
        (504, AMBIGUOUS),
    ],
)
def test_without_a_code_something_else_than_graph_answered(
    http_status: int, expected: ErrorClass
) -> None:
    assert classify(None, http_status) is expected


@given(st.integers(), st.integers(100, 599))
def test_only_codes_known_to_be_refused_first_or_a_429_may_be_repeated(
    code: int, http_status: int
) -> None:
    if classify(code, http_status) is SLOW:
        assert code in EXPECTED[SLOW] or http_status == 429


@pytest.mark.parametrize("code", [*sorted(EXPECTED[ACCOUNT]), 131030])
def test_where_a_person_must_act_it_says_how(code: int) -> None:
    assert CODES[code].to_do
    assert what_to_do(code) == f"{CODES[code].meaning}: {CODES[code].to_do}"


@pytest.mark.parametrize("code", [100, 999999, None])
def test_there_is_always_something_to_say(code: int | None) -> None:
    assert what_to_do(code)
    assert meaning(code)


def test_an_expired_token_is_told_in_plain_words() -> None:
    assert re.match(
        r"the access token has expired .*: make a new System User token", what_to_do(190)
    )


def test_no_code_is_written_twice() -> None:
    # A dict display keeps the last of two equal keys in silence.
    source = Path(errors.__file__).read_text(encoding="utf-8")
    keys = re.findall(r"^    (\d+|PAIR_RATE): Fact", source, re.MULTILINE)
    assert len(keys) == len(set(keys)) == len(CODES)
