"""Ids have the form of those that Meta's own samples show."""

import base64
import re

import pytest

from openparallax.emulator.ids import new_media_id, new_wamid

SAMPLES = {
    "a person's": "wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0RgA=",
    "the business's": "wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBJCOTY3NDc0NDFDRUI3NTA0Q0UA",
}
"""Of Meta's pages on webhooks and sends; both are with 16503879439."""
INSIDE = re.compile(
    rb"\x1c\x18(?P<length>.)(?P<who>[0-9A-Z.]+)\x15\x02\x00(?P<side>.)\x18(?P<number>.[0-9A-F]+)\x00",
    re.DOTALL,
)


def parts(wamid: str) -> dict[str, bytes]:
    found = INSIDE.fullmatch(base64.b64decode(wamid.removeprefix("wamid."), validate=True))
    assert found is not None
    return found.groupdict()


@pytest.mark.parametrize("is_ours", [False, True])
def test_a_wamid_holds_whom_it_is_with_and_a_number(*, is_ours: bool) -> None:
    theirs = parts(SAMPLES["the business's" if is_ours else "a person's"])
    wamid = new_wamid("16503879439", is_ours=is_ours)
    ours = parts(wamid)
    assert (ours["length"], ours["who"], ours["side"]) == tuple(
        theirs[name] for name in ("length", "who", "side")
    )
    for number in (ours["number"], theirs["number"]):
        assert number[0] == len(number) - 1
    assert len(ours["number"]) == len(theirs["number"])
    assert wamid != new_wamid("16503879439", is_ours=is_ours)
    assert parts(new_wamid("US.1"))["who"] == b"US.1"


def test_ids_of_files_are_digits() -> None:
    ids = [new_media_id() for _ in range(3)]
    assert all(re.fullmatch("[0-9]{1,32}", one) for one in ids)
    assert len(set(ids)) == 3
