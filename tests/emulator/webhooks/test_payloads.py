"""What people do, as Meta tells it; read back by the daemon's own reader of webhooks too."""

from base64 import b64encode
from hashlib import sha256
from typing import Any

import pytest

from openparallax.emulator import Emulator, Person
from openparallax.webhook.payload import parse_body, parse_notification
from tests.emulator.bot import Bot


async def told(emulator: Emulator, bot: Bot) -> list[dict[str, Any]]:
    """All messages that the bot was told of."""
    await emulator.settled()
    return [one for post in bot.taken for one in post.all("messages")]


KINDS: dict[str, dict[str, Any]] = {
    "text": {"body": "héllo / 😀"},
    "location": {"latitude": 52.5, "longitude": 13.4, "name": "Berlin"},
    "contacts": {"contacts": [{"name": {"formatted_name": "Bo"}, "phones": [{"phone": "+1 5"}]}]},
    "button": {"payload": "yes", "text": "Yes"},
    "interactive": {"type": "button_reply", "button_reply": {"id": "1", "title": "One"}},
    "order": {"catalog_id": "1", "product_items": [{"product_retailer_id": "2", "quantity": 1}]},
    "unsupported": {"type": "poll_creation"},
    "edit": {"original_message_id": "wamid.1", "message": {"type": "text", "text": {"body": "x"}}},
    "image": {"mime_type": "image/jpeg", "sha256": "x", "id": "1"},
}


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_stands_under_its_own_name(
    emulator: Emulator, bot: Bot, kind: str
) -> None:
    message = emulator.send("ann", kind, KINDS[kind], at=1_790_000_000.9)
    [said] = await told(emulator, bot)
    assert said["type"] == kind
    assert said[kind] == (KINDS[kind]["contacts"] if kind == "contacts" else KINDS[kind])
    assert (said["id"], said["timestamp"]) == (message.wamid, "1790000000")
    assert said["from"] == "4915550000001"
    if kind == "unsupported":
        assert said["errors"][0]["code"] == 131051
    [change] = bot.posts[0].changes
    assert change["field"] == "messages"
    assert change["value"]["messaging_product"] == "whatsapp"
    assert change["value"]["metadata"] == {
        "display_phone_number": "15550100000",
        "phone_number_id": "1234567890123456",
    }
    assert bot.posts[0].said["entry"][0]["id"] == emulator.world.account.waba_id
    read = parse_notification(parse_body(bot.posts[0].raw))
    assert [str(one.wamid) for one in read.messages] == [message.wamid]


async def test_who_shares_no_number_has_none(emulator: Emulator, bot: Bot) -> None:
    emulator.say("carol", "hello")
    emulator.say("davi", "hello")
    carol, davi = await told(emulator, bot)
    assert "from" not in carol
    assert carol["from_user_id"] == "US.1000000000000003"
    assert (davi["from"], davi["from_user_id"]) == ("555198765432", "BR.1000000000000004")
    assert bot.posts[0].all("contacts") == [
        {
            "profile": {"name": "Carol", "username": "carol.writes"},
            "user_id": "US.1000000000000003",
        }
    ]


async def test_a_parent_id_is_told_with_the_others(emulator: Emulator, bot: Bot) -> None:
    person = Person(key="eve", name="Eve", user_id="US.5", parent_user_id="US.ENT.5")
    emulator.add_person(person)
    emulator.say("eve", "hello")
    [said] = await told(emulator, bot)
    assert said["from_parent_user_id"] == "US.ENT.5"
    assert bot.posts[0].all("contacts")[0]["parent_user_id"] == "US.ENT.5"


async def test_quotes_name_whose_message_it_was(emulator: Emulator, bot: Bot) -> None:
    theirs = emulator.say("ann", "one")
    ours = emulator.echo("ann", "two")
    emulator.say("ann", "three", quoting=theirs.wamid)
    emulator.say("ann", "four", quoting=ours.wamid, context={"forwarded": True})
    emulator.say("ann", "five", referral={"source_type": "ad"})
    said = await told(emulator, bot)
    assert "context" not in said[0]
    assert said[1]["context"] == {"from": "4915550000001", "id": theirs.wamid}
    assert said[2]["context"] == {"from": "15550100000", "id": ours.wamid, "forwarded": True}
    assert said[3]["referral"] == {"source_type": "ad"}


async def test_a_file_carries_its_address_and_digest(emulator: Emulator, bot: Bot) -> None:
    emulator.send_media("ann", "image", b"png", "image/png", caption="look", filename="a.png")
    emulator.send_media("ann", "audio", b"ogg", "audio/ogg; codecs=opus", is_voice=True)
    emulator.send_media("ann", "document", b"pdf", "application/pdf", filename="a.pdf")
    emulator.send_media("ann", "sticker", b"webp", "image/webp", caption="none")
    image, audio, document, sticker = await told(emulator, bot)
    assert image["image"]["caption"] == "look"
    assert "filename" not in image["image"]
    assert image["image"]["sha256"] == b64encode(sha256(b"png").digest()).decode()
    assert image["image"]["url"].startswith(emulator.url)
    assert emulator.world.media[image["image"]["id"]].data == b"png"
    assert audio["audio"]["voice"] is True
    assert document["document"]["filename"] == "a.pdf"
    assert sticker["sticker"]["animated"] is False
    assert "caption" not in sticker["sticker"]


async def test_reactions_come_and_go(emulator: Emulator, bot: Bot) -> None:
    message = emulator.echo("ann", "hello")
    emulator.react("ann", message.wamid, "👍")
    assert message.reactions == {"person": "👍"}
    emulator.react("ann", message.wamid, "")
    assert message.reactions == {}
    said = await told(emulator, bot)
    assert [one["reaction"] for one in said] == [
        {"message_id": message.wamid, "emoji": "👍"},
        {"message_id": message.wamid},
    ]


async def test_what_was_taken_back_is_told_and_gone(emulator: Emulator, bot: Bot) -> None:
    message = emulator.say("ann", "a secret")
    emulator.take_back("ann", message.wamid)
    _, revoked = await told(emulator, bot)
    assert revoked["type"] == "revoke"
    assert revoked["revoke"] == {"original_message_id": message.wamid}
    assert (message.is_deleted, message.words) == (True, "")


async def test_who_stops_marketing_is_told(emulator: Emulator, bot: Bot) -> None:
    emulator.prefer("ann", marketing=False)
    emulator.prefer("ann", marketing=True)
    await emulator.settled()
    assert {change["field"] for post in bot.taken for change in post.changes} == {
        "user_preferences"
    }
    stop, resume = [one for post in bot.taken for one in post.all("user_preferences")]
    assert isinstance(stop.pop("timestamp"), int)
    assert stop == {
        "wa_id": "4915550000001",
        "user_id": "DE.1000000000000001",
        "detail": "User requested to stop marketing messages",
        "category": "marketing_messages",
        "value": "stop",
    }
    assert resume["value"] == "resume"
    assert bot.taken[0].all("contacts")[0]["wa_id"] == "4915550000001"
    with pytest.raises(LookupError, match="nobody"):
        emulator.prefer("zoe", marketing=True)


async def test_trouble_of_the_account_is_about_no_message(emulator: Emulator, bot: Bot) -> None:
    emulator.tell_trouble(131057, "A throughput upgrade is under way")
    await emulator.settled()
    [change] = bot.taken[0].changes
    assert change["field"] == "messages"
    assert change["value"].keys() == {"messaging_product", "metadata", "errors"}
    [error] = change["value"]["errors"]
    assert (error["code"], error["title"]) == (131057, "Account in maintenance mode")
    assert error["error_data"] == {"details": "A throughput upgrade is under way"}


async def test_an_echo_is_told_as_one(emulator: Emulator, bot: Bot) -> None:
    message = emulator.echo("ann", "I am a human")
    emulator.echo("carol", "so am I")
    await emulator.settled()
    first, second = bot.taken
    assert [change["field"] for change in first.changes] == ["smb_message_echoes"]
    [echo] = first.all("message_echoes")
    assert echo["from"] == "15550100000"
    assert (echo["to"], echo["id"]) == ("4915550000001", message.wamid)
    assert "to" not in second.all("message_echoes")[0]
    assert (message.is_ours, message.echo) == (True, True)


async def test_a_new_number_is_told_under_the_old_one(emulator: Emulator, bot: Bot) -> None:
    emulator.person("ann").parent_user_id = "DE.ENT.1"
    emulator.world.account.subscription.fields.append("user_id_update")
    emulator.change_number("ann", "4915550000077", user_id="DE.77")
    await emulator.settled()
    system, update = bot.taken
    [said] = system.all("messages")
    assert said["from"] == "4915550000001"
    assert "from_user_id" not in said
    content = said["system"]
    assert content.pop("body")
    assert content == {
        "wa_id": "4915550000077",
        "user_id": "DE.77",
        "parent_user_id": "DE.ENT.1",
        "previous_user_id": "DE.1000000000000001",
        "previous_parent_user_id": "DE.ENT.1",
        "type": "user_changed_number",
    }
    assert system.all("contacts") == []
    [told] = update.all("user_id_update")
    assert told["user_id"] == {"previous": "DE.1000000000000001", "current": "DE.77"}
    assert told["wa_id"] == "4915550000077"


async def test_who_shares_no_number_has_a_new_id_alone(emulator: Emulator, bot: Bot) -> None:
    emulator.change_number("carol", "4915550000077")
    await emulator.settled()
    carol = emulator.person("carol")
    [post] = bot.taken
    [said] = post.all("messages")
    assert said["system"]["type"] == "user_changed_user_id"
    assert said["system"]["previous_user_id"] == "US.1000000000000003"
    assert said.keys() == {"id", "timestamp", "type", "system"}
    assert said["system"]["user_id"] == carol.user_id != "US.1000000000000003"
    assert carol.wa_id is None
    assert "4915550000077" not in str(bot.posts)
