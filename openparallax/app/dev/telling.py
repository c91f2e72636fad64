"""What stands on the screen while a run is up. No word of a conversation is among it."""

import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from openparallax.app.dev.configuration import Setup
from openparallax.app.dev.folder import Folder
from openparallax.app.dev.outside import OF_PROGRAM, Outside
from openparallax.build import is_one_file
from openparallax.emulator import Account

_OF_ENGINE = {
    "echo": "echo, which says everything back (--engine chooses another)",
    "anthropic": "anthropic: Claude, with the key of ANTHROPIC_API_KEY",
}


def of_daemon(page: str, setup: Setup, folder: Folder, *, is_verbose: bool) -> str:
    """For a daemon of ours."""
    engine, port = setup.settings.engine.type, setup.settings.whatsapp.webhook_port
    rows = [
        ("who answers", _OF_ENGINE.get(engine, engine) if setup.own is None else engine),
        ("state", f"{folder.path} (kept; --fresh empties it)"),
        ("log", "here" if is_verbose else str(folder.log)),
        ("look", f"{command()} status -c {shlex.quote(str(folder.config))}"),
    ]
    if setup.own is not None:
        rows[0:0] = [
            ("runs", str(setup.own)),
            ("replaced", "graph_api_url, by this machine"),
            ("", "storage.url, by a database in the folder below; yours is not touched"),
            ("careful", f"keep Meta away from port {port}: who writes there is answered here only"),
        ]
        if any(one.allowed_numbers for one in setup.settings.whatsapp.numbers):
            rows.append(
                ("people", "those of allowed_numbers are named Allowed; others hear nothing")
            )
    return _laid_out(page, rows)


def of_program(page: str, outside: Outside) -> str:
    """For somebody else's program: what it must know to be called, and to call."""
    account = outside.account
    rows = [
        ("webhooks to", outside.webhook_url),
        ("Graph", f"{page.rstrip('/')} instead of https://graph.facebook.com"),
        *_facts(account),
        *_credentials(account),
    ]
    return _laid_out(page, rows)


def of_handshake(url: str, status: int) -> str:
    """Why Meta would not take ``url`` for webhooks; 0: nobody listens there."""
    match status:
        case 0:
            return f"Nobody answers at {url} yet; what is said waits."
        case 401 | 403:
            why = "is the verify token the same there?"
        case 404 | 405:
            why = "is this the address of its webhook, and does it take GET as well?"
        case 200:
            why = "Meta wants hub.challenge back, and nothing else."
        case _:
            why = "Meta would not take this address."
    return f"The handshake with {url} was answered with {status}: {why}"


def command() -> str:
    """What a shell would have to be told to run this very openparallax."""
    beside = Path(sys.executable)
    if not is_one_file():
        beside = beside.with_name("openparallax")
    if not beside.is_file():
        return f"{shlex.quote(sys.executable)} -m openparallax"
    found = shutil.which("openparallax")
    if found is not None and Path(found).resolve() == beside.resolve():
        return "openparallax"
    return shlex.quote(str(beside))


def _facts(account: Account) -> Iterator[tuple[str, str]]:
    yield "number's id", account.numbers[0].id
    yield "account's id", account.waba_id
    yield "app's id", account.app_id


def _credentials(account: Account) -> Iterator[tuple[str, str]]:
    values = (next(iter(account.tokens)), account.app_secret, account.verify_token)
    what = "credentials"
    for name, value in zip(OF_PROGRAM, values, strict=True):
        yield what, f"{name}={shlex.quote(value)}"
        what = ""


def _laid_out(page: str, rows: list[tuple[str, str]]) -> str:
    width = max(len(name) for name, _ in rows) + 2
    lines = [f"  {name:<{width}}{value}" for name, value in (*rows, ("stop", "Ctrl-C"))]
    return "\n".join([f"WhatsApp on this machine: {page}", "", *lines, ""])
