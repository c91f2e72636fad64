"""Only what was signed with the secret is signed."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openparallax.webhook.signature import Key, speaks_for
from tests.fakes import meta

SECRET = b"test_app_secret"

ANN, BO = frozenset({"1"}), frozenset({"2"})


def is_signed(raw: bytes, header: str | None, secrets: list[bytes]) -> bool:
    return speaks_for(raw, header, [Key(secret, ANN) for secret in secrets]) is not None


# Test vectors of the facts page: computed once from the documented algorithm.
VECTORS = [
    (
        b'{"object":"whatsapp_business_account","entry":[]}',
        "dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756",
    ),
    (
        b'{"object": "whatsapp_business_account", "entry": []}',
        "56cbbaf4961c6cfdae48b7f116c047e5eb513d2c931baae63a2bc1afd26f803a",
    ),
    (
        rb'{"body":"caf\u00e9 \ud83d\ude00 https:\/\/x.y"}',
        "26e87ac3569200a123da7634dfad31ebe39ebe20a9a0c7171c66907b26c721e8",
    ),
]


@pytest.mark.parametrize(("raw", "digest"), VECTORS)
def test_vectors(raw: bytes, digest: str) -> None:
    assert is_signed(raw, f"sha256={digest}", [SECRET])


@given(st.binary(), st.text(min_size=1).filter(lambda text: text.isprintable()))
def test_what_meta_signed_is_signed(raw: bytes, secret: str) -> None:
    header = meta.sign(raw, secret)
    assert is_signed(raw, header, [secret.encode()])
    assert is_signed(raw, header, [b"another", secret.encode()])
    assert is_signed(raw, header, [secret.encode(), b"another"])
    assert not is_signed(raw, header, [b"another", b"and another"])
    assert not is_signed(raw, header, [])


@given(st.binary(min_size=1), st.data())
def test_nothing_with_one_bit_changed_is_signed(raw: bytes, data: st.DataObject) -> None:
    header = meta.sign(raw)

    def flipped(value: bytes) -> bytes:
        bit = data.draw(st.integers(0, len(value) * 8 - 1))
        changed = bytearray(value)
        changed[bit // 8] ^= 1 << bit % 8
        return bytes(changed)

    assert not is_signed(flipped(raw), header, [SECRET])
    assert not is_signed(raw, flipped(header.encode()).decode("latin-1"), [SECRET])
    assert not is_signed(raw, header, [flipped(SECRET)])


GOOD = meta.sign(b"x")


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256=",
        GOOD[:-1],
        GOOD + "0",
        GOOD + " ",
        GOOD.removeprefix("sha256="),
        GOOD.replace("sha256", "sha1"),
        GOOD.replace("=", ":"),
        GOOD.upper(),
        GOOD + "," + GOOD,
        GOOD[:-1] + "é",
        GOOD[:-1] + "\udc80",
        GOOD[:-1] + "\x00",
        "é" * len(GOOD),
    ],
)
def test_a_malformed_header_signs_nothing(header: str | None) -> None:
    assert is_signed(b"x", GOOD, [SECRET])
    assert not is_signed(b"x", header, [SECRET])


def test_a_signature_speaks_for_all_whose_app_it_is() -> None:
    keys = [Key(b"a", ANN), Key(b"b", BO), Key(b"a", frozenset({"3"})), Key(b"c", frozenset())]
    for secret, accounts in (("a", "13"), ("b", "2"), ("c", "")):
        assert speaks_for(b"x", meta.sign(b"x", secret), keys) == frozenset(accounts)
    assert speaks_for(b"x", meta.sign(b"x", "d"), keys) is None
    assert speaks_for(b"x", meta.sign(b"x", "a"), []) is None


def test_each_key_is_tried_whichever_matches(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []
    compare = hmac.compare_digest

    def noted(one: str, other: str) -> bool:
        tried.append(one)
        return compare(one, other)

    monkeypatch.setattr("openparallax.webhook.signature.hmac.compare_digest", noted)
    keys = [Key(secret, ANN) for secret in (b"a", b"b", b"c")]
    for secret in "abcd":
        tried.clear()
        speaks_for(b"x", meta.sign(b"x", secret), keys)
        assert len(tried) == 3


def test_a_key_does_not_show_its_secret() -> None:
    assert "quokka" not in repr(Key(b"quokka", ANN))
