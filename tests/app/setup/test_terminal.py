"""`init` as a person meets it, on a terminal; and the daemon that then answers."""

import io
import stat
from pathlib import Path

import pytest

from openparallax import config, logs
from openparallax.app.dev.ports import any_port
from openparallax.app.house import House
from openparallax.app.plugins import engine_catalog, stage_catalog
from openparallax.clock import SystemClock
from openparallax.emulator import Account, Emulator, Number
from openparallax.session.notices import SENTENCES
from tests.app.patience import until
from tests.app.setup.person import CTRL_C, Person

SECRET = "0123456789abcdef0123456789abcdef"
TOKEN = "EAA" + "x" * 160
TEMPORARY = "EAA" + "t" * 160
ANN = "+49 (0)1555-0000001"


def account() -> Account:
    """A business with two numbers."""
    found = Account(app_secret=SECRET)
    found.numbers.append(
        Number(id="2234567890123456", display_phone_number="4915110000000", verified_name="Second")
    )
    found.add_token(TOKEN, target_ids=(found.waba_id,))
    found.add_token(TEMPORARY, kind="USER", expires_at=4_000_000_000)
    return found


def _files(folder: Path) -> dict[str, tuple[int, str]]:
    """Mode and text of every file below a folder, by name."""
    return {
        path.name: (stat.S_IMODE(path.stat().st_mode), path.read_text("utf-8"))
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.slow
async def test_from_the_first_question_to_an_answer(tmp_path: Path) -> None:
    file, port = tmp_path / "bot" / "config.yaml", any_port()
    async with Emulator(account=account()) as emulator:
        options = ("--graph-api-url", emulator.url, "--webhook-port", str(port))
        async with Person(tmp_path, "-c", str(file), *options) as person:
            await person.answers("App ID", "1234567890")
            await person.answers("App secret", "f" * 32)
            await person.sees("The secret is not this app's")
            await person.answers("App ID [1234567890]", "")
            await person.answers("App secret", SECRET)
            await person.sees('The app "OpenParallax dev", and this is its secret')
            await person.answers("Phone number ID", "+1 555-010-0000")
            await person.sees("This is the telephone number itself")
            await person.answers("Phone number ID", "15550100000")
            await person.answers("Phone number ID", "15550100000")  # insists
            await person.answers("Account ID", emulator.world.account.waba_id)
            await person.answers("Access token", f'"Bearer {TEMPORARY}"')
            await person.sees("This is a temporary token")
            await person.answers("Use it all the same?", "n")
            await person.answers("Access token", f"{TOKEN[:90]}\n{TOKEN[90:]}")
            await person.sees("A system user's token that does not end")
            await person.sees("the telephone number itself; Meta's id of it is 1234567890123456")
            await person.sees("2  +49 15110000000  Second  (ID 2234567890123456)")
            await person.answers("Which one", "")
            await person.sees('The number +1 555-010-0000, "OpenParallax"')
            await person.answers("Public address", "http://bot.example.org")
            await person.sees("Meta calls https only")
            await person.answers("Public address", "")
            await person.answers("Numbers", "01555 0000001")
            await person.sees("its country code is missing")
            await person.answers("Numbers", ANN)
            await person.sees("Understood: +4915550000001.")
            await person.answers("Engine", "echo")
            assert not file.parent.exists()
            await person.answers("Write them?", "")
            assert await person.ends() == 0, person.shown
        token_line = next(li for li in person.shown.splitlines() if "Verify token" in li)
        verify_token = token_line.split()[-1]
        emulator.world.account.verify_token = verify_token

        assert SECRET not in person.shown
        assert "x" * 20 not in person.shown
        assert f"{file.parent}/credentials/whatsapp_access_token" in person.shown
        written = _files(file.parent)
        assert set(written) == {
            *("config.yaml", "openparallax.schema.json", "whatsapp_access_token"),
            *("whatsapp_app_secret", "whatsapp_verify_token"),
        }
        assert {mode for mode, _ in written.values()} == {0o600}
        assert stat.S_IMODE((file.parent / "credentials").stat().st_mode) == 0o700
        text = file.read_text("utf-8")
        assert text.startswith("# yaml-language-server: $schema=openparallax.schema.json\n")
        assert SECRET not in text
        assert TOKEN not in text

        file.write_text(f"{text}admin: {{enabled: false}}\n", "utf-8")
        await _talks(tmp_path, file, emulator, port)


async def _talks(home: Path, file: Path, emulator: Emulator, port: int) -> None:
    """See that a daemon with this file is verified by Meta, and answers."""
    settings = config.load(
        file,
        environment={"HOME": str(home)},
        engines=engine_catalog(),
        stages=stage_catalog(),
        sentences=SENTENCES,
    )
    log = logs.configure(level="error", render="json", stream=io.StringIO())
    house = House(settings, clock=SystemClock(), log=log)
    await house.start()
    try:
        url = f"http://127.0.0.1:{port}/webhook"
        token = emulator.world.account.verify_token
        assert (await emulator.delivery.handshake(url, token))[1]
        emulator.delivery.url = url
        emulator.say("ann", "hello")
        chat = emulator.world.chat(emulator.world.our_number().id, "ann")
        await until(lambda: [one.words for one in chat.messages] == ["hello", "hello"])
    finally:
        await house.stop()


async def test_ctrl_c_where_nobody_sees_what_is_typed(tmp_path: Path) -> None:
    async with Person(tmp_path, "-c", str(tmp_path / "config.yaml"), "--offline") as person:
        await person.answers("App ID", "1234567890")
        await person.sees("App secret")
        await person.sees(": ")
        assert not person.is_seen()
        person.types(CTRL_C)
        assert await person.ends() == 130
        assert person.is_seen()
    assert "Nothing was written. The ids are remembered for the next time" in person.shown
    assert "Traceback" not in person.shown
    left = _files(tmp_path)
    assert left == {"init.json": (0o600, '{"app_id": "1234567890"}')}
