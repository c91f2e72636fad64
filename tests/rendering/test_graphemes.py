import pytest

from openparallax.rendering.graphemes import is_joined

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"

WHOLE = {
    "combining acute": "e\u0301",
    "several marks": "a\u0300\u0316\u0489",
    "windows line end": "\r\n",
    "family": FAMILY,
    "skin tone": "\U0001f44d\U0001f3fd",
    "rainbow flag": "\U0001f3f3\ufe0f\u200d\U0001f308",
    "flag of Germany": "\U0001f1e9\U0001f1ea",
    "flag of Scotland": SCOTLAND,
    "keycap": "1\ufe0f\u20e3",
    "Hangul in parts": "\u1112\u1161\u11ab",
    "Hangul syllable and final": "\uac00\u11a8",
    "Hindi syllable": "\u0928\u093f",
    "Hindi conjunct": "\u0915\u094d\u0937",
    "conjunct with a joiner": "\u0915\u094d\u200d\u0937",
    "Tamil vowel sign": "\u0b95\u0bcb",
    "Thai vowel and tone": "\u0e17\u0e35\u0e48",
    "Thai AM": "\u0e19\u0e33",
    "Arabic with harakat": "\u0645\u064e\u0651",
    "Arabic number sign": "\u0600\u0661",
    "half-width voiced mark": "\uff76\uff9e",
    "mark on a space": " \u0301",
    "lone surrogates side by side": "\ud83d\ude00",
}

APART = {
    "letters": ("a", "b"),
    "letter and space": ("a", " "),
    "line end and mark": ("\n", "\u0301"),
    "two flags": ("\U0001f1e9\U0001f1ea", "\U0001f1eb\U0001f1f7"),
    "two emoji": ("\U0001f600", "\U0001f600"),
    "two families": (FAMILY, FAMILY),
    "Hangul syllables": ("\ud55c", "\uad6d"),
    "Hindi letters": ("\u0915", "\u0937"),
    "joiner and space": ("a\u200d", " "),
    "virama and full stop": ("\u0915\u094d", "."),
    "surrogates the wrong way round": ("\ude00", "\ud83d"),
}


@pytest.mark.parametrize("cluster", WHOLE.values(), ids=WHOLE.keys())
def test_a_cluster_is_joined_throughout(cluster: str) -> None:
    text = f"x{cluster}x"
    joins = [is_joined(text, index) for index in range(1, len(text))]
    assert joins == [False, *[True] * (len(cluster) - 1), False]


@pytest.mark.parametrize(("left", "right"), APART.values(), ids=APART.keys())
def test_clusters_are_apart(left: str, right: str) -> None:
    assert not is_joined(left + right, len(left))


def test_the_ends_of_a_text_are_never_joined() -> None:
    assert not is_joined("\u0301", 0)
    assert not is_joined("e\u0301", 2)
    assert not is_joined("", 0)
