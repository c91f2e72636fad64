"""The shipped unit: hardened, in order, and in step with the daemon that it starts."""

import re
from pathlib import Path

import yaml

from openparallax import config
from openparallax.app.daemon import CLOSING_S
from openparallax.app.house import SEND_GRACE_S
from openparallax.app.plugins import CLOSE_S, engine_catalog, stage_catalog
from openparallax.config.models import Conversation
from openparallax.session.notices import SENTENCES
from tests.systemd.unit import PROGRAM, analyze, setting, settings

MOST_EXPOSED = 1.5
CREDENTIALS = {
    "whatsapp_access_token": "secret-1",
    "whatsapp_app_secret": "secret-2",
    "whatsapp_verify_token": "secret-3",
    "anthropic_api_key": "secret-4",
}

BOLTS = (
    "LockPersonality MemoryDenyWriteExecute NoNewPrivileges PrivateDevices PrivateMounts PrivateTmp"
    " PrivateUsers ProtectClock ProtectControlGroups ProtectHome ProtectHostname ProtectKernelLogs"
    " ProtectKernelModules ProtectKernelTunables RemoveIPC RestrictNamespaces RestrictRealtime"
    " RestrictSUIDSGID"
)
FACTS = {
    "After": "network-online.target openparallax.socket",
    "Wants": "network-online.target openparallax.socket",
    "PartOf": "openparallax.socket",
    "User": "openparallax",
    "Group": "openparallax",
    "ConfigurationDirectory": "openparallax",
    "StateDirectory": "openparallax",
    "RuntimeDirectory": "openparallax",
    "ExecReload": "/bin/kill -HUP $MAINPID",
    "StartLimitIntervalSec": "0",
    "RestartSec": "5",
    "TimeoutStartSec": "120",
    "KillMode": "mixed",
    "CapabilityBoundingSet": "",
    "AmbientCapabilities": "",
    "ProtectSystem": "strict",
    "ProtectProc": "invisible",
    "ProcSubset": "pid",
    "DevicePolicy": "closed",
    "KeyringMode": "private",
    "SystemCallArchitectures": "native",
    "SystemCallErrorNumber": "EPERM",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
    "WantedBy": "multi-user.target",
    **dict.fromkeys(BOLTS.split(), "yes"),
}


def test_systemd_finds_no_fault(tmp_path: Path) -> None:
    assert analyze(tmp_path, "verify") == (0, "")


def test_systemd_finds_it_hardened(tmp_path: Path) -> None:
    threshold = f"--threshold={MOST_EXPOSED * 10:.0f}"
    code, said = analyze(tmp_path, "security", "--offline=true", "--no-pager", threshold)
    assert code == 0, said
    found = re.search(r"Overall exposure level for openparallax\.service: ([\d.]+) ", said)
    assert found is not None, said
    assert float(found[1]) <= MOST_EXPOSED


def test_nothing_is_left_out() -> None:
    """Each alone weighs too little for systemd's judgement, which changes with its version."""
    assert {name: settings(name) for name in FACTS} == {
        name: [value] for name, value in FACTS.items()
    }
    assert settings("SystemCallFilter") == ["@system-service", "~@privileged @resources"]


def test_it_starts_what_the_readme_installs() -> None:
    assert setting("ExecStart") == f"{PROGRAM} serve"


def test_a_stop_is_given_the_time_that_it_may_take() -> None:
    stop_s = Conversation().drain_seconds + SEND_GRACE_S + CLOSING_S
    assert float(setting("TimeoutStopSec")) > stop_s
    assert CLOSING_S > CLOSE_S


def test_memory_goes_nowhere_else() -> None:
    for name in ("MemorySwapMax", "LimitCORE", "CoredumpFilter"):
        assert setting(name) == "0", name


def test_nobody_else_reads_what_it_writes() -> None:
    assert setting("UMask") == "0077"
    for name in ("StateDirectory", "RuntimeDirectory"):
        assert setting(f"{name}Mode") == "0700"
    assert setting("ConfigurationDirectoryMode") == "0750"


def test_what_trying_again_cannot_mend_is_not_tried_again() -> None:
    assert setting("Restart") == "always"
    assert set(setting("RestartPreventExitStatus").split()) == {"2", "78"}


def test_it_is_notified_and_watched() -> None:
    assert setting("Type") == "notify"
    assert setting("NotifyAccess") == "main"
    assert float(setting("WatchdogSec")) >= 30


def test_each_credential_is_one_that_is_looked_up(tmp_path: Path) -> None:
    """A credential that is named without a path may be missing; one with a path may not."""
    assert settings("LoadCredential") == list(CREDENTIALS)
    loaded = _loaded(tmp_path, CREDENTIALS)
    whatsapp = loaded.whatsapp
    found = {
        "whatsapp_access_token": whatsapp.access_token,
        "whatsapp_app_secret": whatsapp.app_secret[0],
        "whatsapp_verify_token": whatsapp.verify_token,
        "anthropic_api_key": vars(loaded.engine.settings)["api_key"],
    }
    assert {name: secret.get_secret_value() for name, secret in found.items()} == CREDENTIALS


def test_those_that_are_not_needed_may_be_missing(tmp_path: Path) -> None:
    needed = {
        name: secret
        for name, secret in CREDENTIALS.items()
        if name in {"whatsapp_access_token", "whatsapp_verify_token"}
    }
    assert _loaded(tmp_path, needed, engine="echo").whatsapp.app_secret == ()


def _loaded(
    folder: Path, credentials: dict[str, str], engine: str = "anthropic"
) -> config.Settings:
    """Load the smallest file with these credentials, and nothing else, to hand."""
    given = folder / "credentials"
    given.mkdir()
    for name, secret in credentials.items():
        (given / name).write_text(secret + "\n", "utf-8")
    file = folder / "config.yaml"
    file.write_text(
        yaml.safe_dump(
            {
                "channels": {"whatsapp": {"phone_number_id": "1234567890123456"}},
                "engine": {"type": engine},
            }
        ),
        "utf-8",
    )
    return config.load(
        file,
        environment={"CREDENTIALS_DIRECTORY": str(given), "STATE_DIRECTORY": str(folder)},
        engines=engine_catalog(),
        stages=stage_catalog(),
        sentences=SENTENCES,
    )
