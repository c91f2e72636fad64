"""A folder with a configuration, and secrets that are made anew for each run."""

import contextlib
import errno
import fcntl
import json
import os
import secrets
import shlex
import socket
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
# The same as in scripts/post-webhook, so that both write to one chat.
PHONE_NUMBER_ID = "1234567890123456"
CONTACT = "4915112345678"
DISPLAY_PHONE_NUMBER = "15550100000"
DEFAULT_PORT = 9443


class TrialError(Exception):
    """It cannot go on; the message says why and what to do."""


class Trial:
    """What the daemon is started with.

    Attributes:
        folder: Configuration, database and log; kept, so that the next run goes on from it.
        graph: A listening socket for the stand-in's Graph.
    """

    def __init__(self, *, engine: str, port: int) -> None:
        self.engine = engine
        self.port = port
        state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        self.folder = Path(state) / "openparallax" / "run"
        self.config = self.folder / "config.yaml"
        self.log = self.folder / "daemon.log"
        self.webhook_url = f"http://127.0.0.1:{port}/webhook"
        self.health_url = f"http://127.0.0.1:{port}/healthz"
        self.app_secret = secrets.token_hex(16)
        self.access_token = secrets.token_hex(16)
        self.verify_token = secrets.token_hex(16)

    def __enter__(self) -> Self:
        if self.engine == "anthropic" and not os.environ.get("ANTHROPIC_API_KEY"):
            raise TrialError("--engine anthropic needs a key: export ANTHROPIC_API_KEY=…")
        with contextlib.ExitStack() as stack:
            self._take_folder(stack)
            self._see_that_port_is_free()
            self.graph = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            self._write()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._environment.unlink(missing_ok=True)
        self._stack.close()

    def environment(self) -> dict[str, str]:
        """For the daemon. What is set for a real number never gets near a stand-in."""
        foreign = ("WHATSAPP_", "OPENPARALLAX_", "ANTHROPIC_")
        folders = {
            *("STATE_DIRECTORY", "RUNTIME_DIRECTORY"),
            *("CONFIGURATION_DIRECTORY", "CREDENTIALS_DIRECTORY"),
        }
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in folders and not name.startswith(foreign)
        }
        if self.engine == "anthropic":
            kept |= {k: v for k, v in os.environ.items() if k.startswith("ANTHROPIC_")}
        return kept | self._secrets()

    def welcome(self) -> str:
        return (
            f"OpenParallax is ready: {self.webhook_url}, engine {self.engine}.\n"
            f"Its configuration, database and log are in {self.folder}"
        )

    def how_to_post(self) -> str:
        url = f" --url {self.webhook_url}" if self.port != DEFAULT_PORT else ""
        return f". {shlex.quote(str(self._environment))} && scripts/post-webhook{url} 'hello'"

    @property
    def _environment(self) -> Path:
        return self.folder / "environment"

    def _secrets(self) -> dict[str, str]:
        return {
            "WHATSAPP_ACCESS_TOKEN": self.access_token,
            "WHATSAPP_APP_SECRET": self.app_secret,
            "WHATSAPP_VERIFY_TOKEN": self.verify_token,
        }

    def _take_folder(self, stack: contextlib.ExitStack) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.chmod(0o700)
            lock = stack.enter_context((self.folder / "lock").open("a"))
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TrialError(
                f"Another scripts/run is up, in {self.folder}. Stop it, or set XDG_STATE_HOME to"
                " have a second one, with another --port."
            ) from None
        except OSError as error:
            raise TrialError(f"{self.folder} cannot be used: {error.strerror}") from None

    def _see_that_port_is_free(self) -> None:
        try:
            socket.create_server(("127.0.0.1", self.port)).close()
        except (OSError, OverflowError) as error:
            if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
                raise TrialError(
                    f"Port {self.port} is taken. Stop what listens there, or choose another one:"
                    f" scripts/run --port {self.port + 1}"
                ) from None
            raise TrialError(
                f"Port {self.port} cannot be used; try --port {DEFAULT_PORT}"
            ) from None

    def _write(self) -> None:
        graph_port = self.graph.getsockname()[1]
        _write_privately(
            self.config,
            f"""\
# Written by scripts/run at each start; the secrets are in its environment only.
channels:
  whatsapp:
    enabled: true
    phone_number_id: "{PHONE_NUMBER_ID}"
    access_token_env: WHATSAPP_ACCESS_TOKEN
    app_secret_env: WHATSAPP_APP_SECRET
    verify_token_env: WHATSAPP_VERIFY_TOKEN
    webhook_port: {self.port}
    graph_api_url: http://127.0.0.1:{graph_port}
    rate_limit: null
engine:
  type: {self.engine}
conversation:
  drain_seconds: 5
outbox:
  pair_burst: null
storage:
  url: {json.dumps(f"sqlite:///{self.folder / 'openparallax.db'}")}
admin:
  enabled: false
log:
  format: text
""",
        )
        _write_privately(
            self._environment,
            "".join(f"export {name}={value}\n" for name, value in self._secrets().items()),
        )


def _write_privately(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(text)
