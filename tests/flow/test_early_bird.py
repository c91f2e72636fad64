"""What comes while the house is still starting is answered like everything else."""

import pytest

from openparallax.webhook.server import WebhookServer
from tests.fakes import meta
from tests.town import ANN, Town


async def test_a_message_between_the_listener_s_start_and_the_dispatcher_s(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = WebhookServer.start

    async def start_and_be_written_to(self: WebhookServer) -> None:
        await start(self)
        url = f"http://127.0.0.1:{self.port}/webhook"
        body = meta.body(meta.text(ANN, "good morning"))
        assert await meta.post(town.session, url, body) == 200

    await town.stop()
    monkeypatch.setattr(WebhookServer, "start", start_and_be_written_to)
    await town.start()
    assert await town.hears(ANN, 1, timeout_s=3) == ["good morning"]
