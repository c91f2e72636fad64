"""pywa moves files, and asks for and changes what Meta keeps of a business."""

from pathlib import Path

import pytest
from pywa import types
from pywa.types import templates
from pywa_async.errors import WhatsAppError

from tests.emulator.clients.pywa_side import pywa_client
from tests.emulator.clients.test_pywa_sending import PNG

ENGLISH = templates.TemplateLanguage.ENGLISH_US


async def test_a_file_goes_up_comes_back_and_is_deleted(tmp_path: Path) -> None:
    async with pywa_client() as pywa:
        wa = pywa.wa
        media = await wa.upload_media(PNG, mime_type="image/png", filename="a.png")
        found = await wa.get_media_url(media.id)
        assert (found.mime_type, found.file_size) == ("image/png", len(PNG))
        assert await wa.get_media_bytes(found.url) == PNG
        assert await found.get_bytes() == PNG
        assert b"".join([chunk async for chunk in wa.stream_media(found.url)]) == PNG
        await wa.download_media(url=found.url, path=tmp_path, filename="b.png")
        assert (tmp_path / "b.png").read_bytes() == PNG
        assert await wa.delete_media(media.id, phone_id=wa.phone_id)
        with pytest.raises(WhatsAppError) as caught:
            await wa.get_media_url(media.id)
        assert (caught.value.code, caught.value.subcode) == (100, 33)


async def test_the_account_and_its_number() -> None:
    async with pywa_client() as pywa:
        wa = pywa.wa
        assert (await wa.get_business_account()).id == wa.waba_id
        number = await wa.get_business_phone_number()
        assert number.display_phone_number == "+1 555-010-0000"
        assert [one.id for one in await wa.get_business_phone_numbers()] == [wa.phone_id]
        assert (await wa.get_business_phone_number_settings()).calling is not None
        assert await wa.update_conversational_automation(
            ice_breakers=["Hi"], commands=[types.Command("otr", "off the record")]
        )
        automation = (await wa.get_business_phone_number()).conversational_automation
        assert automation is not None
        assert automation.ice_breakers == ("Hi",)
        assert automation.commands is not None
        assert [one.name for one in automation.commands] == ["otr"]
        assert await wa.update_display_name("Bakery")
        assert await wa.update_business_profile(about="Bread", industry=types.Industry.RESTAURANT)
        profile = await wa.get_business_profile()
        assert (profile.about, profile.industry) == ("Bread", types.Industry.RESTAURANT)
        assert await wa.deregister_phone_number()
        assert await wa.register_phone_number("123456")


async def test_templates_from_the_cradle_to_the_grave() -> None:
    async with pywa_client() as pywa:
        wa = pywa.wa
        made = await wa.create_template(
            templates.Template(
                name="season",
                category=templates.TemplateCategory.UTILITY,
                language=ENGLISH,
                parameter_format=templates.ParamFormat.NAMED,
                components=[
                    templates.BodyText(text="Hello {{name}}", name="Ann"),
                    templates.FooterText(text="Bye"),
                    templates.Buttons(buttons=[templates.QuickReplyButton(text="No")]),
                ],
            )
        )
        names = [one.name for one in await wa.get_templates()]
        assert names == ["hello_world", "appointment_reminder", "order_update", "season"]
        shown = await wa.get_template(made.id)
        assert [type(one).__name__ for one in shown.components] == [
            "BodyText",
            "FooterText",
            "Buttons",
        ]
        params = [templates.BodyText.params(name="Ann")]
        assert await wa.send_template("4915550000001", "season", ENGLISH, params)
        assert await wa.update_template(made.id, new_category=templates.TemplateCategory.MARKETING)
        assert await wa.delete_template("season")
        assert "season" not in [one.name for one in await wa.get_templates()]


async def test_a_sample_for_a_template_goes_up_in_a_session() -> None:
    async with pywa_client() as pywa:
        api, app_id = pywa.wa.api, str(pywa.wa.app_id)
        made = await api.create_upload_session(app_id, "a.png", len(PNG), "image/png")
        assert (await api.get_upload_session(made["id"]))["file_offset"] == 0
        assert (await api.upload_file(made["id"], PNG))["h"].startswith("4::")
