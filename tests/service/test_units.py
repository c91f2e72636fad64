"""The units that settings make."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from openparallax.app.daemon import most_stop_s
from openparallax.app.service import make_plan, settings_of_service
from openparallax.errors import ConfigError, Refusal
from openparallax.service import units
from openparallax.service.layout import Layout, of_machine, of_user
from openparallax.service.plan import SHIPPED, Plan
from tests.architecture.source import ROOT

SHIPPED_FILES = {
    "etc/sysusers.d/openparallax.conf": "sysusers.d/openparallax.conf",
    "etc/tmpfiles.d/openparallax.conf": "tmpfiles.d/openparallax.conf",
    "etc/systemd/system/openparallax.service": "openparallax.service",
    "etc/systemd/system/openparallax.socket": "openparallax.socket",
}


def planned(
    folder: Path, changes: dict[str, Any] | None = None, whatsapp: dict[str, Any] | None = None
) -> tuple[Plan, Layout]:
    """The plan for a configuration with these changes, on a machine under ``folder``."""
    layout = of_machine(folder)
    layout.credentials.mkdir(parents=True, exist_ok=True)
    layout.variables.write_text("WHATSAPP_ACCESS_TOKEN=made-up\nWHATSAPP_APP_SECRET='made-up'\n")
    block = {"phone_number_id": "1234567890123456", "verify_token": "x", **(whatsapp or {})}
    document = {"channels": {"whatsapp": block}, "engine": {"type": "echo"}, **(changes or {})}
    layout.config.write_text(yaml.safe_dump(document))
    settings = settings_of_service(layout.config, layout, {})
    return make_plan(settings, layout, SHIPPED, {}), layout


def service(plan: Plan, layout: Layout) -> list[str]:
    return units.service(plan, layout).splitlines()


def test_the_shipped_files_are_what_the_defaults_make(tmp_path: Path) -> None:
    for plan, layout in ((Plan(), of_machine()), planned(tmp_path)):
        texts = units.files(plan, layout)
        assert {
            SHIPPED_FILES[str(path.relative_to(layout.root))]: text for path, text in texts.items()
        } == {name: (ROOT / "systemd" / name).read_text("utf-8") for name in SHIPPED_FILES.values()}


def test_the_stop_is_given_what_draining_and_the_rest_may_take(tmp_path: Path) -> None:
    plan, layout = planned(tmp_path, {"conversation": {"drain_seconds": 90}})
    assert "TimeoutStopSec=125" in service(plan, layout)
    settings = settings_of_service(layout.config, layout, {})
    assert plan.stop_s > most_stop_s(settings) > 90


@pytest.mark.parametrize(
    ("whatsapp", "lines"),
    [
        ({"webhook_host": "0.0.0.0", "webhook_port": 443}, ["ListenStream=0.0.0.0:443"]),
        ({"webhook_host": "::"}, ["ListenStream=[::]:9443"]),
        ({"webhook_host": "192.0.2.7"}, ["ListenStream=192.0.2.7:9443", "FreeBind=yes"]),
    ],
)
def test_the_socket_listens_where_the_configuration_says(
    tmp_path: Path, whatsapp: dict[str, Any], lines: list[str]
) -> None:
    plan, layout = planned(tmp_path, whatsapp=whatsapp)
    found = units.socket(plan, layout).splitlines()
    wanted = ("ListenStream", "FreeBind")
    assert [one for one in found if one.startswith(wanted)] == lines


def test_credentials_that_are_there_are_loaded(tmp_path: Path) -> None:
    account = {"phone_number_id": "7777777777777777"}
    layout = of_machine(tmp_path)
    layout.credentials.mkdir(parents=True)
    own = layout.credentials / "whatsapp_7777777777777777_verify_token"
    own.write_text("y")
    (layout.credentials / "named").write_text("z")
    (tmp_path / "etc/credstore").mkdir()
    (tmp_path / "etc/credstore/other").write_text("z")
    plan, _ = planned(
        tmp_path,
        whatsapp={
            "app_secret": "credential:other",
            "access_token": "file:credentials/named",
            "accounts": [account],
        },
    )
    lines = [one for one in service(plan, layout) if one.startswith("LoadCredential=")]
    assert f"LoadCredential={own.name}:{own}" in lines
    assert "LoadCredential=other" in lines
    assert not any("named" in one for one in lines)  # re-read when it changes
    assert plan.readable == (layout.credentials / "named",)
    said = units.tmpfiles(plan)
    assert f"z {layout.credentials / 'named'} 0640 root openparallax -" in said


def test_a_database_elsewhere_may_be_written_to(tmp_path: Path) -> None:
    plan, layout = planned(tmp_path, {"storage": {"url": "sqlite:////srv/my bot/a.db"}})
    assert 'ReadWritePaths="/srv/my bot"' in service(plan, layout)
    assert 'd "/srv/my bot" 0700 openparallax openparallax -' in units.tmpfiles(plan)


def test_what_a_service_cannot_see_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="in a home folder") as raised:
        planned(tmp_path, {"storage": {"url": f"sqlite:///{tmp_path}/home/me/a.db"}})
    assert raised.value.exit_code == 78
    with pytest.raises(Refusal, match="webhook_port is 0"):
        planned(tmp_path, whatsapp={"webhook_port": 0})


def test_a_variable_of_the_shell_is_none_of_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINE", "made-up")
    with pytest.raises(ConfigError) as raised:
        planned(tmp_path, whatsapp={"verify_token_env": "MINE"} | {"verify_token": None})
    assert "This is how the service sees it" in str(raised.value)
    assert not list(tmp_path.parent.glob("openparallax-*"))


def test_words_are_quoted_as_systemd_reads_them(tmp_path: Path) -> None:
    plan = replace(Plan(), program=("/opt/a b/100%/$x",), config=Path("/srv/it's.yaml"))
    [line] = [one for one in service(plan, of_machine()) if one.startswith("ExecStart=")]
    assert line == 'ExecStart="/opt/a b/100%%/$$x" serve -c "/srv/it\'s.yaml"'


@pytest.mark.parametrize("is_user", [False, True])
def test_systemd_finds_no_fault_in_any(tmp_path: Path, *, is_user: bool) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is missing")
    home = {"HOME": str(tmp_path), "XDG_STATE_HOME": "/srv/my state"}
    layout = of_user(home) if is_user else of_machine()
    plan = replace(
        Plan(),
        program=("/bin/true",),
        config=Path("/srv/my bot/a 100%.yaml"),
        listens=("[::1]:9443", "192.0.2.7:443"),
        is_free_bind=True,
        credentials=(("a", None), ("b", Path("/srv/my bot/b"))),
        writes=None if is_user else Path("/srv/my bot"),
        variables=(("XDG_STATE_HOME", "/srv/my state"),),
        is_one_file=True,
    )
    for path, text in units.files(plan, layout).items():
        (tmp_path / path.name).write_text(text)
    done = subprocess.run(  # noqa: S603 - fixed words
        [
            *(program, *(["--user"] if is_user else []), "--man=no", "verify"),
            *(str(tmp_path / f"openparallax.{kind}") for kind in ("service", "socket")),
        ],
        capture_output=True,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "XDG_RUNTIME_DIR": str(tmp_path)},
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr.decode()) == (0, "")
