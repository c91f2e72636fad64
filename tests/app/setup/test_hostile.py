"""What others wrote is nothing to trust: answers from Graph's address, and files."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from openparallax.app.setup.existing import left_behind
from openparallax.app.setup.meta import Meta
from openparallax.app.setup.word import Level, worst
from tests.doctor.front import Front, listening

TOKEN = "EAA" + "x" * 100
ODD = "\x1b]0;yours\x07\u202e"


def answering(**bodies: Any) -> Front:
    """Graph, in what ends so; a list anywhere else."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response(bodies.get(request.path.rpartition("/")[2], {"data": []}))

    return Front(instead=answer)


@pytest.mark.parametrize("scopes", [7, "whatsapp_business_messaging", None, {"a": 1}, [[1]]])
async def test_scopes_that_are_none(scopes: object) -> None:
    said = {"data": {"is_valid": True, "app_id": "1", "type": "SYSTEM_USER", "scopes": scopes}}
    async with listening(answering(debug_token=said)) as port:
        found = await Meta(f"http://127.0.0.1:{port}", "v25.0").token(TOKEN, "1", "s" * 32)
    assert worst(found.said) is Level.DOUBT
    assert "lacks the permission" in found.said[0].says


async def test_only_what_is_an_id_goes_into_an_address_or_a_file() -> None:
    granted = [{"scope": "whatsapp_business_messaging", "target_ids": ["../../me", 5, ODD, "77"]}]
    token = {"data": {"is_valid": True, "app_id": "1", "granular_scopes": granted}}
    rows = [{"id": one, "verified_name": ODD} for one in (ODD, "../1", None, "9" * 99, "123")]
    front = answering(debug_token=token, phone_numbers={"data": rows})
    async with listening(front) as port:
        meta = Meta(f"http://127.0.0.1:{port}", "v25.0")
        found = await meta.token(TOKEN, "1", "s" * 32)
        numbers = await meta.numbers(TOKEN, found.accounts)
    assert found.accounts == ("5", "77")
    assert [(one.id, one.waba_id) for one in numbers] == [("123", "77")]
    assert all(one.name.isprintable() for one in numbers)


LEFT: dict[str, Callable[[Path], object]] = {
    "deep": lambda path: path.write_text("[" * 100_000),
    "of no kind": lambda path: path.write_bytes(bytes(range(256))),
    "a pipe": os.mkfifo,
    "a folder": lambda path: path.mkdir(),
    "a list": lambda path: path.write_text("[1]"),
    "endless": lambda path: path.symlink_to("/dev/zero"),
    "what commands the terminal": lambda path: path.write_text(json.dumps({"app_id": ODD})),
    "long": lambda path: path.write_text(json.dumps({"app_id": "1" * 5_000})),
    "no text": lambda path: path.write_text(json.dumps({"app_id": [1], "engine": None})),
}


@pytest.mark.parametrize("make", LEFT.values(), ids=LEFT)
def test_answers_left_behind_by_somebody_else(
    make: Callable[[Path], object], tmp_path: Path
) -> None:
    place = tmp_path / "init.json"
    make(place)
    assert left_behind(place) == {}


def test_answers_left_behind(tmp_path: Path) -> None:
    place = tmp_path / "init.json"
    place.write_text(json.dumps({"app_id": "123", "app_secret": "never offered"}))
    assert left_behind(place) == {"app_id": "123"}
