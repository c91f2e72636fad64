"""Where the database of a configuration is, for commands that need no secret."""

from pathlib import Path

import pytest

from openparallax.config import database, find_database
from openparallax.errors import ConfigError
from tests.config.files import SMALLEST, with_block

HOME = {"HOME": "/home/somebody"}
NAME = "openparallax/openparallax.db"


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of our own, so that no test sees what is installed here."""
    monkeypatch.setattr(database, "_OF_THE_MACHINE", tmp_path / "etc")
    monkeypatch.setattr(database, "_OF_THE_SERVICE", tmp_path / "var/lib" / NAME)
    monkeypatch.setattr(database, "search", lambda _: None)
    return tmp_path


def _put(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("sqlite:///bot.db", "bot.db"),
        ("sqlite:////srv/bot.db", "/srv/bot.db"),
        ("sqlite:///~/bot.db", "/home/somebody/bot.db"),
        ("sqlite:///${FOLDER:-data}/bot.db", "data/bot.db"),
    ],
)
def test_where_the_file_says(tmp_path: Path, url: str, found: str) -> None:
    file = _put(tmp_path / "config.yaml", with_block(f"storage: {{url: '{url}'}}"))

    assert find_database(file, HOME) == tmp_path / found


def test_no_secret_need_be_there_and_no_other_variable(tmp_path: Path) -> None:
    text = "storage: {url: sqlite:///bot.db}\nengine: {type: gone, key: '${KEY}'}\n" + (
        SMALLEST.replace("9443", "${PORT}")
        + "    verify_token_env: NOPE\n".replace("verify_token", "app_secret")
    )
    file = _put(tmp_path / "config.yaml", text)

    assert find_database(file, {}) == tmp_path / "bot.db"


def test_without_the_line_it_is_where_serve_would_put_it(tmp_path: Path) -> None:
    file = _put(tmp_path / "config.yaml", SMALLEST)
    state = {**HOME, "STATE_DIRECTORY": f"{tmp_path}/state:/other"}

    assert find_database(file, state) == tmp_path / "state/openparallax.db"
    assert find_database(file, {"XDG_STATE_HOME": str(tmp_path)}) == tmp_path / NAME
    assert find_database(file, HOME) == Path("/home/somebody/.local/state") / NAME
    assert find_database(None, HOME) == Path("/home/somebody/.local/state") / NAME


def test_what_is_there_goes_before_what_is_not(machine: Path) -> None:
    mine = {"XDG_STATE_HOME": str(machine / "state")}
    service = _put(machine / "var/lib" / NAME)
    assert find_database(None, mine) == service
    assert find_database(None, {}) == service

    own = _put(machine / "state" / NAME)
    assert find_database(None, mine) == own
    assert find_database(None, {**mine, "STATE_DIRECTORY": "/elsewhere"}) == Path(
        "/elsewhere/openparallax.db"
    )


def test_a_configuration_of_the_machine_means_the_service(machine: Path) -> None:
    mine = {"XDG_STATE_HOME": str(machine / "state")}
    file = _put(machine / "etc/openparallax/config.yaml", SMALLEST)
    service = machine / "var/lib" / NAME
    assert find_database(file, mine) == service

    own = _put(machine / "state" / NAME)
    assert find_database(file, mine) == own
    _put(service)
    assert find_database(file, mine) == service


def test_a_folder_that_may_not_be_entered_is_not_passed_over(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: Path) -> bool:
        if self == machine / "var/lib" / NAME:
            raise PermissionError
        return False

    monkeypatch.setattr(Path, "exists", refused)

    assert find_database(None, HOME) == machine / "var/lib" / NAME


def test_the_file_that_is_found_is_the_one(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = _put(machine / "config.yaml", with_block("storage: {url: sqlite:///bot.db}"))
    monkeypatch.setattr(database, "search", lambda _: file)

    assert find_database(None, HOME) == machine / "bot.db"


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("storage: {ulr: sqlite:///bot.db}", ":11: storage.ulr: is not a setting; did you mean"),
        ("storge: {url: sqlite:///bot.db}", ":11: storge: is not a setting; did you mean storage"),
        ("    storage: {url: sqlite:///b}", ":11: channels.whatsapp.storage: is not a setting"),
        ("storage: {url: 'postgres://x'}", ":11: storage.url: must be sqlite:///PATH"),
        ("storage: {url: 5}", ":11: storage.url: must be sqlite:///PATH"),
        ("storage: []", ":11: storage.url: must be sqlite:///PATH"),
        ("storage: {url: 'sqlite:///${NOPE}'}", ":11: storage.url: the environment variable NOPE"),
        ("storage: {url: a}\nstorage: {url: b}", ":12: storage: is set twice; first in line 11"),
        ("a: 'b", ": is not YAML here"),
    ],
)
def test_a_file_that_might_mean_another_place_is_refused(
    tmp_path: Path, block: str, said: str
) -> None:
    file = _put(tmp_path / "config.yaml", with_block(block))

    with pytest.raises(ConfigError) as raised:
        find_database(file, HOME)

    assert any(said in problem for problem in raised.value.problems), raised.value.problems


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file"):
        find_database(tmp_path / "gone.yaml", HOME)


def test_no_home_and_nothing_there_is_where_the_service_would_be(machine: Path) -> None:
    assert find_database(None, {}) == machine / "var/lib" / NAME
