"""What comes while the house is still starting is answered like everything else."""

from pathlib import Path

import pytest

from openparallax.webhook.server import WebhookServer
from tests.fakes import meta
from tests.fakes.engines import FakeEngine
from tests.town import ANN, Town


async def test_a_message_between_the_listener_s_start_and_the_dispatcher_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: FakeEngine
) -> None:
    start = WebhookServer.start
    item = meta.text(ANN, "good morning")
    shown = {"channels": {"whatsapp": {"presence": "typing"}}}
    town = Town(tmp_path, monkeypatch, engine=engine, changes=shown)

    async def start_and_be_written_to(self: WebhookServer) -> None:
        await start(self)
        url = f"http://127.0.0.1:{self.port}/webhook"
        assert await meta.post(town.session, url, meta.body(item)) == 200

    monkeypatch.setattr(WebhookServer, "start", start_and_be_written_to)
    async with town:
        assert await town.hears(ANN, 1, timeout_s=10) == ["good morning"]
        # It was read in the table, which has no ids, and is marked as read all the same.
        await town.until(lambda: bool(town.graph.presence))
        assert town.graph.presence[0][:2] == (meta.PHONE_NUMBER_ID, item["message"]["id"])
