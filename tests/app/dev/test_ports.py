"""Ports that are taken: all of them are told at once, with who has them and what to do."""

import os
import socket
from pathlib import Path

import pytest

from openparallax.app.dev import ports
from openparallax.app.dev.ports import Wanted, any_port, check, free_port, holder
from openparallax.errors import StartError


def listening() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


def wanted(port: int, what: str = "the webhook", host: str = "127.0.0.1") -> Wanted:
    return Wanted(what, host, port, "; choose {port}")


def complaint(*ports_wanted: Wanted) -> StartError:
    with pytest.raises(StartError) as raised:
        check(ports_wanted)
    return raised.value


def test_free_ones_pass() -> None:
    check([wanted(any_port()), wanted(0)])


def test_all_that_are_taken_are_told_with_whoever_has_them() -> None:
    with listening() as one, listening() as other:
        taken = [one.getsockname()[1], other.getsockname()[1]]
        error = complaint(wanted(taken[0]), wanted(any_port()), wanted(taken[1], "the page"))
    first, second = str(error).splitlines()
    assert f"port {taken[0]} (the webhook) is taken by " in first
    assert f"port {taken[1]} (the page) is taken by " in second
    assert f"(process {os.getpid()})" in first
    assert error.exit_code == 75


def test_what_it_proposes_is_free_and_not_wanted_already() -> None:
    with listening() as one:
        taken = one.getsockname()[1]
        free = free_port(taken + 1)
        said = str(complaint(wanted(taken), wanted(taken + 1 if free == taken + 1 else free)))
    proposed = int(said.rpartition(" ")[2])
    assert proposed not in {taken, free}
    check([wanted(proposed)])


def test_each_is_offered_another_one() -> None:
    with listening() as one:
        taken = one.getsockname()[1]
        said = str(complaint(wanted(taken), wanted(taken, "the page"))).splitlines()
    free = [line.rpartition(" ")[2] for line in said if "; choose" in line]
    assert len(set(free)) == len(free) == 2


def test_one_port_for_two() -> None:
    port = any_port()
    error = complaint(wanted(port), wanted(port, "the page"))
    assert str(error) == f"port {port} is wanted for the webhook and for the page too"


def test_an_address_that_is_not_ours() -> None:
    error = complaint(wanted(any_port(), host="192.0.2.1"))
    assert "on 192.0.2.1 cannot be had" in str(error)
    assert error.exit_code == 78


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("/srv/v/bin/python3\0/srv/v/bin/openparallax\0dev\0--fresh\0", "openparallax dev"),
        ("/usr/bin/python3\0-m\0openparallax\0serve\0-c\0x\0", "openparallax serve"),
        ("/usr/bin/python3\0shop.py\0", "python3"),
    ],
)
def test_programs_are_called_by_name(tmp_path: Path, words: str, name: str) -> None:
    (tmp_path / "cmdline").write_text(words)
    (tmp_path / "comm").write_text("python3\n")
    assert ports._name(tmp_path) == name


def test_who_cannot_be_found_out_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening() as one:
        port = one.getsockname()[1]
        monkeypatch.setattr(ports, "_inodes", lambda _: iter(()))
        assert holder(port) == ""
        assert f"port {port} (the webhook) is taken; choose" in str(complaint(wanted(port)))
