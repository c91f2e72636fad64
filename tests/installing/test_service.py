"""The service on a machine with a systemd of its own: installed, lived with, and removed."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.fakes import meta
from tests.installing import operated
from tests.installing.booted import SYSTEMD, Booted, booted, lacks
from tests.installing.conftest import need
from tests.installing.operated import SERVICE, SOCKET, World, openparallax

ANN = "491701234567"


@pytest.fixture
def machine(installed: Path, tmp_path: Path) -> Iterator[Booted]:
    """One on which nothing of ours runs yet."""
    need(SYSTEMD.exists(), "systemd")
    if lack := lacks(tmp_path / "tried"):
        pytest.skip(f"{lack} is not to be had here")
    with booted(tmp_path / "machine", operated.bound(installed)) as machine:
        yield machine


@pytest.fixture
def world(machine: Booted) -> Iterator[World]:
    with machine.loopback() as run, World(run) as world:
        operated.furnish(machine, world.graph.url)
        yield world


@pytest.fixture
def service(machine: Booted, world: World) -> Booted:
    """Installed, and ready."""
    said = openparallax(machine, "service", "install")
    assert "started, and ready" in said
    return machine


def test_it_is_shut_in_and_gets_its_secrets(service: Booted, world: World) -> None:
    """By what the kernel says of the process, and by what it can do with the secrets alone."""
    assert world.is_answered(ANN, "hello")  # signed with a secret, sent with a token
    pid = operated.pid(service)
    about = dict(
        line.split(":\t", 1)
        for line in service.shell(f"cat /proc/{pid}/status").splitlines()
        if ":\t" in line
    )
    rights = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
    assert {int(about[name], 16) for name in rights} == {0}
    assert (about["NoNewPrivs"], about["Seccomp"]) == ("1", "2")
    user = service.must("id", "-u", "openparallax")
    assert about["Uid"].split() == [user] * 4
    known = service.shell(f"cat /proc/{pid}/uid_map").splitlines()
    assert [line.split() for line in known] == [["0", "0", "1"], [user, user, "1"]]

    mounts = {
        parts[4]: (parts[5].split(","), line.partition(" - ")[2].split())
        for line in service.shell(f"cat /proc/{pid}/mountinfo").splitlines()
        if (parts := line.split())
    }
    secrets = f"/run/credentials/{SERVICE}"
    assert mounts[secrets][1][0] == "ramfs"
    for place in ("/", "/sys", secrets):
        assert "ro" in mounts[place][0], place
    assert {"hidepid=invisible", "subset=pid"} <= set(mounts["/proc"][1][2].split(","))
    view = f"/proc/{pid}/root"
    assert service.shell(f"ls -A {view}/home {view}/root {view}/tmp 2>&1").split() == [
        f"{view}/home:",
        f"{view}/root:",
        f"{view}/tmp:",
    ]
    shown = service.shell(f"stat -c '%n %a %U' {view}{secrets}/*").splitlines()
    assert [line.removeprefix(f"{view}{secrets}/") for line in shown] == [
        "whatsapp_access_token 400 openparallax",
        "whatsapp_app_secret 400 openparallax",
        "whatsapp_verify_token 400 openparallax",
    ]
    kept = service.shell("stat -c '%n %a %U:%G' /etc/openparallax /var/lib/openparallax").split(
        "\n"
    )
    assert kept == [
        "/etc/openparallax 750 root:openparallax",
        "/var/lib/openparallax 700 openparallax:openparallax",
    ]
    for secret in (operated.TOKEN, meta.SECRET):
        assert secret not in operated.logged(service)
    # What is off the record stays in memory, and memory on the machine.
    limits = service.shell(f"cat /proc/{pid}/limits").splitlines()
    assert ["Max", "core", "file", "size", "0", "0", "bytes"] in [one.split() for one in limits]
    assert ["Max", "open", "files", "8192", "8192", "files"] in [one.split() for one in limits]
    assert int(service.shell(f"cat /proc/{pid}/coredump_filter"), 16) == 0
    assert about["Umask"] == "0077"
    group = service.shown(SERVICE, "ControlGroup")
    assert f"0::{group}" in service.shell(f"cat /proc/{pid}/cgroup").splitlines()
    assert service.shown(SERVICE, "MemorySwapMax") == "0"
    if "memory" in service.shell("cat /sys/fs/cgroup/cgroup.controllers").split():
        assert service.shell(f"cat /sys/fs/cgroup{group}/memory.swap.max") == "0"


def test_an_alert_command_does_what_the_unit_lets_it(service: Booted, world: World) -> None:
    """By one that posts and keeps a file, and one that counts on further rights, as sendmail."""
    told = "/var/lib/openparallax/told"
    service.write("/usr/local/bin/tell", operated.TELL, "0755")
    operated.configure(service, world.graph.url, alerts={"alert_command": "/usr/local/bin/tell"})
    openparallax(service, "reload")
    said = openparallax(service, "alerts", "test")
    assert "The alert command ended well" in said
    text, answer, refused = service.shell(f"cat {told}").split("\n")
    assert "test of alerts.alert_command" in text
    assert answer == "401"  # it was posted, by nobody whom the daemon knows
    assert refused == "netlink, writable code, set-user-id, namespace"
    # Outside the unit the same user may do all of it.
    as_it = "setpriv --reuid=openparallax --regid=openparallax --clear-groups"
    service.shell(f"HOME=/var/lib/openparallax {as_it} /usr/local/bin/tell <{told}")
    assert service.shell(f"tail -n 1 {told}") in {"401", "namespace"}  # not every machine has these

    queue = "/var/spool/tried"
    service.shell(
        f"install -d -m 2770 -g mail {queue};"
        " install -m 2755 -g mail $(command -v tee) /usr/local/bin/queue"
    )
    service.shell(f"{as_it} /usr/local/bin/queue {queue}/one </dev/null")
    wanted = {"alert_command": ["/usr/local/bin/queue", f"{queue}/two"]}
    operated.configure(service, world.graph.url, alerts=wanted)
    openparallax(service, "reload")
    said = openparallax(service, "alerts", "test", code=1)
    assert "The alert command failed: ended with exit code 1" in said
    assert f"{queue}/two: Permission denied" in said or "Read-only file system" in said
    assert "gets no further rights" in said
    assert service.shell(f"ls {queue}") == "one"


def test_a_restart_under_load_refuses_nobody(
    service: Booted, world: World, say: Callable[[str], None]
) -> None:
    assert "nothing has changed" in openparallax(service, "service", "install")
    with world.load() as load:
        world.until_more(load)
        service.must("systemctl", "restart", SERVICE)
        world.until_more(load)
        # As after an upgrade, or a change of what stands in the unit.
        operated.configure(service, world.graph.url, conversation={"drain_seconds": 40})
        said = openparallax(service, "service", "install")
        assert "restarted without refusing anybody, since its unit has changed" in said
        assert service.shown(SERVICE, "TimeoutStopUSec") == "1min 15s"
        world.until_more(load)
        service.must("systemctl", "reload", SERVICE)
        world.until_more(load)
    say(f"restarts under load: {len(load.done)} called, each answered once")
    assert {who: came for who, came in load.done.items() if came != 200} == {}
    assert len(load.done) == load.asked
    world.until(lambda: all(world.graph.bodies(who) for who in load.done))
    answered = {who: world.graph.bodies(who) for who in load.done}
    assert answered == {who: [f"word {who}"] for who in load.done}
    assert service.shown(SERVICE, "NRestarts") == "0"


def test_a_wrong_file_changes_nothing_and_there_is_a_way_back(
    service: Booted, world: World
) -> None:
    right = service.must("cat", operated.CONFIG)
    # Reloaded, it is kept out.
    service.write(operated.CONFIG, "channels: {whatsapp: [\n")
    service.must("systemctl", "reload", SERVICE)
    world.until(lambda: "reload_refused" in operated.logged(service))
    assert world.is_answered(ANN, "still there")
    said = openparallax(service, "service", "install", code=78)
    assert operated.CONFIG in said
    # Restarted, it ends, and is not tried again: neither by itself nor for whoever calls.
    assert service.run("systemctl", "restart", SERVICE).returncode != 0
    world.until(lambda: service.shown(SOCKET, "ActiveState") == "inactive")
    with pytest.raises(aiohttp.ClientConnectorError):
        world.writes(ANN, "is anybody there?")
    said = openparallax(service, "service", "status", code=1)
    assert "does not run: it ended with 78: the configuration" in said
    assert "systemd does not hold the port" in said
    found = json.loads(openparallax(service, "service", "status", "--json", code=1))
    assert (found["running"], found["socket"]["held"]) == (False, False)
    # As it says there.
    service.write(operated.CONFIG, right)
    service.must("systemctl", "restart", "openparallax")
    assert world.is_answered(ANN, "and again")
    assert service.shown(SERVICE, "NRestarts") == "0"
    # What may be reloaded is.
    operated.configure(service, world.graph.url, whatsapp={"allowed_numbers": ["+15551234567"]})
    before = operated.pid(service)
    assert "allowed_numbers" in openparallax(service, "reload")
    assert world.writes(ANN, "let in?") == 200
    assert world.is_answered("15551234567", "let in")
    assert "let in?" not in world.graph.bodies(ANN)
    assert operated.pid(service) == before


def test_what_kills_it_does_not_keep_it_down(service: Booted, world: World) -> None:
    before = operated.pid(service)
    service.must("kill", "-9", str(before))
    assert world.is_answered(ANN, "after a kill")  # the call waits until it runs again
    assert service.shown(SERVICE, "NRestarts") == "1"
    # A loop that hangs; quicker than the unit says, which somebody's drop-in may.
    service.write(
        f"/etc/systemd/system/{SERVICE}.d/own.conf",
        "[Service]\nWatchdogSec=15\nRestartSec=100ms\n",
    )
    said = openparallax(service, "service", "install")
    assert "restarted without refusing anybody, since a drop-in has changed" in said
    assert "with changes of your own: /etc/systemd/system/openparallax.service.d/own.conf" in said
    before = operated.pid(service)
    assert world.writes(ANN, "hang, please") == 200
    # Who was let in by the one that is killed loses the connection; Meta brings it again.
    assert world.is_answered("15551234567", "while it hangs", tries=1000)
    world.until(lambda: "hang, please" in world.graph.bodies(ANN))
    assert operated.pid(service) != before
    said = operated.logged(service)
    assert "Watchdog timeout" in said
    # Where it hung, as code.
    assert "Fatal Python error: Aborted" in said
    assert "standing.py" in said
    assert "hang, please" not in said


def test_it_starts_with_the_machine(service: Booted, world: World) -> None:
    for unit in (SERVICE, SOCKET):
        assert service.must("systemctl", "is-enabled", unit) == "enabled"
    service.must("systemctl", "stop", SOCKET, SERVICE)
    service.must("systemctl", "isolate", "rescue.target", "--no-block")
    service.must("systemctl", "start", "multi-user.target")
    assert world.is_answered(ANN, "up again")


def test_it_is_removed_with_all_that_it_kept(service: Booted, world: World) -> None:
    assert world.is_answered(ANN, "hello")
    ours = "find /etc /var /run /opt/openparallax/bin -name '*openparallax*' -o -name 'whatsapp_*'"
    openparallax(service, "service", "uninstall")
    assert service.shown(SERVICE, "LoadState") == "not-found"
    assert set(service.shell(ours).split()) == {
        *("/etc/openparallax", "/etc/openparallax/credentials/whatsapp_verify_token"),
        *("/etc/credstore/whatsapp_access_token", "/etc/credstore/whatsapp_app_secret"),
        *("/var/lib/openparallax", "/var/lib/openparallax/openparallax.db"),
        "/var/lib/openparallax/openparallax.db.lock",
        "/opt/openparallax/bin/openparallax",
    }
    # What an earlier life logged is not the log of a start that fails.
    service.shell("cd /var/lib/openparallax; cp -p openparallax.db kept; echo x >openparallax.db")
    said = openparallax(service, "service", "install", code=1)
    logged = said.partition("The end of its log:")[2]
    assert "cannot be opened as a database" in logged
    assert "stopped" in operated.logged(service)
    assert "stopped" not in logged
    service.shell("cd /var/lib/openparallax; mv kept openparallax.db")
    openparallax(service, "service", "install")
    assert world.is_answered(ANN, "what is kept is used again")
    said = openparallax(service, "service", "uninstall", "--purge", code=2)
    assert "--yes" in said
    assert world.is_answered(ANN, "nothing was removed")
    openparallax(service, "service", "uninstall", "--purge", "--yes")
    assert service.shell(ours).split() == ["/opt/openparallax/bin/openparallax"]
    assert service.run("id", "openparallax").returncode == 1
    with pytest.raises(aiohttp.ClientConnectorError):
        world.writes(ANN, "is anybody there?")
    assert "not installed" in openparallax(service, "service", "status", code=1)


def test_a_service_of_a_user_s_own(machine: Booted, world: World) -> None:
    """By the user's own manager, without root: from its credentials to the last file."""
    machine.shell("useradd -m -u 4242 ann && systemctl start user@4242")
    home = "/home/ann/.config/openparallax"
    wanted = operated.document(world.graph.url) | {"engine": {"type": "echo"}}
    machine.write(f"{home}/config.yaml", json.dumps(wanted))
    secrets = {"access_token": operated.TOKEN, "app_secret": meta.SECRET, "verify_token": "x"}
    for name, secret in secrets.items():
        machine.write(f"{home}/credentials/whatsapp_{name}", secret, "0600")
    machine.shell("chown -R ann: /home/ann")

    def as_ann(*argv: str) -> str:
        who = ("setpriv", "--reuid=4242", "--regid=4242", "--clear-groups", "--")
        own = {"HOME": "/home/ann", "USER": "ann", "XDG_RUNTIME_DIR": "/run/user/4242"}
        return machine.must(*who, *argv, **own)

    said = as_ann("openparallax", "service", "install", "--user")
    assert "started, and ready" in said
    assert "sudo loginctl enable-linger ann" in said
    assert world.is_answered(ANN, "hello")
    as_ann("systemctl", "--user", "restart", SERVICE)
    assert world.is_answered(ANN, "hello again")
    assert "starts when you log in" in as_ann("openparallax", "service", "status", "--user")
    as_ann("openparallax", "service", "uninstall", "--user", "--purge", "--yes")
    assert machine.shell("find /home/ann /run/user/4242 -name '*openparallax*'") == ""
