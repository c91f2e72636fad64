"""The doctor's examination laid out from the configuration."""

import asyncio
import getpass
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from openparallax import logs
from openparallax.app.daemon import most_stop_s
from openparallax.app.plugins import close_all, keepers, load_engine
from openparallax.clock import Clock, SystemClock
from openparallax.config import Settings, WhatsApp, find_database
from openparallax.config.document import load_text, parse
from openparallax.config.kept import KeptTokens, kept_path
from openparallax.config.problems import Problems
from openparallax.config.rules import secrets_in
from openparallax.doctor.configuration import see_configuration
from openparallax.doctor.daemon import Running
from openparallax.doctor.examining import Examination
from openparallax.doctor.finding import Finding, Group, Notes, Report
from openparallax.doctor.machine import Machine
from openparallax.doctor.subject import Subject
from openparallax.doctor.unit import Held, folders, see_socket, see_unit
from openparallax.errors import ConfigError, Refusal
from openparallax.logs import Logger
from openparallax.plugin import Engine, Tools
from openparallax.service.condition import look
from openparallax.service.layout import SOCKET
from openparallax.service.plan import addresses
from openparallax.service.system import System
from openparallax.storage import holder_of


def examine(
    settings: Settings,
    environment: Mapping[str, str],
    *,
    account: str = "",
    is_offline: bool = False,
    mends: bool = False,
) -> Report:
    """Examine the bot of a configuration; changes nothing unless ``mends``.

    Args:
        settings: Checked.
        environment: The process's variables.
        account: Only this number of ours (its phone number id); "": all of them.
        is_offline: Ask nobody beyond this machine.
        mends: Do what is safe, and examine again.

    Raises:
        Refusal: There is no such account (2).
    """
    return asyncio.run(
        _examine(settings, environment, account=account, is_offline=is_offline, mends=mends)
    )


async def _examine(
    settings: Settings,
    environment: Mapping[str, str],
    *,
    account: str,
    is_offline: bool,
    mends: bool,
) -> Report:
    # Where the daemon's is, also for root who asks from a shell about the service.
    database = find_database(settings.file, environment)
    settings = replace(settings, storage=replace(settings.storage, path=database))
    clock = SystemClock()
    log = logs.configure(level="error")
    notes = see_configuration(settings.warnings, keepers(settings))
    in_use = _with_kept_tokens(settings, notes)
    chosen = _subjects(in_use, account)
    engines, troubles = ([], []) if is_offline else _engines(settings, clock, log)
    try:
        return await Examination(
            subjects=chosen,
            machine=_machine(settings),
            running=_running(settings.storage.path),
            clock=clock,
            engines=engines,
            others=[*notes.found, *troubles],
            see_unit=lambda: _unit(settings, environment),
            is_offline=is_offline,
        ).run(mends=mends)
    finally:
        await close_all([engine for _, engine, _ in engines], log)


def _with_kept_tokens(settings: Settings, notes: Notes) -> Settings:
    """As the daemon sends: with the tokens that it had refreshed."""
    path = kept_path(settings.storage.path)
    kept = KeptTokens(path)
    if kept.trouble:
        notes.warning(
            "configuration.kept_tokens",
            f"The refreshed tokens in {path} cannot be used: {kept.trouble}.",
            why="The configured tokens are used, which may have ended.",
            to_do="Run the doctor as the daemon's user. If the file is damaged, take it away.",
        )
    return kept.put_in(settings)


def _subjects(settings: Settings, account: str) -> list[Subject]:
    numbers = settings.whatsapp.numbers
    found = [
        _subject(one, _place(settings.whatsapp, one), settings.outbox.messages_per_second)
        for one in numbers
        if account in ("", one.phone_number_id)
    ]
    if not found:
        known = ", ".join(one.phone_number_id for one in numbers)
        raise Refusal(f"no number of ours has that id; there are {known}", exit_code=2)
    return found


def _place(whatsapp: WhatsApp, number: WhatsApp) -> str:
    """Where the file speaks of a number."""
    ids = [one.phone_number_id for one in whatsapp.accounts]
    if number.phone_number_id not in ids:
        return "channels.whatsapp"
    return f"channels.whatsapp.accounts.{ids.index(number.phone_number_id)}"


def _subject(number: WhatsApp, place: str, messages_per_second: float | None) -> Subject:
    return Subject(
        place=place,
        phone_number_id=number.phone_number_id,
        token=number.access_token.get_secret_value(),
        verify_token=number.verify_token.get_secret_value(),
        app_secrets=tuple(one.get_secret_value() for one in number.app_secret),
        app_id=number.app_id or "",
        waba_id=number.waba_id or "",
        callback_url=number.callback_url or "",
        graph_url=number.graph_api_url,
        version=number.graph_api_version,
        renews_token=bool(number.app_id and number.app_secret),
        messages_per_second=messages_per_second,
    )


def _machine(settings: Settings) -> Machine:
    whatsapp, admin = settings.whatsapp, settings.admin
    listeners = {"webhook_port": (whatsapp.webhook_host, whatsapp.webhook_port)}
    if admin.enabled:
        listeners["admin.port"] = (admin.host, admin.port)
    name = str(settings.file)
    tree = parse(load_text(name, settings.text), Problems(name)) if settings.text else {}
    return Machine(
        config=settings.file,
        database=settings.storage.path,
        secret_files=[
            one.path for one in settings.origins.values() if one.kind == "file" and one.path
        ],
        literal_secrets=list(secrets_in(tree, "")),
        listeners=listeners,
        tls=(whatsapp.tls.certificate, whatsapp.tls.key) if whatsapp.tls else None,
    )


def _running(database: Path) -> Running:
    try:
        holder = holder_of(database)
    except Refusal as refusal:
        return Running(pid=-1, trouble=str(refusal))
    if holder is None:
        return Running()
    return Running(pid=holder.pid or -1, socket=holder.socket)


def _engines(
    settings: Settings, clock: Clock, log: Logger
) -> tuple[list[tuple[str, Engine, str]], list[Finding]]:
    """Those that answer, made; and what is wrong with those that cannot be."""
    tools = Tools(clock=clock, log=log)
    other = settings.off_the_record.engine
    choices = [(settings.engine, "on the record" if other else "")]
    if other:
        choices.append((other, "off the record"))
    made, notes = list[tuple[str, Engine, str]](), Notes(Group.ENGINE)
    for choice, when in choices:
        try:
            made.append((choice.type, load_engine(choice, tools), when))
        except ConfigError as error:
            for problem in error.problems:
                notes.failure(
                    "engine.made",
                    f"{problem.rstrip('.')}.",
                    why="The daemon does not start.",
                    to_do="Install the plugin anew, or name another engine.",
                )
    return made, notes.found


def _unit(settings: Settings, environment: Mapping[str, str]) -> Notes:
    named, home = environment.get("XDG_CONFIG_HOME"), environment.get("HOME")
    configurations = Path(named) if named else Path(home, ".config") if home else None
    user = ""
    with suppress(OSError, KeyError):
        user = getpass.getuser()
    notes = see_unit(
        most_stop_s(settings),
        folders(configurations),
        home=configurations,
        user=user,
    )
    whatsapp = settings.whatsapp
    wanted: list[str] = []
    with suppress(Refusal):  # others say what is wrong with it
        wanted = list(addresses(whatsapp.webhook_host, whatsapp.webhook_port))
    is_user = configurations is not None and (configurations / "systemd/user" / SOCKET).exists()
    notes.found += see_socket(_held(environment, is_user=is_user), wanted).found
    return notes


def _held(environment: Mapping[str, str], *, is_user: bool) -> Held | None:
    """What the service manager says of the socket; None where one of the two is not there."""
    try:
        system = System(environment, is_user=is_user)
    except Refusal:
        return None
    found = look(system)
    if found.socket.get("LoadState") != "loaded":
        return None
    is_enabled = found.socket.get("UnitFileState", "").startswith("enabled")
    return Held(found.listens, found.is_held, is_enabled, is_user)
