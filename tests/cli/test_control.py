"""Daemons that are none, are older, or break off, and what the command makes of it."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from openparallax.cli import control
from openparallax.errors import Refusal


@contextmanager
def answering(folder: Path, said: bytes) -> Iterator[Path]:
    """A socket that says the same to whoever asks once."""
    path = folder / "control.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()

        def answer() -> None:
            with listening.accept()[0] as asking:
                asking.recv(65536)
                asking.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        yield path
        thread.join()
    path.unlink()


def whole(body: bytes, status: int = 200) -> bytes:
    return b"HTTP/1.1 %d So\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\0\xff" * 100,
        whole(b"[]"),
        whole(b"null"),
        whole(b'{"cut'),
        whole(b"{}")[:-1],
        whole(b'"\xff"'),
        whole(b"[" * 100_000),
    ],
)
def test_what_is_no_answer(tmp_path: Path, said: bytes) -> None:
    """What may be done twice can be tried again; of the rest nobody knows whether it was done."""
    for may_repeat, code, says in ((True, 69, "Try again"), (False, 75, "not known")):
        with (
            answering(tmp_path, said) as path,
            pytest.raises(Refusal, match=says) as refused,
        ):
            control.ask(path, "send", {}, may_repeat=may_repeat)
        assert refused.value.exit_code == code


def test_nobody_there_did_nothing(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="does not answer") as refused:
        control.ask(tmp_path / "control.sock", "send", {}, may_repeat=False)
    assert refused.value.exit_code == 69


def test_an_older_daemon(tmp_path: Path) -> None:
    with answering(tmp_path, whole(b'{"chats": [{"chat": 1}]}')) as path:
        answer = control.ask(path, "sessions", {})
    assert answer.get("more") is None
    for lacks in (answer, answer["chats"][0]):
        with pytest.raises(Refusal, match="without mode: it is of another version") as refused:
            lacks["mode"]
        assert refused.value.exit_code == 69
    said = json.dumps({"error": "the running daemon does not know this", "exit_code": 69})
    with (
        answering(tmp_path, whole(said.encode(), 404)) as path,
        pytest.raises(Refusal, match="does not know this") as refused,
    ):
        control.ask(path, "brand_new", {})
    assert refused.value.exit_code == 69


def test_a_stream_that_breaks_off(tmp_path: Path) -> None:
    said = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nSQLit\r\n"
    with (
        answering(tmp_path, said) as path,
        pytest.raises(Refusal, match="broke off") as refused,
    ):
        list(control.stream(path, "backup", {}))
    assert refused.value.exit_code == 69
