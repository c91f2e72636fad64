"""pywa as a bot behind the emulator: the handshake, what people send, what becomes of answers."""

import asyncio
from collections import defaultdict

import pytest
from pywa import types
from pywa_async import WhatsApp, filters, handlers
from pywa_async.errors import WhatsAppError
from pywa_async.types import (
    CallbackButton,
    CallbackSelection,
    Message,
    MessageStatus,
)

from tests.emulator.clients.hearing import answers
from tests.emulator.clients.pywa_side import Pywa, pywa_bot
from tests.emulator.clients.test_pywa_sending import MENU, PNG, buttons


async def subscribe(pywa: Pywa) -> None:
    """Tell Graph where the bot is, as pywa itself would at its start; that is a handshake too."""
    account, wa = pywa.emulator.world.account, pywa.wa
    token = await wa.get_app_access_token(int(account.app_id), account.app_secret)
    done = await wa.set_app_callback_url(
        int(account.app_id), token, pywa.bot_url, "pywas-word", ("messages",)
    )
    assert done
    assert pywa.emulator.delivery.url == pywa.bot_url


async def test_what_people_send_and_what_they_get_back() -> None:
    async with pywa_bot() as pywa:

        async def on_text(_: WhatsApp, said: Message) -> None:
            if said.text == "menu":
                await said.reply_text("Choose", buttons=MENU)
            elif said.text == "question":
                await said.reply_text("Well?", buttons=buttons("Yes", "No"))
            else:
                await said.mark_as_read()
                await said.reply_text(f"{said.from_user.name}: {said.text}", quote=True)

        async def on_media(_: WhatsApp, said: Message) -> None:
            assert said.media is not None
            data = await said.media.get_bytes()
            await said.reply_text(f"{said.type} {len(data)} {data == PNG} {said.caption}")

        async def on_place(_: WhatsApp, said: Message) -> None:
            assert said.location is not None
            await said.reply_text(f"{said.location.latitude} {said.location.longitude}")

        async def on_reaction(_: WhatsApp, said: Message) -> None:
            assert said.reaction is not None
            await said.reply_text(f"reacted {said.reaction.emoji}")

        async def on_button(_: WhatsApp, tapped: CallbackButton) -> None:
            await tapped.reply_text(f"tapped {tapped.title} {tapped.data}")

        async def on_row(_: WhatsApp, tapped: CallbackSelection) -> None:
            await tapped.reply_text(f"took {tapped.title} {tapped.data}")

        pywa.wa.add_handlers(
            handlers.MessageHandler(on_text, filters.text),
            handlers.MessageHandler(on_media, filters.media),
            handlers.MessageHandler(on_place, filters.location),
            handlers.MessageHandler(on_reaction, filters.reaction),
            handlers.CallbackButtonHandler(on_button),
            handlers.CallbackSelectionHandler(on_row),
        )
        await subscribe(pywa)
        emulator = pywa.emulator
        hers = emulator.say("ann", "hëllo \N{WAVING HAND SIGN}")
        answer = (await answers(pywa.emulator, "ann", 1))[-1]
        assert (answer.words, answer.quoted) == (f"Ann: {hers.words}", hers.wamid)
        assert hers.status == "read"

        emulator.send_media("ann", "image", PNG, "image/png", caption="look")
        assert (await answers(pywa.emulator, "ann", 2))[-1].words == f"image {len(PNG)} True look"
        emulator.send_media("ann", "audio", PNG, "audio/ogg; codecs=opus", is_voice=True)
        assert (await answers(pywa.emulator, "ann", 3))[-1].words == f"audio {len(PNG)} True None"
        emulator.send("ann", "location", {"latitude": 52.5, "longitude": 13.4})
        assert (await answers(pywa.emulator, "ann", 4))[-1].words == "52.5 13.4"
        emulator.react("ann", answer.wamid, "\N{HEAVY BLACK HEART}")
        assert (await answers(pywa.emulator, "ann", 5))[-1].words == "reacted \N{HEAVY BLACK HEART}"

        emulator.say("ann", "question")
        question = (await answers(pywa.emulator, "ann", 6))[-1]
        emulator.tap("ann", question.wamid, "yes")
        assert (await answers(pywa.emulator, "ann", 7))[-1].words == "tapped Yes yes"
        emulator.say("ann", "menu")
        menu = (await answers(pywa.emulator, "ann", 8))[-1]
        emulator.tap("ann", menu.wamid, "soup")
        assert (await answers(pywa.emulator, "ann", 9))[-1].words == "took Soup soup"


async def test_somebody_with_a_username_and_no_number() -> None:
    async with pywa_bot() as pywa:

        async def on_text(_: WhatsApp, said: Message) -> None:
            assert said.from_user.wa_id is None
            await said.reply_text(f"{said.from_user.bsuid} {said.from_user.username}")

        pywa.wa.add_handlers(
            handlers.MessageHandler(on_text, filters.text),
        )
        await subscribe(pywa)
        pywa.emulator.say("carol", "hello")
        found = await answers(pywa.emulator, "carol", 1)
        assert [one.words for one in found] == ["US.1000000000000003 carol.writes"]


async def test_what_became_of_an_answer() -> None:
    async with pywa_bot() as pywa:
        told: dict[str, list[str]] = defaultdict(list)
        is_read = asyncio.Event()

        async def on_status(_: WhatsApp, status: MessageStatus) -> None:
            told[status.id].append(status.status.value)
            assert status.tracker == "our-own-id"
            if status.status == types.MessageStatusType.READ:
                is_read.set()

        pywa.wa.add_handlers(
            handlers.MessageStatusHandler(on_status),
        )
        await subscribe(pywa)
        pywa.emulator.say("ann", "hello")
        sent = await pywa.wa.send_message("4915550000001", "hello", tracker="our-own-id")
        await pywa.emulator.settled()
        pywa.emulator.read("ann")
        async with asyncio.timeout(20):
            await is_read.wait()
        assert told == {sent.id: ["sent", "delivered", "read"]}


async def test_a_wrong_signature_is_sent_until_it_is_right() -> None:
    async with pywa_bot() as pywa:

        async def on_text(_: WhatsApp, said: Message) -> None:
            await said.reply_text("at last")

        pywa.wa.add_handlers(
            handlers.MessageHandler(on_text, filters.text),
        )
        await subscribe(pywa)
        pywa.emulator.faults.set("bad_signature", times=1)
        pywa.emulator.say("ann", "hello")
        found = await answers(pywa.emulator, "ann", 1)
        assert [one.words for one in found] == ["at last"]
        await pywa.emulator.settled()
        posted = [one for one in pywa.emulator.wire.exchanges if one.direction == "webhook"]
        tries = [one.status for one in posted if one.method == "POST" and "text" in one.what]
        assert tries[:2] == [403, 200]


async def test_overrides_lead_to_the_bot() -> None:
    async with pywa_bot() as pywa:

        async def on_text(_: WhatsApp, said: Message) -> None:
            await said.reply_text(f"got {said.text}")

        emulator, wa = pywa.emulator, pywa.wa
        wa.add_handlers(handlers.MessageHandler(on_text, filters.text))
        assert await wa.override_phone_callback_url(pywa.bot_url, "pywas-word")
        emulator.say("ann", "one")
        assert [one.words for one in await answers(emulator, "ann", 1)] == ["got one"]
        assert await wa.delete_phone_callback_url()
        assert await wa.override_waba_callback_url(pywa.bot_url, "pywas-word")
        emulator.say("ann", "two")
        assert [one.words for one in await answers(emulator, "ann", 2)] == ["got one", "got two"]
        number = await wa.get_business_phone_number()
        assert number.webhook_configuration == {"whatsapp_business_account": pywa.bot_url}
        with pytest.raises(WhatsAppError) as caught:
            await wa.override_waba_callback_url(pywa.bot_url, "another-word")
        assert caught.value.code == 2200
        assert await wa.delete_waba_callback_url()
        assert (await wa.get_business_phone_number()).webhook_configuration == {}


async def test_news_of_templates_and_of_who_stops_marketing() -> None:
    async with pywa_bot() as pywa:
        heard: asyncio.Queue[object] = asyncio.Queue()

        async def on_news(_: WhatsApp, news: object) -> None:
            await heard.put(news)

        pywa.wa.add_handlers(
            handlers.TemplateStatusUpdateHandler(on_news),
            handlers.TemplateQualityUpdateHandler(on_news),
            handlers.UserMarketingPreferencesHandler(on_news),
        )
        await subscribe(pywa)
        emulator = pywa.emulator
        emulator.world.account.subscription.fields.append("message_template_quality_update")
        templates = emulator.management.templates
        template_id = emulator.world.account.templates[0]["id"]
        async with asyncio.timeout(20):
            templates.review(template_id, "REJECTED", "INVALID_FORMAT", "Say it otherwise.")
            rejected = await heard.get()
            assert isinstance(rejected, types.templates.TemplateStatusUpdate)
            assert rejected.new_status == types.templates.TemplateStatus.REJECTED
            assert rejected.rejection_info is not None
            assert rejected.rejection_info.recommendation == "Say it otherwise."
            templates.review(template_id, "DISABLED")
            disabled = await heard.get()
            assert isinstance(disabled, types.templates.TemplateStatusUpdate)
            assert disabled.disable_info is not None
            assert disabled.other_info is not None
            templates.rate(template_id, "RED")
            rated = await heard.get()
            assert isinstance(rated, types.templates.TemplateQualityUpdate)
            assert rated.new_quality_score == types.templates.QualityScoreType.RED
            emulator.prefer("ann", marketing=False)
            stopped = await heard.get()
            assert isinstance(stopped, types.UserMarketingPreferences)
            assert not stopped
            assert stopped.from_user.wa_id == "4915550000001"
