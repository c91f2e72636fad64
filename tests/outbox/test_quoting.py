"""Which turn a quoted message of ours belonged to."""

from pathlib import Path

from openparallax.model.session import Mode, Session
from openparallax.model.text import SessionId
from openparallax.model.wamids import id_hash
from openparallax.outbox.quoting import SentLately
from tests.outbox.office import Office

SESSION = Session(SessionId(7), Mode.OFF_THE_RECORD)


def test_a_message_is_found_in_its_own_chat_only() -> None:
    sent = SentLately()
    sent.note(id_hash("wamid.a"), 3, SESSION, 12)
    assert sent.find(id_hash("wamid.a"), 3) == (7, 12)
    assert sent.find(id_hash("wamid.a"), 4) is None
    assert sent.find(id_hash("wamid.b"), 3) is None


def test_the_oldest_are_forgotten_first() -> None:
    sent = SentLately(most=3)
    for turn in range(5):
        sent.note(turn, 1, SESSION, turn)
    assert [sent.find(turn, 1) for turn in range(5)] == [None, None, (7, 2), (7, 3), (7, 4)]


async def test_what_graph_takes_is_noted_and_what_it_refuses_is_not(tmp_path: Path) -> None:
    office = Office(tmp_path / "outbox.db")
    await office.open()
    await office.settle()
    await office.post(0, 2)
    await office.until_idle()
    office.graph.moods.append(131026)
    await office.post(1)
    await office.until_idle()
    chat, other = office.chats
    first, second, refused = [id_hash(call.wamid) for call in office.graph.calls]
    assert office.sent_lately.find(first, chat) == (chat, 1)
    assert office.sent_lately.find(second, chat) == (chat, 1)
    assert office.sent_lately.find(refused, other) is None
    await office.close()
