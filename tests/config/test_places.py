from pathlib import Path

from openparallax.config import places, search
from openparallax.config.places import state_file


def _file(folder: Path) -> Path:
    folder.mkdir(parents=True)
    file = folder / "config.yaml"
    file.touch()
    return file


def test_a_named_file_comes_first_even_if_it_is_not_there(tmp_path: Path) -> None:
    _file(tmp_path / "service")
    environment = {
        "OPENPARALLAX_CONFIG": str(tmp_path / "named.yaml"),
        "CONFIGURATION_DIRECTORY": str(tmp_path / "service"),
    }

    assert search(environment) == tmp_path / "named.yaml"


def test_the_order_of_the_folders(tmp_path: Path) -> None:
    home = _file(tmp_path / "home/.config/openparallax")
    environment = {"HOME": str(tmp_path / "home")}
    assert search(environment) == home

    xdg = _file(tmp_path / "xdg/openparallax")
    environment["XDG_CONFIG_HOME"] = str(tmp_path / "xdg")
    assert search(environment) == xdg

    service = _file(tmp_path / "service")
    environment["CONFIGURATION_DIRECTORY"] = f"{tmp_path / 'service'}:/elsewhere"
    assert search(environment) == service

    service.unlink()
    assert search(environment) == xdg
    assert places(environment)[-1] == Path("/etc/openparallax/config.yaml")


def test_nothing_found(tmp_path: Path) -> None:
    if not Path("/etc/openparallax/config.yaml").exists():
        assert search({"HOME": str(tmp_path)}) is None
        assert search({}) is None


def test_the_place_of_the_database() -> None:
    assert state_file({"STATE_DIRECTORY": "/var/lib/a:/var/lib/b", "HOME": "/h"}) == Path(
        "/var/lib/a/openparallax.db"
    )
    assert state_file({"XDG_STATE_HOME": "/s", "HOME": "/h"}) == Path(
        "/s/openparallax/openparallax.db"
    )
    assert state_file({"XDG_STATE_HOME": "relative", "HOME": "/h"}) == Path(
        "/h/.local/state/openparallax/openparallax.db"
    )
    assert state_file({}) is None
