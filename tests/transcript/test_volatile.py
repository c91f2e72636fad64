"""The room without doors: bounds, forgetting, and that it writes nothing."""

import ast

from hypothesis import given
from hypothesis import strategies as st

from openparallax.model.entry import Role
from openparallax.model.session import Mode, Session
from openparallax.model.text import SessionId
from openparallax.transcript import volatile as module
from openparallax.transcript.volatile import VolatileTranscript
from tests.transcript.rooms import entry


def session(number: int) -> Session:
    return Session(SessionId(number), Mode.OFF_THE_RECORD)


def test_it_gives_nothing_to_write() -> None:
    room = VolatileTranscript(history_entries=8)
    words = entry(session(1), 1, Role.CONTACT, "canary")
    assert room.keep(words) == ()
    assert room.close_turn(session(1), [1]) == ()
    assert not room.outlives_the_process


def test_it_imports_nothing_that_could_write() -> None:
    """The import contract says the same; this holds where import-linter is not installed."""
    assert module.__file__ is not None
    with open(module.__file__, encoding="utf-8") as source:  # noqa: PTH123 - a test reads a source
        tree = ast.parse(source.read())
    imported = {
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= {
        "collections",
        "collections.abc",
        "openparallax.model.entry",
        "openparallax.model.session",
        "openparallax.model.text",
        "openparallax.model.turn",
        "openparallax.transcript",
    }
    called = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not called & {"open", "print", "__import__", "exec", "eval"}


async def test_a_session_keeps_its_newest_words() -> None:
    room = VolatileTranscript(history_entries=100, session_characters=30, all_characters=1000)
    for number in range(1, 8):
        room.hold(entry(session(1), number, Role.CONTACT, "x" * 10))
    found = [await room.read(session(1), number, 0) for number in range(1, 8)]
    assert [text is not None for text in found] == [False] * 4 + [True] * 3


async def test_the_session_longest_unused_pays_for_all() -> None:
    room = VolatileTranscript(history_entries=100, session_characters=100, all_characters=100)
    room.hold(entry(session(1), 1, Role.CONTACT, "x" * 40))
    room.hold(entry(session(2), 2, Role.CONTACT, "x" * 40))
    room.hold(entry(session(1), 3, Role.CONTACT, "x" * 20))
    room.hold(entry(session(3), 4, Role.CONTACT, "x" * 30))
    assert await room.read(session(2), 2, 0) is None
    assert await room.read(session(1), 1, 0) is not None
    assert await room.read(session(3), 4, 0) is not None


async def test_one_text_that_is_too_long_is_kept_until_the_next() -> None:
    room = VolatileTranscript(history_entries=8, session_characters=10, all_characters=10)
    room.hold(entry(session(1), 1, Role.CONTACT, "x" * 50))
    assert await room.read(session(1), 1, 0) is not None
    room.hold(entry(session(1), 2, Role.CONTACT, "y"))
    assert await room.read(session(1), 1, 0) is None
    assert await room.read(session(1), 2, 0) is not None


async def test_forgetting_is_complete_and_may_be_repeated() -> None:
    room = VolatileTranscript(history_entries=8)
    room.hold(
        entry(session(1), 1, Role.CONTACT, "canary"), entry(session(2), 2, Role.CONTACT, "other")
    )
    room.forget(SessionId(1))
    room.forget(SessionId(1))
    assert await room.read(session(1), 1, 0) is None
    assert await room.history(session(1), 9) == ()
    assert set(room.sessions()) == {2}
    assert "canary" not in str(vars(room))
    assert room._characters == len("other")


step = st.tuples(
    st.sampled_from(["hold", "again", "forget"]),
    st.integers(1, 4),
    st.integers(1, 12),
    st.integers(0, 25),
)


@given(st.lists(step, max_size=60))
def test_the_bounds_hold_whatever_comes(steps: list[tuple[str, int, int, int]]) -> None:
    room = VolatileTranscript(history_entries=8, session_characters=50, all_characters=120)
    for what, number, turn, length in steps:
        if what == "forget":
            room.forget(SessionId(number))
            continue
        words = entry(session(number), turn, Role.CONTACT, "x" * length)
        room.hold(words)
        if what == "again":
            room.hold(words)
        held = room._sessions[SessionId(number)]
        if (turn, 0) >= max(held.entries):
            assert held.entries[turn, 0] is words, "what was said last is there"
        counted = {
            one: sum(len(kept.text) for kept in held.entries.values())
            for one, held in room._sessions.items()
        }
        assert counted == {one: held.characters for one, held in room._sessions.items()}
        assert sum(counted.values()) == room._characters <= 120
        assert all(characters <= 50 for characters in counted.values())
