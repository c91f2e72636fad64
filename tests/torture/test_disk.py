"""What is found in the folder of a dead daemon, and in its file."""

import base64
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.torture.book import Allowed, Book
from tests.torture.canary import Canary
from tests.torture.daemon import file_of_schema
from tests.torture.disk import Disk
from tests.torture.programme import ECHO, FORGET, WORDS, Message, Programme, Step

CANARY = Canary.of(1)
NOTHING = Allowed(frozenset(), frozenset(), frozenset())
OFF = Allowed(frozenset({2}), frozenset({3}), frozenset())
ASKED = CANARY.asked(2)
ANSWERED = ASKED.replace("q0002", "a0002")


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    house = tmp_path / "house"
    house.mkdir()
    (house / "log").write_text("nothing to see\n")
    database = house / "state" / "openparallax.db"
    file_of_schema(database, 3)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executescript(
            "PRAGMA synchronous = OFF; BEGIN;"
            "INSERT INTO accounts (id, phone_number_id) VALUES (1, '1');"
            "INSERT INTO contacts (id) VALUES (1);"
            "INSERT INTO chats (id, account, contact, address, session) VALUES (1, 1, 1, '49', 1);"
            "INSERT INTO sessions (id, chat, mode, opened_at) VALUES (1, 1, 0, 1); COMMIT;"
        )
    return Disk(house, database, CANARY)


def test_all_is_well(disk: Disk) -> None:
    disk.look(NOTHING)
    assert disk.problems == {}
    assert disk.looks == 1


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("state/openparallax.db-wal", ASKED.encode()),
        ("state/backup", f"before {ANSWERED} behind".encode()),
        ("tmp", ASKED.upper().encode()),
        ("core", ANSWERED.encode("utf-16-le")),
        ("core", base64.b64encode(b"x" + ASKED.encode())),
        ("core", ASKED.encode().hex().encode()),
        (f"state/{ASKED}", b""),
        ("state/other", CANARY.asked(3).encode()),
        ("log", CANARY.asked(1).encode()),  # on the record, too
        ("log", CANARY.core.encode()),
    ],
)
def test_words_are_found_wherever_they_are(disk: Disk, name: str, written: bytes) -> None:
    (disk.folder / name).write_bytes(written)
    disk.look(OFF)
    assert any(problem.startswith("leak: ") for problem in disk.problems)


@pytest.mark.parametrize("written", [CANARY.asked(1), CANARY.asked(3).replace("q", "a", 1)])
def test_words_that_may_be_there_are_let_be(disk: Disk, written: str) -> None:
    (disk.folder / "state" / "other").write_text(written)
    disk.look(OFF)
    assert disk.problems == {}


_ENVELOPE = (
    "INSERT INTO envelopes (number, chat, session, mode, errand, sent_at, window_until, state,"
    " turn) VALUES ({}, 1, {}, {}, {}, 1, 1, {}, {});"
)
_PARCEL = (
    "INSERT INTO parcels (number, chat, session, mode, turn, part, state, window_until, created_at)"
    " VALUES ({}, {}, 1, 0, 1, 1, {}, 1, 1);"
)
_WORDS = "INSERT INTO transcript VALUES (1, 1, 1, {}, 4, 1, 'x', 1);"
_RUNNING = _ENVELOPE.format(1, 1, 0, "'/help'", 1, 1) + _ENVELOPE.format(2, 1, 0, "'/help'", 1, 2)
_SENDING = _WORDS.format(1) + _PARCEL.format(1, 1, 1) + _PARCEL.format(2, 1, 2)
_OFF = "INSERT INTO sessions (id, chat, mode, state, opened_at) VALUES (2, 1, 1, 2, 1);"


@pytest.mark.parametrize(
    "change",
    [
        _ENVELOPE.format(1, 9, 0, "'/help'", 0, "NULL"),
        _ENVELOPE.format(1, 1, 1, "'/help'", 0, "NULL"),
        _ENVELOPE.format(1, 1, 0, "'turn'", 0, "NULL"),
        _WORDS.format(1) + _PARCEL.format(1, 9, 0),
        _PARCEL.format(1, 1, 0),
        "UPDATE chats SET session = 9",
        "UPDATE sessions SET state = 2",
        "INSERT INTO sessions (chat, mode, state, opened_at) VALUES (1, 0, 1, 1)",
        "DROP TRIGGER no_words_off_the_record;" + _OFF + _WORDS.format(2),
        "DROP INDEX one_turn_per_chat;" + _RUNNING,
        "DROP INDEX one_send_per_chat;" + _SENDING,
    ],
)
def test_a_file_that_breaks_a_rule_is_found(disk: Disk, change: str) -> None:
    with closing(sqlite3.connect(disk.database)) as connection, connection:
        connection.executescript(change)
    disk.look(NOTHING)
    assert len(disk.problems) == 1
    assert next(iter(disk.problems)).startswith("file: ")


def test_a_broken_file_is_found(disk: Disk) -> None:
    whole = disk.database.read_bytes()
    disk.database.write_bytes(whole[:4096] + b"\xff" * 4096 + whole[8192:])
    disk.look(NOTHING)
    assert disk.problems


def test_what_was_acknowledged_must_be_there(disk: Disk) -> None:
    must = Allowed(frozenset(), frozenset(), frozenset({1}))
    disk.look(must)
    assert list(disk.problems) == ["lost: message 1 was acknowledged and is not on disk"]
    disk.problems.clear()
    with closing(sqlite3.connect(disk.database)) as connection, connection:
        connection.executemany(
            "INSERT INTO transcript VALUES (?, ?, ?, 1, ?, 1, ?, 1)",
            [(1, 1, 0, 2, CANARY.asked(1)), (2, 2, -1, 7, CANARY.asked(2))],
        )
    disk.look(Allowed(frozenset(), frozenset(), frozenset({1, 2})))  # 2 is a person's of ours
    assert disk.problems == {}


def test_what_may_stand_on_disk_depends_on_what_was_acknowledged() -> None:
    requests = (
        (Message(1, 0, WORDS, 5),),
        (Message(2, 0, "/otr words", 3),),
        (Message(3, 0, "/help words", 6),),
        (Message(4, 0, "revoke", 7, of=1),),
    )
    book = Book(Programme(1, 1, tuple(Step("post", (one,)) for one in requests)))

    def allowed() -> list[set[int]]:
        now = book.allowed()
        return [set(now.forbidden), set(now.gone), set(now.required)]

    assert allowed() == [{3}, set(), set()]
    first, second, third, fourth = (group[0] for group in book.groups)
    first.sent, first.taken = 1.0, 1.1
    assert allowed() == [{3}, set(), {1}]
    second.sent = 2.0  # moved off the record or not yet; what comes with /otr never is
    assert allowed() == [{2, 3}, set(), set()]
    second.taken = 2.1
    assert allowed() == [{1, 2, 3}, set(), set()]
    third.sent = third.taken = 3.0
    fourth.sent = fourth.taken = 4.0
    assert allowed() == [{1, 2, 3}, {1}, set()]


def test_what_was_too_much_or_is_forgotten_may_not_stand_there() -> None:
    requests = (
        (Message(1, 0, WORDS, 1), Message(2, 0, ECHO, 2)),
        (Message(3, 0, WORDS, 2), Message(4, 0, WORDS, 2)),
        (Message(5, 0, FORGET, 3),),
    )
    steps = tuple(Step("post", (one,)) for one in requests)
    book = Book(Programme(1, 1, steps, takeover_s=0, limit=2))
    first, second, third = (group[0] for group in book.groups)
    first.sent, first.taken = 1.0, 1.1
    second.sent, second.taken = 3.0, 3.1

    def allowed() -> list[set[int]]:
        now = book.allowed()
        return [set(now.forbidden), set(now.required)]

    assert allowed() == [{4}, {1, 2, 3}]
    book.ends = [(2.0, 2.1)]  # which forgets what was counted before
    assert allowed() == [set(), {1, 2, 3, 4}]
    book.ends = [(2.0, 3.0)]  # perhaps before 3 came, perhaps behind it
    assert allowed() == [set(), {1, 2, 3}]
    book.ends = []
    third.sent = 4.0  # nobody knows
    assert allowed() == [{4}, set()]
    third.taken, third.tries = 4.1, 2
    assert allowed() == [{1, 2, 3, 4}, set()]
