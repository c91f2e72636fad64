"""Answers as models write them, and how they look on a phone.

To write the pages anew after a change, run with ``REFRESH_GALLERY=1``, and read the difference.
"""

import os
from pathlib import Path

import pytest

from openparallax.rendering.markdown import render
from openparallax.rendering.split import split
from tests.rendering import phone

GALLERY = Path(__file__).parent / "gallery"
ANSWERS = sorted(GALLERY.glob("*.md"))


@pytest.mark.parametrize("answer", ANSWERS, ids=[answer.stem for answer in ANSWERS])
def test_an_answer_looks_as_it_did(answer: Path) -> None:
    page = answer.with_suffix(".txt")
    shown = render(answer.read_text(encoding="utf-8")) + "\n"
    if os.environ.get("REFRESH_GALLERY"):
        page.write_text(shown, encoding="utf-8")
    assert shown == page.read_text(encoding="utf-8")


@pytest.mark.parametrize("answer", ANSWERS, ids=[answer.stem for answer in ANSWERS])
def test_an_answer_in_parts_looks_the_same(answer: Path) -> None:
    shown = render(answer.read_text(encoding="utf-8"))
    parts = split(shown, 300)
    assert all(len(part.encode("utf-16-le")) <= 600 for part in parts)
    assert [it for part in parts for it in phone.read(part) if not it.character.isspace()] == [
        it for it in phone.read(shown) if not it.character.isspace()
    ]


def test_the_gallery_is_whole() -> None:
    assert len(ANSWERS) >= 30
    assert {page.stem for page in GALLERY.glob("*.txt")} == {answer.stem for answer in ANSWERS}
