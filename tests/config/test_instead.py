"""Graph's address and the database, named by a caller: checked as the file's own, and they win."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from openparallax.config import Instead, Settings, load
from openparallax.errors import ConfigError
from tests.config.files import ENGINES, ENVIRONMENT, SMALLEST, STAGES

ACCOUNTS = """\
    accounts:
      - phone_number_id: "222"
        access_token: t
        graph_api_url: https://graph.example.org
      - phone_number_id: "333"
        access_token: t
"""


def loaded(
    tmp_path: Path,
    instead: Instead,
    more: str = "",
    environment: Mapping[str, str] = ENVIRONMENT,
) -> Settings:
    file = tmp_path / "config.yaml"
    file.write_text(SMALLEST + more)
    return load(file, environment=environment, engines=ENGINES, stages=STAGES, instead=instead)


def test_every_number_speaks_to_the_address_that_is_given(tmp_path: Path) -> None:
    given = Instead(graph_api_url="http://127.0.0.1:9445/")
    whatsapp = loaded(tmp_path, given, ACCOUNTS).whatsapp
    assert [one.phone_number_id for one in whatsapp.numbers][1:] == ["222", "333"]
    assert {one.graph_api_url for one in whatsapp.numbers} == {"http://127.0.0.1:9445"}


def test_warnings_are_about_what_holds(tmp_path: Path) -> None:
    elsewhere = Instead(graph_api_url="http://graph.example.org")
    [warning] = loaded(tmp_path, elsewhere).warnings
    assert "graph_api_url is not https" in warning


def test_the_database_is_the_one_that_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    more = "storage: {url: sqlite:///real.db, retention_days: 3}\n"
    storage = loaded(tmp_path, Instead(storage_url="sqlite:////srv/other.db"), more).storage
    assert (storage.path, storage.retention_days) == (Path("/srv/other.db"), 3)
    relative = loaded(tmp_path, Instead(storage_url="sqlite:///here.db"), more).storage
    assert relative.path == tmp_path / "here.db"
    no_home = {name: value for name, value in ENVIRONMENT.items() if name != "HOME"}
    assert loaded(tmp_path, Instead(storage_url="sqlite:///here.db"), "", no_home).storage.path


def test_nothing_given_changes_nothing(tmp_path: Path) -> None:
    assert loaded(tmp_path, Instead()) == loaded(tmp_path, Instead(), "")
    assert loaded(tmp_path, Instead()).whatsapp.graph_api_url == "https://graph.facebook.com"


@pytest.mark.parametrize(
    ("instead", "problems"),
    [
        (
            Instead(graph_api_url="graph.sesame.org"),
            ["--graph-api-url: must be an address such as https://graph.facebook.com"],
        ),
        (
            Instead(graph_api_url="https://sesame:x@graph", storage_url="sqlite:///"),
            [
                "--graph-api-url: must have no user, question mark or # in it",
                "--storage-url: must name a file after sqlite:///, with one more slash if absolute",
            ],
        ),
    ],
)
def test_what_is_wrong_names_the_option_and_no_value(
    tmp_path: Path, instead: Instead, problems: list[str]
) -> None:
    with pytest.raises(ConfigError) as raised:
        loaded(tmp_path, instead)
    assert raised.value.problems == problems


def test_the_files_own_are_checked_all_the_same(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"storage\.url: must be sqlite"):
        loaded(tmp_path, Instead(storage_url="sqlite:///x.db"), "storage: {url: mysql}\n")
