"""What becomes of a message of the business, and what the bot is told of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from openparallax.emulator import Account, Emulator, Message, Person
from openparallax.emulator.account import Subscription
from openparallax.emulator.ids import new_wamid
from openparallax.emulator.people import cast
from tests.emulator.bot import Bot
from tests.fakes.clock import TurnedClock

Send = Callable[..., Message]
GONE = Person(key="gone", name="Gone", wa_id="4915550000009", is_reachable=False)


@pytest_asyncio.fixture
async def emulator() -> AsyncIterator[Emulator]:
    """One whose time stands still."""
    people = [*cast(), GONE]
    async with Emulator(clock=TurnedClock(), people=people) as running:
        yield running


@pytest.fixture
def send(emulator: Emulator) -> Send:
    """What Graph does with a send that it takes."""

    def send(person: str = "ann", kind: str = "text", **more: Any) -> Message:
        content = more.pop("content", {"body": "hello"})
        message = Message(
            wamid=new_wamid("1", is_ours=True),
            number_id=emulator.world.our_number().id,
            person=person,
            is_ours=True,
            kind=kind,
            content=content,
            at=emulator.clock.now(),
            status="accepted",
            **more,
        )
        emulator.world.add(message)
        emulator.statuses.begin(message)
        return message

    return send


async def settle(emulator: Emulator) -> None:
    emulator.clock.move(1)
    await asyncio.wait_for(emulator.settled(), 20)


async def test_a_message_is_sent_delivered_and_read_once_somebody_looks(
    emulator: Emulator, bot: Bot, send: Send
) -> None:
    message = send(callback="token")
    assert (message.status, bot.posts) == ("accepted", [])
    emulator.read("ann")  # nothing has come yet
    emulator.clock.move(0.1)
    await emulator.delivery.settled()
    assert (message.status, bot.told) == ("sent", ["sent"])
    await settle(emulator)
    assert message.status == "delivered"
    emulator.read("ann")
    emulator.read("ann")
    await settle(emulator)
    assert (message.status, bot.told) == ("read", ["sent", "delivered", "read"])
    told = [one for post in bot.taken for one in post.all("statuses")]
    assert {one["id"] for one in told} == {message.wamid}
    assert {one["biz_opaque_callback_data"] for one in told} == {"token"}
    assert ["pricing" in one for one in told] == [True, False, False]
    assert all("conversation" not in one for one in told)


async def test_an_open_chat_is_told_as_read_alone(emulator: Emulator, bot: Bot, send: Send) -> None:
    send()
    emulator.echo("ann", "of the business's own phone: its statuses are nobody's")
    emulator.clock.move(0.1)
    emulator.read("ann")
    await settle(emulator)
    assert bot.told == ["sent", "read"]


async def test_a_voice_note_is_played(emulator: Emulator, bot: Bot, send: Send) -> None:
    message, text = send(kind="audio", content={"id": "1", "voice": True}), send()
    await settle(emulator)
    emulator.play("ann", message.wamid)
    emulator.play("ann", message.wamid)
    with pytest.raises(LookupError, match="voice note"):
        emulator.play("ann", text.wamid)
    await settle(emulator)
    of_it = [
        one["status"]
        for post in bot.taken
        for one in post.all("statuses")
        if one["id"] == message.wamid
    ]
    assert of_it == ["sent", "delivered", "read", "played"]


async def test_of_a_reaction_only_sent_is_told(emulator: Emulator, bot: Bot, send: Send) -> None:
    send(kind="reaction", content={"message_id": "wamid.1", "emoji": "x"})
    await settle(emulator)
    emulator.read("ann")
    await settle(emulator)
    assert bot.told == ["sent"]


@pytest.mark.parametrize("person", ["gone", "4915550000099"])
async def test_nobody_can_be_reached_who_has_no_phone(
    emulator: Emulator, bot: Bot, send: Send, person: str
) -> None:
    message = send(person)
    await settle(emulator)
    if person == "gone":
        emulator.read("gone")
    await settle(emulator)
    [failed] = bot.posts[0].all("statuses")
    assert (bot.told, message.status) == (["failed"], "failed")
    assert [one["code"] for one in failed["errors"]] == [131026]
    assert failed["errors"][0].keys() >= {"code", "title", "message", "error_data", "href"}
    assert failed["recipient_id"] == (GONE.wa_id if person == "gone" else person)
    assert "contacts" not in bot.posts[0].changes[0]["value"]


async def test_a_switch_lets_the_next_ones_fail(emulator: Emulator, bot: Bot, send: Send) -> None:
    emulator.faults.set("fail", value=131049, times=1)
    failing, well = send(), send()
    await settle(emulator)
    assert (failing.status, well.status) == ("failed", "delivered")
    assert [one["code"] for one in failing.errors] == [131049]
    emulator.statuses.fail(well, 131026)
    await settle(emulator)
    assert well.status == "delivered"
    assert sorted(bot.told) == ["delivered", "failed", "sent"]


@pytest.mark.parametrize(
    ("value", "told"), [("delivered", ["sent", "read"]), ("sent", ["delivered", "read"]), ("", [])]
)
async def test_statuses_are_dropped_by_switch(
    emulator: Emulator, bot: Bot, send: Send, value: str, told: list[str]
) -> None:
    emulator.faults.set("drop_status", value=value)
    message = send()
    await settle(emulator)
    emulator.read("ann")
    await settle(emulator)
    assert (bot.told, message.status) == (told, "read")
    assert "drop_status" in [one.note for one in emulator.wire.exchanges]


async def test_a_plan_is_told_as_it_is(emulator: Emulator, bot: Bot, send: Send) -> None:
    emulator.statuses.plan = lambda _: ((0.0, "read"), (0.1, "sent"), (0.2, "failed"))
    message = send()
    await settle(emulator)
    assert (bot.told, message.status) == (["read", "sent", "failed"], "read")
    assert bot.posts[-1].all("statuses")[0]["errors"][0]["code"] == 131026


@pytest.mark.parametrize(
    ("person", "is_scoped", "ids"),
    [
        ("ann", False, {"recipient_id", "recipient_user_id"}),
        ("carol", True, {"recipient_user_id"}),
        ("davi", True, {"recipient_id", "recipient_user_id"}),
    ],
)
async def test_whom_it_is_about_is_named_as_meta_names_people(
    emulator: Emulator, bot: Bot, send: Send, person: str, ids: set[str], *, is_scoped: bool
) -> None:
    send(person, has_username=is_scoped)
    await settle(emulator)
    who = emulator.person(person)
    for post in bot.taken:
        [told] = post.all("statuses")
        assert {name for name in told if name.startswith("recipient")} == ids
        assert told["recipient_user_id"] == who.user_id
        [contact] = post.all("contacts")
        assert contact.get("wa_id") == who.wa_id
        is_named = told["status"] != "sent" and who.username is not None
        assert ("username" in contact["profile"]) == is_named


async def test_a_failure_names_the_scoped_id_only_where_it_was_sent_to(
    emulator: Emulator, bot: Bot, send: Send
) -> None:
    emulator.faults.set("fail", value=131026)
    emulator.person("ann").parent_user_id = "DE.ENT.1"
    send("ann")
    send("ann", has_username=True)
    await settle(emulator)
    told = [post.all("statuses")[0] for post in bot.taken]
    ids = ("recipient_id", "recipient_user_id", "recipient_parent_user_id")
    assert [[name for name in ids if name in one] for one in told] == [[ids[0]], [*ids]]


@pytest.mark.parametrize(
    ("content", "at", "pricing"),
    [
        (None, 1_790_000_000, (False, "free_customer_service", "service")),
        (None, 1_790_812_800, (True, "regular", "service")),
        ({"name": "offer"}, 1_790_000_000, (True, "regular", "marketing")),
        ({"name": "nobody knows it"}, 1_790_000_000, (True, "regular", "utility")),
    ],
)
async def test_what_it_costs_stands_with_sent(
    content: dict[str, Any] | None, at: float, pricing: tuple[bool, str, str]
) -> None:
    account = Account(templates=[{"name": "offer", "category": "MARKETING"}])
    async with Emulator(clock=TurnedClock(now=at), account=account) as emulator:
        message = Message(
            wamid="wamid.1",
            number_id=emulator.world.our_number().id,
            person="ann",
            is_ours=True,
            kind="text" if content is None else "template",
            content=content or {"body": "x"},
            at=emulator.clock.now(),
            status="accepted",
        )
        async with Bot(account.app_secret) as bot:
            emulator.delivery.url = bot.url
            emulator.world.add(message)
            emulator.statuses.begin(message)
            await settle(emulator)
            told = bot.posts[0].all("statuses")[0]["pricing"]
    assert told.pop("pricing_model") == "PMP"
    assert (told["billable"], told["type"], told["category"]) == pricing


async def test_old_subscriptions_still_name_the_conversation(
    emulator: Emulator, bot: Bot, send: Send
) -> None:
    emulator.world.account.subscription = Subscription(version="v23.0")
    send()
    await settle(emulator)
    emulator.read("ann")
    await settle(emulator)
    told = [one for post in bot.taken for one in post.all("statuses")]
    assert ["conversation" in one for one in told] == [True, True, False]
    assert told[0]["conversation"]["origin"] == {"type": "service"}
    assert ["expiration_timestamp" in one["conversation"] for one in told[:2]] == [True, False]


async def test_closing_ends_what_climbs(emulator: Emulator, bot: Bot, send: Send) -> None:
    message = send()
    await emulator.close()
    emulator.clock.move(10)
    assert (message.status, bot.posts, emulator.statuses.waiting) == ("accepted", [], 0)
