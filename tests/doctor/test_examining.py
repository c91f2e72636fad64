"""The whole of it: mending, what goes over the wire, what breaks, how a report reads."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from openparallax.doctor import meta, telling
from openparallax.doctor.configuration import see_configuration, wrong
from openparallax.doctor.daemon import Running
from openparallax.doctor.examining import Examination
from openparallax.doctor.finding import Finding, Group, Level, Notes, Report
from openparallax.doctor.machine import MB, Machine
from openparallax.doctor.subject import Ward
from openparallax.engines.echo import Echo
from openparallax.plugin import PluginSettings
from tests.doctor.front import in_public
from tests.doctor.patient import (
    TOKEN,
    Patient,
    account,
    both,
    number,
    patient,
    subscription,
    told,
)
from tests.doctor.patient import wrong as wrong_of
from tests.emulator.graph.desk import open_door
from tests.pipeline.doubles import make_tools

NO_MENU = number(automation={})
UNSUBSCRIBED = account(subscribed_apps=[])


def examination(found: Patient, folder: Path, **more: Any) -> Examination:
    """Of what Meta knows, and of a machine that is well."""
    folder.chmod(0o700)
    given: dict[str, Any] = {
        "subjects": [found.subject],
        "machine": Machine(config=folder / "config.yaml", database=folder / "openparallax.db"),
        "running": Running(pid=-1, trouble="It may not be known."),
        "clock": found.clock,
        "look_up": in_public,
        "room": lambda _: 50_000 * MB,
    }
    return Examination(**given | more)


def posts(found: Patient) -> list[str]:
    return [path for method, path in found.asked if method != "GET"]


async def test_looking_changes_nothing(tmp_path: Path) -> None:
    async with patient(both(UNSUBSCRIBED, NO_MENU)) as found:
        found.told(callback_url="")
        report = await examination(found, tmp_path).run()
        assert posts(found) == []
        assert found.asked
        assert found.desk.account.subscribed_apps == []
        assert {one.check for one in report.findings if one.fixable} == {
            "account.subscribed",
            "number.commands",
        }
        assert report.fixed == ()


async def test_fix_mends_what_is_safe_says_so_and_looks_again(tmp_path: Path) -> None:
    async with patient(both(UNSUBSCRIBED, NO_MENU, told(callback_url=""))) as found:
        report = await examination(found, tmp_path).run(mends=True)
        assert [path.split("/", 2)[2] for path in posts(found)] == [
            "102290129340398/subscribed_apps",
            "1234567890123456/conversational_automation",
        ]
        assert report.fixed == (
            "Subscribed the app to the WhatsApp account 102290129340398.",
            "Put /new, /otr, /help, /status into the menu of the number 1234567890123456.",
        )
        assert not report.has_failed
        assert not any(one.fixable for one in report.findings)
        again = await examination(found, tmp_path).run(mends=True)
        assert again.fixed == (), "what is well is left alone"
        assert len(posts(found)) == 2


async def test_fix_leaves_what_somebody_else_has_put_into_the_menu(tmp_path: Path) -> None:
    own = {"command_name": "pizza", "command_description": "order one"}
    own_menu = {"commands": [own], "prompts": ["Hungry?"]}
    async with patient(both(number(automation=own_menu), told(callback_url=""))) as found:
        await examination(found, tmp_path).run(mends=True)
        menu = found.desk.number.automation
        names = [one["command_name"] for one in menu["commands"]]
        assert names == ["pizza", "new", "otr", "help", "status"]
        assert menu["prompts"] == ["Hungry?"]


async def test_fix_sets_a_webhook_only_where_there_is_none(tmp_path: Path) -> None:
    async with open_door() as door, patient(subscription(callback_url="")) as found:
        found.told(callback_url=door.url, verify_token=door.verify_token)
        report = await examination(found, tmp_path).run(mends=True)
        assert f"Set the app's webhook to {door.url}, for messages." in report.fixed
        assert found.desk.account.subscription.callback_url == door.url
        assert door.asked, "Meta asks it at once"
    async with patient(subscription(callback_url="https://other.example/hook")) as found:
        await examination(found, tmp_path).run(mends=True)
        assert posts(found) == []


async def test_what_meta_refuses_to_mend_is_told(tmp_path: Path) -> None:
    async with patient(subscription(callback_url="")) as found:
        found.told(callback_url="http://127.0.0.1:9/webhook")
        report = await examination(found, tmp_path).run(mends=True)
        [told_of_it] = report.fixed
        assert told_of_it.startswith("Could not set the app's webhook")
        assert report.has_failed


async def test_several_numbers_are_examined_each(tmp_path: Path) -> None:
    async with patient(told(callback_url="")) as found:
        from dataclasses import replace  # noqa: PLC0415 - here alone

        other = replace(found.subject, phone_number_id="9", place="channels.whatsapp.accounts.0")
        report = await examination(found, tmp_path, subjects=[found.subject, other]).run()
        gone = [one for one in report.findings if one.check == "number.exists"]
        assert {one.account: one.level for one in gone} == {
            "1234567890123456": Level.OK,
            "9": Level.FAILURE,
        }
        text = "\n".join(telling.lines(report, lambda text, _: text))
        assert "✗ [9] Graph knows no number with the id 9" in text
        assert text.count("The access token EAA…6789 is valid.") == 1, "said once for both"


async def test_offline_asks_nobody(tmp_path: Path) -> None:
    async with patient() as found:
        report = await examination(found, tmp_path, is_offline=True).run(mends=True)
        assert found.asked == []
        assert {one.group for one in report.findings} == {Group.MACHINE}


async def test_a_check_that_breaks_is_a_finding_and_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def break_down(_: Ward) -> None:
        raise ValueError(TOKEN)

    monkeypatch.setattr("openparallax.doctor.examining.see_meta", break_down)
    engine = Echo(PluginSettings(), make_tools())
    async with patient(told(callback_url="")) as found:
        report = await examination(found, tmp_path, engines=[("echo", engine, "")]).run()
    said = {one.check: one.says for one in report.findings}
    assert "ValueError in test_examining.py" in said["doctor.broke"]
    assert TOKEN not in said["doctor.broke"]
    assert "engine.reachable" in said


async def test_a_graph_that_hangs_is_a_finding_and_not_a_hang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meta, "PATIENCE_S", 0.2)
    held = asyncio.Event()

    async def hold(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await held.wait()
        writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with patient(told(graph_url=f"http://127.0.0.1:{port}", callback_url="")) as found:
        report = await examination(found, tmp_path).run()
    held.set()
    server.close()
    await server.wait_closed()
    assert [one.check for one in report.findings if one.level is Level.FAILURE] == ["graph.slow"]


# -- reports --------------------------------------------------------------------------------------


def test_the_json_keys_are_a_promise() -> None:
    one = Finding(level=Level.FAILURE, group=Group.TOKEN, check="token.valid", says="No.")
    data = Report((one,), ("Did it.",), 1.234).as_data()
    assert json.loads(json.dumps(data)) == {
        "ok": False,
        "counts": {"ok": 0, "note": 0, "warning": 0, "failure": 1},
        "seconds": 1.23,
        "fixed": ["Did it."],
        "findings": [
            {
                "level": "failure", "group": "token", "check": "token.valid", "account": None,
                "says": "No.", "why": "", "to_do": "", "command": "", "fixable": False,
            }
        ],
    }  # fmt: skip


def test_a_report_names_the_file_in_our_own_commands() -> None:
    one = Finding(
        level=Level.NOTE,
        group=Group.NUMBER,
        check="x",
        says="x",
        command="openparallax doctor --fix",
    )
    [ours] = Report((one,)).naming("/srv/my bot/c.yaml").findings
    assert ours.command == "openparallax doctor --fix -c '/srv/my bot/c.yaml'"


def test_lines_are_wrapped_and_a_terminal_obeys_nothing_in_them() -> None:
    notes = Notes(Group.NUMBER)
    notes.failure(
        "x", "An \x1b[31mevil\x07 name \u202e " + "word " * 40, why="because", to_do="mend"
    )
    shown = list(telling.lines(Report(tuple(notes.found)), lambda text, _: text, width=60))
    assert max(map(len, shown)) <= 60
    assert all(line.isprintable() for line in shown)
    assert shown[-1] == "1 failure, 0 checks are well (0.0 s)."


def test_warnings_of_the_configuration_have_keys_of_their_own() -> None:
    warnings = [
        "channels.whatsapp.allowed_numbers is empty: everybody may write to this number",
        "channels.whatsapp.app_secret is missing: signatures cannot be checked; set it",
        "something new: and why",
    ]
    found = see_configuration(warnings, ["archive"]).found
    assert [one.check for one in found] == [
        "configuration.everybody",
        "configuration.unsigned",
        "configuration.warning",
        "configuration.off_the_record",
    ]
    assert found[1].to_do == "Set it."
    assert wrong_of(see_configuration([], []).found) == set()


def test_a_wrong_configuration_is_findings_too() -> None:
    report = wrong(["c.yaml:7: log.level: must be debug, info, warning or error"])
    [one] = report.findings
    assert (one.group, one.level) == (Group.CONFIGURATION, Level.FAILURE)
    assert report.has_failed
