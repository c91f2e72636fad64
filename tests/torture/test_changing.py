"""What a programme changes in the configuration: each change is one, and all of them may stand."""

import copy
from pathlib import Path
from typing import Any

import pytest

from openparallax.cli.daemon import load_settings
from openparallax.config import Settings
from openparallax.errors import ConfigError
from tests.fakes import meta
from tests.torture.changing import CHANGES, GONE, TOKEN, WRONG_TEXT, Changes
from tests.torture.daemon import SECOND_NUMBER, TorturedDaemon
from tests.torture.nursery import Nursery
from tests.torture.playing import Player
from tests.torture.programme import Programme, Step

TWO = Programme(1, 1, (), accounts=2)


@pytest.fixture
def daemon(tmp_path: Path) -> TorturedDaemon:
    return TorturedDaemon(
        tmp_path, "http://127.0.0.1:1", TWO, nursery=Nursery(), board=tmp_path / "board", port=1
    )


def settings_of(daemon: TorturedDaemon, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """What the daemon would read, had it the plugin."""
    monkeypatch.syspath_prepend(str(daemon.folder))
    daemon.write()
    monkeypatch.setenv("WHATSAPP_APP_SECRET", meta.SECRET)
    return load_settings(daemon.folder / "config.yaml")


def said(daemon: TorturedDaemon) -> dict[str, Any]:
    return copy.deepcopy(daemon._configuration())


@pytest.mark.parametrize("name", CHANGES)
def test_each_change_changes_something_that_may_stand(
    daemon: TorturedDaemon, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    before = said(daemon)
    daemon.changes.make(name)
    assert said(daemon) != before
    settings_of(daemon, monkeypatch)
    if name not in (GONE, TOKEN):
        daemon.changes.make(name)
        assert (said(daemon) == before) is not name.startswith("another engine")


def test_all_of_them_together_may_stand(
    daemon: TorturedDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in CHANGES:
        daemon.changes.make(name)
    whatsapp = settings_of(daemon, monkeypatch).whatsapp
    assert whatsapp.access_token.get_secret_value() == daemon.changes.token != Changes().token
    assert SECOND_NUMBER not in [one.phone_number_id for one in whatsapp.numbers]


def test_what_is_wrong_is_wrong(daemon: TorturedDaemon) -> None:
    daemon.write(is_wrong=True)
    file = daemon.folder / "config.yaml"
    assert file.read_text("utf-8") == WRONG_TEXT
    with pytest.raises(ConfigError):
        load_settings(file)


def test_a_wrong_file_that_is_taken_is_found_and_a_right_one_that_is_refused(
    tmp_path: Path,
) -> None:
    player = Player(Programme(1, 1, (Step("reload"),)), tmp_path, Nursery())
    player._judge([], is_wrong=False)
    player._judge(["a problem"], is_wrong=True)
    assert player._problems == []
    player._judge([], is_wrong=True)
    player._judge(["a problem"], is_wrong=False)
    assert [one.partition(":")[0] for one in player._problems] == ["reload", "reload"]
