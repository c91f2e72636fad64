"""The points at which the daemon can be told to die are there, and killing works."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from openparallax.session import placement
from tests.torture import child, points
from tests.torture.board import MOST_POINTS, Board
from tests.torture.points import POINTS, MissingPointError, Point, find, install


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    board = Board(tmp_path / "board")
    yield board
    board.close()


@pytest.mark.parametrize("point", POINTS, ids=[point.name for point in POINTS])
def test_each_point_is_a_function_of_the_daemon(point: Point) -> None:
    find(point)


def test_points_have_names_of_their_own() -> None:
    assert len({point.name for point in POINTS}) == len(POINTS) <= MOST_POINTS


@pytest.mark.parametrize(
    "at",
    [
        "inbox.door:Door.admit_no_more",
        "inbox.door:admit",
        "inbox.doors:Door",
        "inbox.door:SAME_NOTICE_S",
    ],
)
def test_a_function_that_was_renamed_is_missed_loudly(at: str) -> None:
    with pytest.raises(MissingPointError, match=at):
        find(replace(POINTS[0], at=at))


def test_waits_that_are_made_shorter_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for place in child.SHORTER:
        module, _, name = place.partition(":")
        here = f"openparallax.{module}.{name}"
        monkeypatch.setattr(here, 100.0)  # and is put back
    child.shorten()
    with pytest.raises(child.MissingWaitError):
        child.shorten()


def test_the_daemon_dies_when_it_passes_the_point_for_the_nth_time(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def later() -> str:
        await asyncio.sleep(0)
        return "done"

    some = (
        Point("before", "session.placement:place", "before"),
        Point("after", "session.placement:go_off", "after"),
    )
    monkeypatch.setattr(points, "POINTS", some)
    house: Any = placement
    monkeypatch.setattr(placement, "place", lambda: "placed")
    monkeypatch.setattr(placement, "go_off", later)
    deaths: list[str] = []
    install(board, lambda: deaths.append("died"))
    board.order(0, 2)
    assert house.place() == "placed"
    assert not deaths
    house.place()
    house.place()
    assert deaths == ["died"]
    assert board.count(0) == (3, 1)
    board.order(1, 1)
    assert asyncio.run(house.go_off()) == "done"
    assert board.count(1) == (1, 1)
    board.order(1, 1)
    board.relent()
    assert not board.is_armed


def test_the_daemon_of_the_suite_is_not_wrapped() -> None:
    for point in POINTS:
        holder, name = find(point)
        assert vars(holder)[name].__module__.startswith("openparallax."), point.name


def test_both_sides_see_the_same_board(tmp_path: Path) -> None:
    ours, theirs = Board(tmp_path / "board"), Board(tmp_path / "board")
    ours.ahead_s = -3600.5
    ours.order(7, 1)
    assert theirs.ahead_s == -3600.5
    assert theirs.passes(7)
    assert ours.count(7) == (1, 1)
    assert not ours.is_armed
    ours.close()
    theirs.close()
