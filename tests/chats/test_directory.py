"""From a sender to a chat: aliases, names, addresses, and a cache that changes nothing."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from openparallax import logs
from openparallax.chats import directory as module
from openparallax.chats.directory import Directory
from openparallax.model.messages import Sender
from openparallax.storage import Connection, Database
from openparallax.storage.chats import ChatRow

NUMBER, USER = "4915112345678", "DE.13491208655302741918"


class Book:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.directory = Directory()

    async def look_up(self, sender: Sender, account: str = "1", at: int = 100) -> ChatRow:
        """Find the chat, or make it, as the door does."""

        def work(connection: Connection) -> ChatRow:
            known = self.directory.known(account, sender, at)
            return known or self.directory.meet(connection, account, sender, at).chat

        return await self.database.unit(work)


@pytest_asyncio.fixture
async def book(tmp_path: Path) -> AsyncIterator[Book]:
    database = Database(tmp_path / "state" / "t.db", log=logs.configure(level="error"))
    await database.open()
    yield Book(database)
    await database.close()


async def test_the_same_sender_has_the_same_chat_with_and_without_the_cache(book: Book) -> None:
    one = await book.look_up(Sender(wa_id=NUMBER))
    assert await book.look_up(Sender(wa_id=NUMBER)) is one
    book.directory.drop()
    again = await book.look_up(Sender(wa_id=NUMBER))
    assert again is not one
    assert again == one


async def test_each_number_of_ours_has_a_chat_of_its_own(book: Book) -> None:
    one = await book.look_up(Sender(wa_id=NUMBER), "1")
    other = await book.look_up(Sender(wa_id=NUMBER), "2")
    assert one.contact != other.contact  # ids mean something only with the number they came through
    assert one.id != other.id
    assert (one.account, other.account) == ("1", "2")


async def test_spellings_of_one_line_are_one_chat_and_the_last_is_written_to(book: Book) -> None:
    one = await book.look_up(Sender(wa_id="5511987654321"))
    assert one.address == "5511987654321"
    other = await book.look_up(Sender(wa_id="551187654321"))
    assert other.id == one.id
    assert other.address == "551187654321"
    book.directory.drop()
    assert (await book.look_up(Sender(wa_id="551187654321"))).address == "551187654321"


async def test_who_adopts_a_username_stays_who_they_were(book: Book) -> None:
    """Number only, then both, then the business-scoped id only: a mode must survive that."""
    one = await book.look_up(Sender(wa_id=NUMBER))
    both = await book.look_up(Sender(wa_id=NUMBER, user_id=USER))
    hidden = await book.look_up(Sender(user_id=USER))
    assert one.id == both.id == hidden.id
    assert hidden.address == USER
    assert (await book.look_up(Sender(wa_id=NUMBER, user_id=USER))).address == NUMBER


async def test_a_name_is_kept_and_follows(book: Book) -> None:
    assert (await book.look_up(Sender(wa_id=NUMBER, name="Ann"))).name == "Ann"
    assert (await book.look_up(Sender(wa_id=NUMBER))).name == "Ann"
    assert (await book.look_up(Sender(wa_id=NUMBER, name="Anna"))).name == "Anna"
    assert (await book.look_up(Sender(wa_id=NUMBER, name="Ann"))).name == "Ann"
    assert (await book.look_up(Sender(wa_id=NUMBER, name="Anna"))).name == "Anna"
    book.directory.drop()
    assert (await book.look_up(Sender(wa_id=NUMBER))).name == "Anna"


async def test_the_cache_is_bounded(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 3)
    chats = [await book.look_up(Sender(wa_id=f"491510000000{n}")) for n in range(8)]
    assert len(book.directory._chats) == len(book.directory._known) == 3
    again = [await book.look_up(Sender(wa_id=f"491510000000{n}")) for n in range(8)]
    assert [chat.id for chat in again] == [chat.id for chat in chats]
