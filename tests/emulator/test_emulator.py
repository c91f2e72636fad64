"""All of it together: a conversation, what can be tapped, what is kept and what is not."""

import asyncio
from typing import Any

import aiohttp
import pytest

from openparallax.emulator import Emulator, Message
from openparallax.emulator.ids import new_wamid
from openparallax.emulator.world import World
from tests.emulator.bot import Bot

DAY_S = 86_400


def ours(world: World, kind: str, content: dict[str, Any], person: str = "ann") -> Message:
    """A message of the business that is on somebody's phone."""
    message = Message(
        wamid=new_wamid("1", is_ours=True),
        number_id=world.our_number().id,
        person=person,
        is_ours=True,
        kind=kind,
        content=content,
        at=world.clock.now(),
        status="delivered",
    )
    world.add(message)
    return message


async def test_a_conversation_over_http(emulator: Emulator, bot: Bot) -> None:
    said = emulator.say("ann", "hello")
    await emulator.settled()
    assert bot.texts == ["hello"]
    number = emulator.world.our_number().id
    body = {
        "messaging_product": "whatsapp",
        "to": "+4915550000001",
        "type": "text",
        "text": {"body": "hello yourself"},
        "biz_opaque_callback_data": "t",
    }
    async with (
        aiohttp.ClientSession(headers={"Authorization": "Bearer x"}) as session,
        session.post(f"{emulator.url}/v25.0/{number}/messages", json=body) as answer,
    ):
        assert answer.status == 200
        wamid = (await answer.json())["messages"][0]["id"]
    await emulator.settled()
    emulator.read("ann")
    await emulator.settled()
    chat = emulator.world.chat(number, "ann")
    assert [one.words for one in chat.messages] == ["hello", "hello yourself"]
    assert chat.messages[1].wamid == wamid
    assert chat.messages[1].answered_after_s is not None
    assert (said.status, chat.messages[1].status) == ("delivered", "read")
    assert bot.told == ["sent", "delivered", "read"]
    directions = [one.direction for one in emulator.wire.exchanges]
    assert directions == ["webhook", "graph", "webhook", "webhook", "webhook"]


async def test_whatever_happens_is_told(emulator: Emulator, bot: Bot) -> None:
    kinds: list[str] = []
    emulator.world.feed.call(lambda change: kinds.append(change["kind"]))
    emulator.say("ann", "hello")
    await emulator.settled()
    emulator.faults.set("hang")
    emulator.clock.move(60)
    assert kinds == ["message", "wire", "wire", "message", "faults", "clock"]
    assert len(bot.posts) == 1


@pytest.mark.parametrize(
    ("kind", "opens"), [("text", True), ("button", True), ("system", False), ("revoke", False)]
)
async def test_what_people_write_opens_the_window_for_a_day(kind: str, *, opens: bool) -> None:
    emulator = Emulator()
    message = emulator.send("ann", kind, {"body": "x"}, at=1_000_000)
    chat = emulator.world.chat(message.number_id, "ann")
    assert chat.open_until == (1_000_000 + DAY_S if opens else 0)
    emulator.send("ann", kind, {"body": "older"}, at=500_000)
    assert chat.open_until == (1_000_000 + DAY_S if opens else 0)


BUTTONS = {
    "type": "button",
    "action": {
        "buttons": [
            {"type": "reply", "reply": {"id": "yes", "title": "Yes"}},
            {"type": "reply", "reply": {"id": "no", "title": "No"}},
        ]
    },
}
LIST = {
    "type": "list",
    "action": {
        "sections": [
            {"rows": [{"id": "1", "title": "One"}]},
            {"rows": [{"id": "2", "title": "Two", "description": "the second"}]},
        ]
    },
}
TEMPLATE = {
    "name": "offer",
    "language": {"code": "en_US"},
    "components": [
        {
            "type": "button",
            "sub_type": "quick_reply",
            "index": "1",
            "parameters": [{"type": "payload", "payload": "p-stop"}],
        }
    ],
}
OFFER = {
    "name": "offer",
    "language": "en_US",
    "components": [
        {"type": "BODY", "text": "x"},
        {
            "type": "BUTTONS",
            "buttons": [
                {"type": "QUICK_REPLY", "text": "More"},
                {"type": "QUICK_REPLY", "text": "Stop"},
                {"type": "URL", "text": "Look"},
            ],
        },
    ],
}


@pytest.mark.parametrize(
    ("kind", "content", "choice", "sent_kind", "sent"),
    [
        (
            "interactive",
            BUTTONS,
            "no",
            "interactive",
            {"type": "button_reply", "button_reply": {"id": "no", "title": "No"}},
        ),
        (
            "interactive",
            LIST,
            "2",
            "interactive",
            {
                "type": "list_reply",
                "list_reply": {"id": "2", "title": "Two", "description": "the second"},
            },
        ),
        ("template", TEMPLATE, "p-stop", "button", {"payload": "p-stop", "text": "Stop"}),
        ("template", TEMPLATE, "More", "button", {"payload": "More", "text": "More"}),
    ],
)
async def test_a_tap_answers_what_was_offered(
    emulator: Emulator,
    bot: Bot,
    kind: str,
    content: dict[str, Any],
    choice: str,
    sent_kind: str,
    sent: dict[str, Any],
) -> None:
    emulator.world.account.templates.append(OFFER)
    message = ours(emulator.world, kind, content)
    emulator.tap("ann", message.wamid, choice)
    await emulator.settled()
    [said] = bot.posts[0].all("messages")
    assert (said["type"], said[sent_kind]) == (sent_kind, sent)
    assert said["context"] == {"from": "15550100000", "id": message.wamid}
    with pytest.raises(LookupError, match="no such choice"):
        emulator.tap("ann", message.wamid, "maybe")


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"action": None},
        {"action": {"buttons": "x"}},
        {"action": {"buttons": [1, {"reply": []}], "sections": [None, {"rows": [None]}]}},
        {"components": [{"sub_type": "quick_reply", "parameters": [None, {"type": "payload"}]}]},
    ],
)
@pytest.mark.parametrize("kind", ["interactive", "template", "text"])
def test_what_offers_nothing_has_no_choices(kind: str, content: dict[str, Any]) -> None:
    emulator = Emulator()
    emulator.world.account.templates.append({"name": None, "components": [None]})
    choices = emulator.choices(ours(emulator.world, kind, content))
    assert [choice.title for choice in choices if choice.title] == []


async def test_only_messages_of_ones_own_chat_can_be_touched() -> None:
    emulator = Emulator()
    message = ours(emulator.world, "interactive", BUTTONS)
    said = emulator.say("ann", "mine")
    for act in (
        lambda: emulator.tap("bob", message.wamid, "yes"),
        lambda: emulator.tap("ann", said.wamid, "yes"),
        lambda: emulator.react("bob", message.wamid, "x"),
        lambda: emulator.react("ann", "wamid.none", "x"),
        lambda: emulator.take_back("bob", said.wamid),
        lambda: emulator.take_back("ann", message.wamid),
        lambda: emulator.play("ann", said.wamid),
        lambda: emulator.say("nobody", "x"),
        lambda: emulator.say("ann", "x", number_id="1"),
    ):
        with pytest.raises(LookupError):
            act()
    emulator.take_back("ann", said.wamid)
    with pytest.raises(LookupError):
        emulator.take_back("ann", said.wamid)
    assert len(list(emulator.world.all_messages())) == 2


async def test_a_kind_that_is_no_file_is_refused() -> None:
    emulator = Emulator()
    with pytest.raises(ValueError, match="no kind of file"):
        emulator.send_media("ann", "text", b"", "text/plain")
    with pytest.raises(LookupError):
        emulator.send_media("nobody", "image", b"", "image/png")
    assert emulator.world.media == {}


def nested() -> list[Any]:
    inside: list[Any] = []
    for _ in range(100_000):
        inside = [inside]
    return inside


@pytest.mark.parametrize("content", [float("nan"), b"x", nested()], ids=["nan", "bytes", "deep"])
async def test_what_json_cannot_say_is_not_sent(content: object) -> None:
    emulator = Emulator()
    with pytest.raises(ValueError, match="JSON"):
        emulator.send("ann", "location", {"latitude": content})
    assert (emulator.delivery.waiting, list(emulator.world.all_messages())) == (0, [])


async def test_everything_is_forgotten_and_the_people_stay(emulator: Emulator, bot: Bot) -> None:
    emulator.send_media("ann", "image", b"x", "image/png")
    await emulator.settled()
    emulator.world.clear()
    assert list(emulator.world.all_messages()) == []
    assert (emulator.world.chats, emulator.world.media) == ({}, {})
    emulator.say("ann", "again")
    await emulator.settled()
    assert len(bot.posts) == 2


async def test_it_settles_only_when_statuses_and_webhooks_have(
    emulator: Emulator, bot: Bot
) -> None:
    message = ours(emulator.world, "text", {"body": "x"})
    message.status = "accepted"
    emulator.statuses.begin(message)
    settling = asyncio.create_task(emulator.settled())
    await bot.until(lambda: len(bot.posts) == 1)
    assert not settling.done()
    await settling
    assert bot.told == ["sent", "delivered"]


async def test_it_listens_on_loopback_alone_and_its_words_are_in_no_repr(
    emulator: Emulator, bot: Bot
) -> None:
    assert emulator.url.startswith("http://127.0.0.1:")
    with pytest.raises(ConnectionRefusedError):  # of this machine too, and not where it listens
        await asyncio.open_connection("127.0.0.2", int(emulator.url.rpartition(":")[2]))
    message = emulator.say("ann", "zyzzyva", quoting=emulator.say("bob", "zyzzyva").wamid)
    emulator.faults.set("batch", value=9)
    emulator.say("carol", "zyzzyva")
    await bot.until(lambda: len(bot.posts) == 2)
    things = (message, emulator.wire.exchanges, emulator.world.chats, emulator.world.people)
    held = emulator.delivery._holding._batches
    assert "zyzzyva" not in repr(things)
    assert "zyzzyva" not in repr(held)
    assert emulator.world.account.app_secret not in repr(emulator.world.account)
