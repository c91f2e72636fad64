"""What is looked up costs the same however much is stored: counted in SQLite's own steps."""

from collections.abc import Callable

from openparallax.storage import overview, usage
from openparallax.storage.database import Connection
from tests.storage.rows import empty_file

FEW, MANY = 20, 2_000
ROWS = (
    "INSERT INTO accounts (id, phone_number_id) VALUES (1, '1'), (2, '2')",
    "INSERT INTO contacts (id) SELECT i FROM n",
    "INSERT INTO aliases (account, value, contact) SELECT 1, 'n:' || i, i FROM n",
    "INSERT INTO aliases (account, value, contact) SELECT 1, 'w:n:' || i || '<5', i FROM n",
    "INSERT INTO chats (id, account, contact, address, session) SELECT i, 1, i, '', i FROM n",
    "INSERT INTO sessions (id, chat, mode, opened_at) SELECT i, i, 0, 0 FROM n",
    "INSERT INTO transcript SELECT i, i, 0, i, 2, 0, 'word', 0 FROM n",
    "INSERT INTO session_turns (session, turn) SELECT i, i FROM n",
    "INSERT INTO usage (day, chat, model, kind, tokens) SELECT i % 3, i, '', 'in', 5 FROM n",
)
ASKED: dict[str, Callable[[Connection], object]] = {
    "by an alias": lambda c: overview.chats_known_by(c, ["n:7"], None),
    "by an alias with one number": lambda c: overview.chats_known_by(c, ["n:7"], "1"),
    "by a number left": lambda c: overview.chats_that_left(c, "n:7", None),
    "a page": lambda c: overview.page(c, None, 0, 10),
    "a chat": lambda c: overview.chats(c, [7]),
    "its sessions": lambda c: overview.sessions(c, 7),
    "its aliases": lambda c: overview.aliases_of(c, 7),
    "what was said": lambda c: overview.said(c, 7, 1 << 60, 10),
    "what it spent": lambda c: usage.of_chat(c, 7),
}


def filled(count: int) -> Connection:
    connection = empty_file()
    connection.execute("CREATE TEMP TABLE n (i INTEGER PRIMARY KEY)")
    connection.executemany("INSERT INTO n VALUES (?)", [(i,) for i in range(1, count + 1)])
    for row in ROWS:
        connection.execute(row)
    return connection


def steps(connection: Connection, ask: Callable[[Connection], object]) -> tuple[int, object]:
    """How many steps SQLite took, and what was found."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    connection.set_progress_handler(step, 1)
    found = ask(connection)
    connection.set_progress_handler(None, 1)
    return count, found


def test_looking_up_does_not_grow_with_what_is_stored() -> None:
    few, many = filled(FEW), filled(MANY)
    grown = {}
    for name, ask in ASKED.items():
        steps_few, found = steps(few, ask)
        steps_many, found_too = steps(many, ask)
        assert found, name
        assert found == found_too, name
        if steps_many > steps_few * 1.5:
            grown[name] = (steps_few, steps_many)
    assert grown == {}
    few.close()
    many.close()
