"""The search for words in files."""

import base64
import json
from pathlib import Path

import pytest

from openparallax.emulator.scenario.disk import places_of

WORDS = "żółta canary 🐤"
FORMS = {
    "as it is": WORDS.encode(),
    "in capitals": WORDS.upper().encode(),
    "escaped for JSON": json.dumps(WORDS).encode(),
    "in UTF-16": WORDS.encode("utf-16-le"),
    "in UTF-16, turned round": WORDS.encode("utf-16-be"),
    "in hexadecimal": WORDS.encode().hex().encode(),
    "backwards": WORDS.encode()[::-1],
    "in base64 (shifted by 0)": base64.b64encode(b"abc" + WORDS.encode() + b"."),
    "in base64 (shifted by 1)": base64.b64encode(b"a" + WORDS.encode() + b"."),
    "in base64 (shifted by 2)": base64.b64encode(b"ab" + WORDS.encode() + b"."),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_found(tmp_path: Path, form: str) -> None:
    file = tmp_path / "deep" / "a.db"
    file.parent.mkdir()
    file.write_bytes(b"\0before" + FORMS[form] + b"after\xff")
    assert places_of(WORDS, tmp_path, None) == [f"deep/a.db: {form}"]


def test_log_and_names_are_looked_at_and_nothing_else_found(tmp_path: Path) -> None:
    state, log = tmp_path / "state", tmp_path / "log"
    state.mkdir()
    assert places_of("canary", state, log) == []
    log.write_text("a canary sang")
    (state / "canary.txt").write_text("nothing")
    (state / "gone").symlink_to(tmp_path / "nowhere")
    assert places_of("canary", state, log) == ["canary.txt: in its name", f"{log}: as it is"]
    assert places_of("parrot", state, log) == []
    assert places_of("canary", None, None) == []
