"""Secrets exchanged under a house that runs: whoever writes the file has nothing else to do."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from openparallax.app import rotating
from openparallax.config.kept import KeptTokens, kept_path
from openparallax.emulator import Number
from openparallax.outbox import account
from tests.canary import Canary
from tests.fakes import meta
from tests.fakes.engines import FakeEngine
from tests.flow.records import logged
from tests.flow.test_accounts import changes_for
from tests.town import ANN, BOB, Town

SOON_S = 0.02


class Secrets:
    """The files, written as people and programs do."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, name: str) -> Path:
        return self._folder / name

    def write(self, name: str, value: str) -> None:
        """In one go, as whoever is careful does."""
        new = self.path(f"{name}.new")
        new.write_text(value)
        new.replace(self.path(name))


@pytest.fixture
def secrets(tmp_path: Path) -> Secrets:
    made = Secrets(tmp_path)
    made.write("token", "first\n")
    made.write("secret", f"{meta.SECRET}\n")
    return made


def of_files(secrets: Secrets, **more: Any) -> dict[str, Any]:
    whatsapp = {
        "access_token": f"file:{secrets.path('token')}",
        "app_secret": f"file:{secrets.path('secret')}",
        **more,
    }
    return {"channels": {"whatsapp": whatsapp}}


@pytest_asyncio.fixture
async def town(
    tmp_path: Path, secrets: Secrets, monkeypatch: pytest.MonkeyPatch, engine: FakeEngine
) -> AsyncIterator[Town]:
    monkeypatch.setattr(rotating, "LOOK_EVERY_S", SOON_S)
    monkeypatch.setattr(account, "FIRST_PROBE_S", 3600)  # no pause ends by itself
    changes = of_files(secrets)
    async with Town(tmp_path, monkeypatch, engine=engine, changes=changes) as town:
        town.graph.tokens[meta.PHONE_NUMBER_ID] = "first"
        yield town
        assert not logged(town, "secret_files_broke")
        for secret in ("first", "second", "third", meta.SECRET):
            assert f"{secret}\\n" not in town.log.getvalue()
            assert f'"{secret}"' not in town.log.getvalue()


def sent_with(town: Town) -> list[str]:
    """The tokens that sends came with."""
    return [call.token for call in town.graph.calls]


async def refused(town: Town, count: int) -> None:
    await town.until(lambda: len(logged(town, "secret_refused")) == count)


async def rotated(town: Town, count: int = 1) -> None:
    await town.until(lambda: len(logged(town, "secret_rotated")) == count)


async def test_a_token_that_was_refused_is_exchanged_and_what_waited_goes_at_once(
    town: Town, secrets: Secrets
) -> None:
    await town.say(ANN, "hello")
    await town.hears(ANN, 1)
    town.graph.tokens[meta.PHONE_NUMBER_ID] = "second"
    for place in range(5):
        await town.say(ANN, f"a{place}")
        await town.say(BOB, f"b{place}")
    await town.until(lambda: bool(logged(town, "account_paused")))
    assert town.up.outbox.account(meta.PHONE_NUMBER_ID).is_paused
    secrets.write("token", "second")
    await town.until(lambda: "a4" in town.heard(ANN)[-1] and "b4" in town.heard(BOB)[-1])
    assert not town.up.outbox.account(meta.PHONE_NUMBER_ID).is_paused
    assert logged(town, "account_resumed")
    [told] = logged(town, "secret_rotated")
    assert (told["setting"], told["path"]) == (
        "channels.whatsapp.access_token",
        str(secrets.path("token")),
    )


async def test_what_is_not_finished_is_not_taken(town: Town, secrets: Secrets) -> None:
    """Empty, half a token, no text, gone: each is told once, and the old one goes on."""
    town.graph.tokens["another"] = "second"
    path = secrets.path("token")
    unfinished: list[tuple[Any, str]] = [
        (lambda: path.write_bytes(b""), "the file it names is empty"),
        (lambda: path.write_text("\n"), "the file it names is empty"),
        (lambda: path.write_text("sec"), "Meta does not know this access token"),
        (lambda: path.write_text("sec ond"), "holds a space"),
        (lambda: path.write_bytes(b"\xff\xfe"), "is not text"),
        (lambda: path.write_bytes(b"x" * 70_000), "too big for a secret"),
        (path.unlink, "No such file"),
    ]
    await town.until(lambda: town.up.keyring.renewing.states()[0].is_valid is True)
    for count, (spoil, reason) in enumerate(unfinished, start=1):
        spoil()
        await refused(town, count)
        told = logged(town, "secret_refused")[-1]
        assert reason in told["reason"]
        assert told["path"] == str(path)
        await town.say(ANN, f"still {count}")
        await town.hears(ANN, count)
    assert sent_with(town) == ["first"] * len(unfinished)
    assert not logged(town, "secret_rotated")
    town.graph.tokens[meta.PHONE_NUMBER_ID] = "second"
    secrets.write("token", "second")
    await rotated(town)
    await town.say(ANN, "and on")
    await town.hears(ANN, len(unfinished) + 1)
    assert sent_with(town)[-1] == "second"


async def test_a_file_that_is_written_slowly_is_waited_for(town: Town, secrets: Secrets) -> None:
    """It is read only once it has rested; in place, as an editor may write."""
    files = town.up.keyring._files
    await files.stop()
    town.graph.tokens[meta.PHONE_NUMBER_ID] = "second"
    with secrets.path("token").open("w") as file:
        for letter in "secon":
            file.write(letter)
            file.flush()
            await files.look()
        file.write("d")
    await files.look()
    assert not logged(town, "secret_refused")
    assert not logged(town, "secret_rotated")
    await files.look()
    assert logged(town, "secret_rotated")


async def test_an_app_secret_is_exchanged(town: Town, secrets: Secrets) -> None:
    async def status(secret: str) -> int:
        item = meta.text(ANN, "hello")
        return await meta.post(town.session, town.url, meta.body(item), secret)

    assert (await status(meta.SECRET), await status("second")) == (200, 401)
    secrets.write("secret", "second\n")
    await rotated(town)
    assert (await status(meta.SECRET), await status("second")) == (401, 200)


async def test_two_app_secrets_while_one_is_exchanged(town: Town, secrets: Secrets) -> None:
    secrets.write("next", "second")
    files = [f"file:{secrets.path('secret')}", f"file:{secrets.path('next')}"]
    outcome = await town.reload(of_files(secrets, app_secret=files))
    assert outcome.applied == ("channels.whatsapp.app_secret",)
    secrets.write("next", "third")
    await rotated(town)
    for secret, expected in ((meta.SECRET, 200), ("second", 401), ("third", 200)):
        item = meta.text(ANN, "hello")
        got = await meta.post(town.session, town.url, meta.body(item), secret)
        assert got == expected


@pytest.mark.parametrize("edit", ["{wrong", None])
async def test_an_edit_of_the_configuration_is_not_taken_with_it(
    town: Town, secrets: Secrets, edit: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is in order was not asked for, and one that is half done is not in the way."""
    file = town.folder / "config.yaml"
    text = file.read_text()
    assert "read" not in text
    edited = edit or text.replace("presence: none", "presence: read")
    file.write_text(edited)
    # Of the town's own way to read, which writes the file anew, only the rest is wanted.
    monkeypatch.setattr(Path, "write_text", lambda *_: 0)
    town.graph.tokens[meta.PHONE_NUMBER_ID] = "second"
    secrets.path("token").write_bytes(b"second")
    await rotated(town)
    assert file.read_text() == edited
    assert town.up.settings.whatsapp.presence == "none"
    await town.say(ANN, "hello")
    await town.hears(ANN, 1)
    assert sent_with(town) == ["second"]


async def test_a_secret_behind_a_link_as_clusters_mount_it(
    town: Town, secrets: Secrets, tmp_path: Path
) -> None:
    for name, value in (("one", "first"), ("two", "second")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "token").write_text(value)
    (tmp_path / "data").symlink_to("one")
    secrets.path("token").unlink()
    secrets.path("token").symlink_to(tmp_path / "data" / "token")
    (tmp_path / "data.new").symlink_to("two")
    town.graph.tokens[meta.PHONE_NUMBER_ID] = "second"
    (tmp_path / "data.new").replace(tmp_path / "data")
    await rotated(town)


async def test_a_file_that_holds_the_same_again_changes_nothing(
    town: Town, secrets: Secrets
) -> None:
    files = town.up.keyring._files
    await files.stop()
    secrets.write("token", "first")
    for _ in range(3):
        await files.look()
    assert not logged(town, "secret_rotated")
    assert not logged(town, "reloaded")


async def test_a_further_number_has_files_of_its_own(
    town: Town, secrets: Secrets, tmp_path: Path
) -> None:
    """And those that a reload has brought are looked at as well."""
    second = changes_for(tmp_path)["channels"]["whatsapp"]["accounts"]
    await town.reload(of_files(secrets, accounts=second))
    number = second[0]["phone_number_id"]
    town.graph.tokens[number] = "renewed"
    (tmp_path / "second.token").write_text("renewed")
    await rotated(town)
    item = meta.text(ANN, "two", phone_number_id=number)
    await meta.post(town.session, town.url, meta.body(item), "the_second_ones_secret")
    await town.graph.wait_for(1)
    assert sent_with(town) == ["renewed"]


# -- refreshed tokens in a whole house -------------------------------------------------------------


@pytest_asyncio.fixture
async def ending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: FakeEngine
) -> AsyncIterator[Town]:
    """A town whose token has three days left, and an app that may refresh it."""
    changes: dict[str, Any] = {"channels": {"whatsapp": {"app_id": "1234567890"}}}
    town = Town(tmp_path, monkeypatch, engine=engine, changes=changes)
    business = town.graph._account
    business.app_secret = meta.SECRET
    business.add_token("token", expires_at=int(time.time()) + 3 * 86_400)
    business.add_token("rotated")
    business.numbers.append(Number(id=meta.PHONE_NUMBER_ID, display_phone_number="15550001111"))
    async with town:
        yield town


def fresh(town: Town) -> str:
    return next(one for one in town.graph._account.tokens if len(one) > 100)


async def test_a_refreshed_token_is_used_from_then_on(ending: Town, monkeypatch: Any) -> None:
    town = ending
    await town.until(lambda: bool(logged(town, "token_refreshed")))
    await town.until(lambda: town.up.settings.configured is not None)
    canary = Canary()
    await town.say(ANN, canary.words)
    await town.hears(ANN, 1)
    assert sent_with(town) == [fresh(town)]
    # A reload of the same file leaves it in use, and so does a restart.
    assert (await town.reload(town.changes)).applied == ()
    await town.restart()
    await town.say(ANN, "again")
    await town.hears(ANN, 2)
    assert sent_with(town) == [fresh(town)] * 2
    path = kept_path(town.up.database.path)
    assert KeptTokens(path).of("token") is not None
    assert canary.core.encode() not in path.read_bytes()
    assert fresh(town) not in town.log.getvalue()
    # The configured one wins as soon as it is another.
    (town.folder / "rotated").write_text("rotated")
    changes = {
        "channels": {
            "whatsapp": {
                "app_id": "1234567890",
                "access_token": f"file:{town.folder / 'rotated'}",
            }
        }
    }
    assert (await town.reload(changes)).applied == ("channels.whatsapp.access_token",)
    await town.say(ANN, "and again")
    await town.hears(ANN, 3)
    assert sent_with(town)[-1] == "rotated"


async def test_a_refreshed_token_does_not_bring_an_edit_with_it(ending: Town) -> None:
    town = ending
    town.changes = {**(town.changes or {}), "notices": {"new": "Not asked for."}}
    await town.until(lambda: town.up.settings.configured is not None)
    await town.say(ANN, "/new")
    assert await town.hears(ANN, 1) != ["Not asked for."]


async def test_a_file_that_was_reloaded_meanwhile_stays_in_force(
    town: Town, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Meta may take its time to say what it thinks of the new token."""
    asked, may_go = asyncio.Event(), asyncio.Event()
    refused_of = town.up.keyring._files._refused

    async def slowly(settings: Any) -> Any:
        asked.set()
        await may_go.wait()
        return await refused_of(settings)

    monkeypatch.setattr(town.up.keyring._files, "_refused", slowly)
    town.graph.tokens[meta.PHONE_NUMBER_ID] = "second"
    secrets.write("token", "second")
    await asyncio.wait_for(asked.wait(), 10)
    await town.reload(of_files(secrets, allowed_numbers=[BOB]))
    may_go.set()
    await rotated(town)
    await town.say(ANN, "let me in")
    await town.say(BOB, "hello")
    await town.hears(BOB, 1)
    assert town.heard(ANN) == []
    assert sent_with(town) == ["second"]
