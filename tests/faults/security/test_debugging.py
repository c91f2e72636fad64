"""No switch of the environment makes the daemon say what it was told off the record."""

import asyncio
import json
import time
from pathlib import Path

from tests.app.patience import until
from tests.app.process import Daemon
from tests.canary import Canary
from tests.fakes import meta
from tests.fakes.messages_api import MessagesApi

ANN = "4915112345678"
SWITCHES = {
    "PYTHONASYNCIODEBUG": "1",
    "PYTHONDEVMODE": "1",
    "PYTHONWARNINGS": "default",
    "ANTHROPIC_LOG": "debug",
    "HTTPX_LOG_LEVEL": "trace",
    "HTTPX2_LOG_LEVEL": "trace",
    "DEBUG": "1",
}


def all_under(folder: Path) -> list[tuple[str, bytes]]:
    return [(path.name, path.read_bytes()) for path in folder.rglob("*") if path.is_file()]


async def test_no_switch_of_the_environment_makes_it_talk(tmp_path: Path) -> None:
    """Devmode has asyncio name slow callbacks and tasks, with what they were called with."""
    canary, key = Canary(), Canary()
    async with MessagesApi() as api, Daemon(tmp_path) as daemon:
        daemon.configure(
            engine={"type": "anthropic", "api_key_env": "KEY_OF_MODEL", "base_url": api.url},
            log={"level": "debug", "format": "json"},
        )
        daemon.environment = {
            **SWITCHES,
            "KEY_OF_MODEL": key.core,
            "SSLKEYLOGFILE": str(tmp_path / "keys"),
            "TMPDIR": str(tmp_path / "temporary"),
        }
        (tmp_path / "temporary").mkdir()
        await daemon.launch()
        await until(daemon._answers, timeout_s=600)  # with these switches it is slow to start
        at = int(time.time())
        await daemon.deliver(meta.text(ANN, "/otr", at=at))
        await daemon.hears(ANN, 1)
        await daemon.deliver(meta.text(ANN, canary.words, at=at + 1))
        await daemon.hears(ANN, 2)
        assert api.asked  # the words did go to the model
        assert canary.core in json.dumps(api.asked[-1].body)
        daemon.config.unlink()  # it names the variables, no values
        for file, written in await asyncio.to_thread(all_under, tmp_path):
            assert canary.found_in(written) == [], file
            assert key.found_in(written) == [], file
        assert not (tmp_path / "keys").exists()
        assert "library_warned" in daemon.said  # asyncio, of slow callbacks: by its name alone
