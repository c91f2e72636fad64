"""What stands on the screen while a run is up. No word of a conversation is among it."""

import shlex
from collections.abc import Iterator

from openparallax.app.dev.configuration import Setup
from openparallax.app.dev.folder import Folder
from openparallax.app.dev.outside import OF_PROGRAM, Outside
from openparallax.emulator import Account

_OF_ENGINE = {
    "echo": "echo, which says everything back (--engine chooses another)",
    "anthropic": "anthropic: Claude, with the key of ANTHROPIC_API_KEY",
}


def of_daemon(page: str, setup: Setup, folder: Folder, *, is_verbose: bool) -> str:
    """For a daemon of ours."""
    engine = setup.settings.engine.type
    rows = [
        ("who answers", _OF_ENGINE.get(engine, engine) if setup.own is None else engine),
        ("state", f"{folder.path} (kept; --fresh empties it)"),
        ("log", "here" if is_verbose else str(folder.log)),
        ("look", f"openparallax status -c {shlex.quote(str(folder.config))}"),
    ]
    if setup.own is not None:
        rows[0:0] = [
            ("runs", str(setup.own)),
            ("replaced", "graph_api_url, by this machine"),
            ("", "storage.url, by a database in the folder below; yours is not touched"),
        ]
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
