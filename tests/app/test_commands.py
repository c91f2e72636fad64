"""What an operator types, as processes of their own, against a daemon that is one too."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, NamedTuple

from click.testing import CliRunner

from openparallax.cli import main
from tests.app.process import ROOT, Daemon
from tests.canary import Canary
from tests.fakes import meta
from tests.town import ANN


class Ended(NamedTuple):
    """What a command ended with."""

    code: int | None
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


async def typed(daemon: Daemon, *words: str, given: str = "") -> Ended:
    """Run a command in the poorest of all surroundings."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "openparallax", *words, "-c", str(daemon.config)),
        cwd=daemon.folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LC_ALL": "C"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(given.encode())
    return Ended(process.returncode, out.decode(), err.decode())


async def ran(daemon: Daemon, *words: str) -> Ended:
    """The same in this process: what it says, where another one shows how it starts. One by one."""
    run = CliRunner().invoke
    ended = await asyncio.to_thread(run, main, [*words, "-c", str(daemon.config)])
    return Ended(ended.exit_code, ended.stdout, ended.stderr)


async def test_with_a_daemon_and_without(daemon: Daemon, tmp_path: Path) -> None:
    by_hand, copy = Canary(), tmp_path / "copy.db"
    await daemon.start()
    await daemon.deliver(meta.text(ANN, "hello", name="Ann\x1b[2J\u202e"))
    await daemon.hears(ANN, 1)

    status, chats, sent = await asyncio.gather(
        typed(daemon, "status"),
        typed(daemon, "sessions", "list", "--json"),
        typed(daemon, "send", "--wait", "120", "--to", f"+{ANN}", "-", given=by_hand.words),
    )
    assert (status.code, status.err) == (0, "")
    assert status.out.startswith("OpenParallax ")
    assert (chats.code, chats.json["chats"][0]["contact"]) == (0, f"+{ANN}")
    assert sent == Ended(0, "Accepted by Meta.\n", "")
    assert daemon.graph.bodies(ANN) == ["hello", by_hand.words]

    daemon.configure(notices={"new": "Anew."}, log={"format": "text"})
    reloaded = await typed(daemon, "reload")
    assert (reloaded.code, reloaded.err) == (0, "")
    told = reloaded.out.splitlines()
    assert told[:2] == ["1 setting is in force:", "  notices.new"]
    assert told[2:4] == ["1 setting only after a restart:", "  log.format"]
    daemon.configure(conversation={"drain_seconds": -1}, no_such=1)
    wrong = await ran(daemon, "reload", "--json")  # it does not even say where the database is
    assert (wrong.code, len(wrong.json["problems"])) == (78, 2)
    daemon.configure()

    backup = await typed(daemon, "backup", str(copy))
    table = await ran(daemon, "sessions", "list")
    stranger = await ran(daemon, "send", "--to", "+4915100000000", "x")
    assert table.code == 0
    assert r"Ann\x1b[2J\u202e" in table.out
    assert (stranger.code, stranger.out) == (1, "")
    assert "nobody with that number" in stranger.err
    assert backup.code == 0
    assert backup.err.endswith("copy.db, whole and checked.\n")
    assert by_hand.core.encode() in copy.read_bytes()

    forgotten = await typed(daemon, "sessions", "forget", f"+{ANN}", "--yes")
    assert (forgotten.code, forgotten.err) == (0, "")
    assert by_hand.core not in daemon.said
    for file in (daemon.folder / "state").iterdir():
        assert not file.is_file() or by_hand.core.encode() not in file.read_bytes()

    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0
    status = await ran(daemon, "status", "--json")
    chats = await ran(daemon, "sessions", "list", "--json")
    sent = await ran(daemon, "send", "--to", f"+{ANN}", "x")
    assert (status.code, status.json["state"]) == (69, "not running")
    assert (sent.code, sent.out) == (69, "")
    assert "is not running" in sent.err
    assert chats.code == 0
    assert len(chats.json["chats"]) == 1
    for one in (status, chats, sent, table, stranger, backup, forgotten):
        assert "Traceback" not in one.err
