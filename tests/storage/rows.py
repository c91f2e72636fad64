"""A file with the real schema and nothing in it, for what needs no group commit."""

import sqlite3
from collections.abc import Iterator

import pytest

from openparallax.model.envelope import Envelope, Errand
from openparallax.model.parcel import Parcel
from openparallax.model.session import Mode, Session
from openparallax.storage import Connection, chats, sessions
from openparallax.storage.migrations import migrate

ACCOUNT = "1234567890123456"


def empty_file() -> Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    return connection


@pytest.fixture
def file() -> Iterator[Connection]:
    connection = empty_file()
    yield connection
    connection.close()


def add_chat(connection: Connection) -> tuple[int, Session]:
    account = chats.account_id(connection, ACCOUNT)
    contact = chats.add_contact(connection, "Ann")
    chat = chats.add_chat(connection, account, contact, "491")
    return chat, sessions.open_session(connection, chat, Mode.ON_THE_RECORD, 0)


def envelope(number: int, chat: int, session: Session, *, sent_at: int = 1000) -> Envelope:
    return Envelope(number, chat, session, Errand.TURN, sent_at, sent_at + 86400, 5)


def parcel(number: int, chat: int, session: Session) -> Parcel:
    return Parcel(number, chat, ACCOUNT, "491", session, number, 1)
