"""Files in pieces, whose handles templates name."""

import itertools
from typing import Any

import pytest

from tests.emulator.graph.desk import Desk, Said, desk

DATA = b"\x00png" * 25


async def begin(sitting: Desk, **changes: str) -> Said:
    query = {"file_name": "a.png", "file_length": "100", "file_type": "image/png", **changes}
    query = {name: value for name, value in query.items() if value}
    return await sitting.post(f"{sitting.account.app_id}/uploads", params=query)


async def piece(sitting: Desk, session_id: str, data: bytes, offset: int = 0) -> Said:
    headers = {"file_offset": str(offset), "Authorization": "OAuth EAAtoken"}
    return await sitting.post(session_id, data=data, headers=headers, token=None)


async def test_a_file_is_taken_at_once_or_in_pieces() -> None:
    async with desk() as sitting:
        for cuts in ((0, 100), (0, 40, 41, 100)):
            session_id = (await begin(sitting)).body["id"]
            assert session_id.startswith("upload:")
            for start, end in itertools.pairwise(cuts):
                assert (await sitting.get(session_id)).body == {
                    "id": session_id,
                    "file_offset": start,
                }
                said = await piece(sitting, session_id, DATA[start:end], start)
                assert said.status == 200
            assert said.body["h"].startswith("4::aW1hZ2UvcG5n:")
        lines = [line.request for line in sitting.emulator.wire.exchanges if line.what == "upload"]
        assert "[100 bytes]" in lines


@pytest.mark.parametrize(
    "changes",
    [
        {"file_length": ""},
        {"file_type": ""},
        {"file_type": "image/gif"},
        {"file_length": "-1"},
        {"file_length": "\u0661"},
        {"file_length": "9" * 5000},
    ],
)
async def test_what_is_no_file_is_refused(changes: dict[str, Any]) -> None:
    async with desk() as sitting:
        assert (await begin(sitting, **changes)).refusal == (400, 100, None)


async def test_only_the_next_bytes_are_taken_and_no_more_than_were_promised() -> None:
    async with desk() as sitting:
        session_id = (await begin(sitting)).body["id"]
        assert (await piece(sitting, session_id, DATA[:40])).status == 200
        for data, offset in ((DATA[:40], 0), (DATA, 40), (DATA[50:], 50)):
            assert (await piece(sitting, session_id, data, offset)).refusal == (400, 100, None)
        assert (await sitting.get(session_id)).body["file_offset"] == 40
        assert (await piece(sitting, "upload:nobody", DATA)).refusal == (400, 100, 33)
        assert (await sitting.get("upload:nobody")).refusal == (400, 100, 33)
        assert (await sitting.post("9/uploads")).refusal == (400, 100, 33)


async def test_of_too_many_the_oldest_is_forgotten() -> None:
    async with desk() as sitting:
        first = (await begin(sitting)).body["id"]
        for _ in range(100):
            last = (await begin(sitting)).body["id"]
        assert (await sitting.get(first)).status == 400
        assert (await sitting.get(last)).status == 200
