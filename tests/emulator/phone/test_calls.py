"""Every call of the page: what it does, and how it is refused."""

import asyncio
import json
from typing import Any

import pytest

from openparallax.emulator import Emulator, Message
from openparallax.emulator.daemon_side import DaemonSide
from openparallax.emulator.ids import new_wamid
from openparallax.emulator.phone.calls import CALLS
from tests.emulator.phone.browser import Browser

WIDE = "\U0001f600"


def answered(
    emulator: Emulator, kind: str, content: dict[str, Any], person: str = "ann"
) -> Message:
    """A message of the business, as if it had been sent."""
    message = Message(
        wamid=new_wamid(person, is_ours=True),
        number_id=emulator.world.our_number().id,
        person=person,
        is_ours=True,
        kind=kind,
        content=content,
        at=emulator.clock.now(),
        status="delivered",
    )
    emulator.world.add(message)
    return message


def said(emulator: Emulator) -> list[Message]:
    return [message for message in emulator.world.all_messages() if not message.is_ours]


async def test_say(emulator: Emulator, page: Browser) -> None:
    answer = await page.call("say", person="bob", text=f"  hello\n{WIDE} ")
    message = emulator.world.message(answer["wamid"])
    assert message is not None
    assert (message.person, message.kind, message.content) == (
        "bob",
        "text",
        {"body": f"  hello\n{WIDE} "},
    )


async def test_say_in_answer_to_a_message(emulator: Emulator, page: Browser) -> None:
    first = answered(emulator, "text", {"body": "yes?"})
    await page.call("say", person="ann", text="no", quoting=first.wamid)
    assert said(emulator)[0].quoted == first.wamid


async def test_location_and_contact(emulator: Emulator, page: Browser) -> None:
    await page.call("location", person="ann", latitude=52.5, longitude=-13, name="Gate")
    await page.call("contact", person="ann", name="Erin Example", phone="+1 (555) 010-0199")
    place, card = said(emulator)
    assert place.content == {"latitude": 52.5, "longitude": -13.0, "name": "Gate"}
    assert card.content["contacts"][0]["name"]["formatted_name"] == "Erin Example"
    assert card.content["contacts"][0]["phones"][0]["wa_id"] == "15550100199"


async def test_react_and_take_the_reaction_back(emulator: Emulator, page: Browser) -> None:
    message = answered(emulator, "text", {"body": "hi"})
    await page.call("react", person="ann", wamid=message.wamid, emoji="❤️")
    assert message.reactions == {"person": "❤️"}
    await page.call("react", person="ann", wamid=message.wamid, emoji="")
    assert message.reactions == {}


async def test_tap(emulator: Emulator, page: Browser) -> None:
    button = {"type": "reply", "reply": {"id": "y", "title": "Yes"}}
    asked = answered(emulator, "interactive", {"type": "button", "action": {"buttons": [button]}})
    await page.call("tap", person="ann", wamid=asked.wamid, choice="y")
    assert said(emulator)[0].content["button_reply"] == {"id": "y", "title": "Yes"}
    status, sentence = await page.refused("tap", person="ann", wamid=asked.wamid, choice="n")
    assert (status, sentence) == (404, "there is no such choice in that message")


async def test_take_back(emulator: Emulator, page: Browser) -> None:
    wamid = (await page.call("say", person="ann", text="oops"))["wamid"]
    await page.call("take-back", person="ann", wamid=wamid)
    assert said(emulator)[0].is_deleted
    status, _ = await page.refused("take-back", person="ann", wamid=wamid)
    assert status == 404


async def test_read_and_played(emulator: Emulator, page: Browser) -> None:
    text = answered(emulator, "text", {"body": "hi"})
    note = answered(emulator, "audio", {"id": "1", "voice": True})
    await page.call("read", person="ann")
    assert (text.status, note.status) == ("read", "read")
    await page.call("played", person="ann", wamid=note.wamid)
    assert note.status == "played"
    status, _ = await page.refused("played", person="bob", wamid=note.wamid)
    assert status == 404


async def test_echo(emulator: Emulator, page: Browser) -> None:
    answer = await page.call("echo", person="ann", text="I am here myself")
    message = emulator.world.message(answer["wamid"])
    assert message is not None
    assert message.is_ours
    assert message.echo


async def test_faults(emulator: Emulator, page: Browser) -> None:
    await page.call("fault", name="refuse", value="131056", person="bob", times=2)
    await page.call("fault", name="duplicate")
    assert emulator.faults.as_data() == [
        {"name": "refuse", "person": "bob", "value": "131056", "times": 2},
        {"name": "duplicate", "person": None, "value": "", "times": None},
    ]
    status, sentence = await page.refused("fault", name="refuse", value="much")
    assert status == 409
    assert "refuse" in sentence
    await page.call("no-fault", name="refuse", person="bob")
    assert [one["name"] for one in emulator.faults.as_data()] == ["duplicate"]
    await page.call("fault", name="duplicate", person="ann")
    await page.call("no-fault", name="duplicate", everybody=True)
    assert [one["person"] for one in emulator.faults.as_data()] == ["ann"]
    await page.call("no-fault")
    assert emulator.faults.as_data() == []


async def test_switching_hang_off_answers_what_hangs(emulator: Emulator, page: Browser) -> None:
    released = emulator.sending.released
    await page.call("no-fault", name="duplicate")
    assert not released.is_set()
    await page.call("no-fault", name="hang")
    assert released.is_set()


async def test_the_clock(emulator: Emulator, page: Browser) -> None:
    await page.call("move-clock", seconds=86_400.5)
    assert emulator.clock.ahead_s == 86_400.5
    await page.call("move-clock", seconds=-400)
    assert emulator.clock.ahead_s == 86_000.5
    await page.call("reset-clock")
    assert emulator.clock.ahead_s == 0


async def test_rules(emulator: Emulator, page: Browser) -> None:
    await page.call("rule", name="window", on=False)
    assert not emulator.rules.window
    await page.call("rule", name="window", on=True)
    assert emulator.rules.window


async def test_add_a_person(emulator: Emulator, page: Browser) -> None:
    key = (await page.call("add-person", name="Zoë Müller", phone="+49 155 5000-0099"))["key"]
    person = emulator.person(key)
    assert (person.name, person.wa_id, person.username) == ("Zoë Müller", "4915550000099", None)
    again = (await page.call("add-person", name="Zoë Müller", username="@zoe.m"))["key"]
    assert again != key
    assert emulator.person(again).wa_id is None
    await page.call("say", person=again, text="hello")


@pytest.mark.parametrize(
    ("person", "status"),
    [
        ({"name": "Ann"}, 400),
        ({"name": " ", "phone": "+15550000009"}, 400),
        ({"name": "Ann", "phone": "12"}, 400),
        ({"name": "Ann", "phone": "0155500000"}, 409),
        ({"name": "Ann", "username": "a b"}, 400),
        ({"name": "Ann", "phone": "+4915550000001"}, 409),
        ({"name": "Ann", "username": "carol.writes"}, 409),
        ({"name": "x" * 65, "phone": "+15550000009"}, 400),
    ],
)
async def test_who_cannot_be_added(
    emulator: Emulator, page: Browser, person: dict[str, str], status: int
) -> None:
    before = len(emulator.world.people)
    assert (await page.refused("add-person", **person))[0] == status
    assert len(emulator.world.people) == before


async def test_clear(emulator: Emulator, page: Browser) -> None:
    await page.call("say", person="ann", text="hello")
    await page.call("clear")
    assert said(emulator) == []


async def test_the_daemon(emulator: Emulator, page: Browser) -> None:
    done: list[str] = []

    async def kill() -> None:
        done.append("kill")

    async def stop() -> None:
        done.append("stop")

    async def start() -> None:
        raise OSError("port 9443 is taken")

    emulator.daemon = DaemonSide(kill=kill, stop=stop, start=start, feed=emulator.world.feed)
    await page.call("kill")
    await page.call("stop")
    assert done == ["kill", "stop"]
    assert await page.refused("start") == (409, "port 9443 is taken")


@pytest.mark.parametrize("name", ["kill", "stop", "start"])
async def test_a_daemon_that_is_not_ours_is_left_alone(page: Browser, name: str) -> None:
    assert await page.refused(name) == (409, "the bot is not ours to start and stop")


NEEDS: dict[str, dict[str, Any]] = {
    "say": {"person": "ann", "text": "hello"},
    "location": {"person": "ann", "latitude": 1, "longitude": 1},
    "contact": {"person": "ann", "name": "Erin", "phone": "+15550000009"},
    "react": {"person": "ann", "wamid": "wamid.1", "emoji": "x"},
    "tap": {"person": "ann", "wamid": "wamid.1", "choice": "y"},
    "take-back": {"person": "ann", "wamid": "wamid.1"},
    "read": {"person": "ann"},
    "played": {"person": "ann", "wamid": "wamid.1"},
    "echo": {"person": "ann", "text": "hello"},
    "fault": {"name": "duplicate"},
    "no-fault": {"name": "duplicate"},
    "move-clock": {"seconds": 1},
    "rule": {"name": "window", "on": True},
    "add-person": {"name": "Erin", "phone": "+15550000009"},
}
ODD: list[Any] = [
    1,
    -1e400,
    True,
    [],
    {},
    "",
    "x" * 70_000,
    "\ud800",
    "nobody",
    [[["ann"]]],
    10**400,
]


@pytest.mark.parametrize(("name", "needs"), NEEDS.items(), ids=NEEDS)
async def test_odd_values_are_refused_in_a_sentence(
    page: Browser, name: str, needs: dict[str, Any]
) -> None:
    for field, usual in needs.items():
        for odd in ODD:
            body = json.dumps({**needs, field: odd}).encode()
            status, answer = await page.ask(name, body)
            is_fine = status == 200 and isinstance(odd, type(usual) | int)
            assert is_fine or (400 <= status < 500 and set(answer) == {"error"}), (field, odd)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'"say"',
        b"null",
        b"[" * 100_000,
        b'{"person": NaN}',
        b'{"person": "ann", "text": "\xff"}',
        b"\xff\xfe",
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b"\xef\xbb\xbf{}",
    ],
)
@pytest.mark.parametrize("name", ["say", "fault", "move-clock"])
async def test_what_is_no_object_is_refused(page: Browser, name: str, body: bytes) -> None:
    status, answer = await page.ask(name, body)
    assert (status, set(answer)) == (400, {"error"})


@pytest.mark.parametrize("name", ["say", "read", "echo", "location"])
async def test_whom_nobody_knows(page: Browser, name: str) -> None:
    needs = {**NEEDS[name], "person": "zoe"}
    status, sentence = await page.refused(name, **needs)
    assert status == 404
    assert "zoe" in sentence
    needs = {**NEEDS[name], "number_id": "1"}
    assert (await page.refused(name, **needs))[0] == 404


async def test_a_quoted_message_must_be_there(page: Browser) -> None:
    status, _ = await page.refused("say", person="ann", text="hello", quoting="wamid.1")
    assert status == 404


async def test_nothing_but_spaces_is_not_sent(emulator: Emulator, page: Browser) -> None:
    assert (await page.refused("say", person="ann", text=" \n\t"))[0] == 400
    assert said(emulator) == []


async def test_a_call_is_a_post_of_json(page: Browser) -> None:
    assert (await page.get("/phone/api/say"))[0] == 405
    assert (await page.get("/phone/api/nothing"))[0] == 404
    status, answer = await page.ask("say", b"{}", **{"Content-Type": "text/plain"})
    assert (status, answer) == (415, {"error": "a call is application/json"})
    async with page.session.post(f"{page.url}/", data=b"") as response:
        assert response.status == 405


async def test_a_huge_body_is_refused(page: Browser) -> None:
    status, answer = await page.ask("say", b" " * 300_000)
    assert (status, set(answer)) == (413, {"error"})


async def test_a_body_that_does_not_arrive(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openparallax.emulator.phone.page.BODY_S", 0.01)
    port = int(emulator.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"POST /phone/api/clear HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
    )
    async with asyncio.timeout(20):
        assert b" 408 " in await reader.readline()
    writer.close()


async def test_a_cut_body_harms_nothing(emulator: Emulator, page: Browser) -> None:
    port = int(emulator.url.rpartition(":")[2])
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"POST /phone/api/say HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: 100\r\n\r\n{"
    )
    await writer.drain()
    writer.transport.abort()
    await page.call("say", person="ann", text="still there")
    assert len(said(emulator)) == 1


def test_each_call_is_tested_with_odd_values() -> None:
    without_fields = {"reset-clock", "clear", "kill", "stop", "start"}
    assert set(CALLS) - without_fields == set(NEEDS)
