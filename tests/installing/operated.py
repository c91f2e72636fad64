"""A machine with the package in ``/opt``, a configuration and credentials; Meta, Graph and people.

All of it is on the machine's own loopback.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

from tests.app.patience import until
from tests.fakes import meta
from tests.fakes.graph import FakeGraph
from tests.installing.booted import PATIENCE_S, Booted

CONFIG: Final = "/etc/openparallax/config.yaml"
PORT: Final = 9443
SERVICE: Final = "openparallax.service"
SOCKET: Final = "openparallax.socket"
TOKEN: Final = "made-up-token"
_PAUSE_S: Final = 0.2
_PYTHON: Final = "/opt/python"
_LIBRARIES: Final = "/opt/openparallax/lib"
_ENGINE: Final = '''\
"""Repeats; at the word "hang" the whole process stands still, once."""

import os
import time
from pathlib import Path

from openparallax.plugin import Reply


class Standing:
    keeps_content = False
    writes_markdown = False

    def __init__(self, settings, tools):
        pass

    async def answer(self, turn):
        once = Path(os.environ["STATE_DIRECTORY"], "hung")
        if "hang" in turn.text and not once.exists():
            once.touch()
            time.sleep(3600)
        return Reply(text=turn.text)

    async def close(self):
        pass
'''
"""Found through a variable of the service's file of variables."""

TELL: Final = '''\
#!/opt/openparallax/bin/python
"""An alert command: keeps what it is told, what a post is answered, and what it may not do."""

import ctypes
import mmap
import os
import socket
import sys
import urllib.error
import urllib.request

told = os.path.join(os.environ["HOME"], "told")
with open("/tmp/its-own", "w"), open(told, "w") as file:
    file.write(sys.stdin.read().split("\\n")[0] + "\\n")
    try:
        urllib.request.urlopen("http://127.0.0.1:9443/webhook", data=b"{}", timeout=60)
    except urllib.error.HTTPError as error:
        file.write(str(error.code))


def unshare():
    if ctypes.CDLL(None, use_errno=True).unshare(0x10000000):  # CLONE_NEWUSER
        raise OSError(ctypes.get_errno(), "unshare")


refused = []
for name, tried in {
    "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0),
    "writable code": lambda: mmap.mmap(-1, 4096, prot=7),
    "set-user-id": lambda: os.chmod(told, 0o4700),
    "namespace": unshare,
}.items():
    try:
        tried()
    except OSError:
        refused.append(name)
with open(told, "a") as file:
    file.write("\\n" + ", ".join(refused) if refused else "")
'''
"""As it would be written by whoever wants one, with Python in the place of curl."""

_COMPILED: Final = "import openparallax.app.daemon, openparallax.cli.service, anthropic"


def bound(program: Path) -> dict[Path, str]:
    """What a machine needs of this one to run the installed ``program``, and where.

    There it is for reading only, so what is compiled at the first use would be anew at each.
    """
    python = Path(sys.base_prefix)
    subprocess.run([program.with_name("python"), "-c", _COMPILED], check=True)  # noqa: S603 - ours
    return {python: _PYTHON, program.parent.parent / "lib": _LIBRARIES}


def furnish(machine: Booted, graph: str) -> None:
    """Put program, engine, configuration and credentials on it, as its operator would.

    A Python may lie in a home folder here, and a service may not see those.
    """
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    machine.write("/opt/openparallax/pyvenv.cfg", f"home = {_PYTHON}/bin\n")
    machine.shell(
        f"mkdir -p /opt/openparallax/bin; ln -s {_PYTHON}/bin/{python} /opt/openparallax/bin/python"
    )
    machine.write("/etc/ld.so.conf.d/000-python.conf", f"{_PYTHON}/lib\n")
    machine.must("ldconfig")
    machine.write(
        "/opt/openparallax/bin/openparallax",
        "#!/opt/openparallax/bin/python\nfrom openparallax.cli.entry import main\nmain()\n",
        "0755",
    )
    machine.write("/opt/engine/standing.py", _ENGINE)
    machine.write(
        "/opt/engine/standing-0.dist-info/METADATA",
        "Metadata-Version: 2.1\nName: standing\nVersion: 0\n",
    )
    machine.write(
        "/opt/engine/standing-0.dist-info/entry_points.txt",
        "[openparallax.engines]\nstanding = standing:Standing\n",
    )
    configure(machine, graph)
    machine.write("/etc/openparallax/environment", "PYTHONPATH=/opt/engine\n", "0600")
    machine.write("/etc/credstore/whatsapp_access_token", TOKEN, "0600")
    machine.write("/etc/credstore/whatsapp_app_secret", f"{meta.SECRET}\n", "0600")
    machine.write(  # with a path of its own in the unit
        "/etc/openparallax/credentials/whatsapp_verify_token", meta.VERIFY_TOKEN, "0600"
    )


def configure(
    machine: Booted, graph: str, whatsapp: dict[str, Any] | None = None, **changes: Any
) -> None:
    """Write the configuration anew; keys in ``changes`` replace whole sections."""
    # In place, as an editor may: owner and mode stay as systemd-tmpfiles made them.
    machine.write(CONFIG, json.dumps(document(graph, whatsapp) | changes))


def document(graph: str, whatsapp: dict[str, Any] | None = None) -> dict[str, Any]:
    """A configuration without secrets."""
    return {
        "channels": {
            "whatsapp": {
                "phone_number_id": meta.PHONE_NUMBER_ID,
                "webhook_port": PORT,
                "graph_api_url": graph,
                "presence": "none",
                **(whatsapp or {}),
            }
        },
        "engine": {"type": "standing"},
        "outbox": {"receipt_wait_seconds": 0.1, "messages_per_second": None},
        "admin": {"enabled": False},
    }


def openparallax(machine: Booted, *words: str, code: int = 0, **more: Any) -> str:
    """Run the command as root; all that it said."""
    done = machine.run("openparallax", *words, PYTHONPATH="/opt/engine", **more)
    assert done.returncode == code, f"{words}: {done.returncode} {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def logged(machine: Booted) -> str:
    """All that the daemon and the manager said of the service."""
    return machine.must("journalctl", "-u", SERVICE, "-o", "cat", "--no-pager", "-q")


def pid(machine: Booted) -> int:
    return int(machine.shown(SERVICE, "MainPID"))


class World:
    """Meta, Graph and people, on the machine's loopback."""

    def __init__(self, run: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        self._run = run
        self._url = f"http://127.0.0.1:{PORT}/webhook"
        self._opened = AsyncExitStack()

    def __enter__(self) -> Self:
        self._run(self._open())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._run(self._opened.aclose())

    async def _open(self) -> None:
        self.graph = await self._opened.enter_async_context(FakeGraph())
        self.graph.tokens = {meta.PHONE_NUMBER_ID: TOKEN}
        self._session = await self._opened.enter_async_context(aiohttp.ClientSession())

    def until(self, is_so: Callable[[], bool]) -> None:
        """Wait."""
        self._run(until(is_so, timeout_s=PATIENCE_S))

    def until_more(self, load: "Load", count: int = 60) -> None:
        """Wait until so many more are through."""
        enough = len(load.done) + count
        self.until(lambda: len(load.done) >= enough)

    def writes(self, who: str, words: str) -> int:
        """Somebody writes; the status that Meta gets."""
        body = meta.body(meta.text(who, words))
        return int(self._run(meta.post(self._session, self._url, body)))

    def is_answered(self, who: str, words: str, *, tries: int = 1) -> bool:
        """Somebody writes, and hears the same; Meta brings it so often."""
        bringing = meta.Meta(self._session, self._url, max_tries=tries)
        self._run(bringing.deliver(meta.text(who, words)))
        self.until(lambda: words in self.graph.bodies(who))
        return True

    @contextmanager
    def load(self, clients: int = 4) -> "Iterator[Load]":
        """People who write all the time, until the end of the context."""
        load = Load(self._url, clients)
        self._run(load.begin())
        try:
            yield load
        finally:
            self._run(load.end())


class Load:
    """Clients that call with a new connection each time, each time as somebody else."""

    def __init__(self, url: str, clients: int) -> None:
        self._url = url
        self._clients = clients
        self._is_over = False
        self.asked = 0
        self.done: dict[str, int | str] = {}

    async def begin(self) -> None:
        """Begin to call."""
        self._calling = asyncio.create_task(self._all())

    async def end(self) -> None:
        """Call no more; all that was asked is answered then."""
        self._is_over = True
        await self._calling

    async def _all(self) -> None:
        connector = aiohttp.TCPConnector(force_close=True, limit=0)
        async with aiohttp.ClientSession(connector=connector) as session:
            await asyncio.gather(*(self._call(session) for _ in range(self._clients)))

    async def _call(self, session: aiohttp.ClientSession) -> None:
        while not self._is_over:
            self.asked += 1
            who = f"1555{self.asked:07d}"
            body = meta.body(meta.text(who, f"word {who}"))
            try:
                self.done[who] = await meta.post(session, self._url, body)
            except (aiohttp.ClientError, OSError) as error:
                self.done[who] = f"{type(error).__name__}: {error}"
            await asyncio.sleep(_PAUSE_S)  # else a slow machine answers all night
