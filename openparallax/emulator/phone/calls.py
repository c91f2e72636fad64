"""What the page may ask: a person does something, or a switch is turned."""

import re
import secrets
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from openparallax.emulator.daemon_side import DaemonSide
from openparallax.emulator.faults import NAMES as FAULTS
from openparallax.emulator.people import Person
from openparallax.emulator.phone.fields import Fields, Refused
from openparallax.emulator.phone.telling import RULES, rules
from openparallax.emulator.world import MOST_PEOPLE, Message

if TYPE_CHECKING:
    from openparallax.emulator.emulator import Emulator

MOST_TEXT = 65_536
"""What WhatsApp lets a person write; a business has 4096."""
MOST_KEY = 64
MOST_ID = 512
MOST_MOVE_S = 10 * 366 * 86_400

Said = dict[str, Any]
_Call = Callable[["Emulator", Fields], Awaitable[Said]]
_T = TypeVar("_T")


def attempt(act: Callable[[], _T]) -> _T:
    """Do it; whom or what nobody knows is 404, what may not be is 409, each in its sentence."""
    try:
        return act()
    except LookupError as unknown:
        raise Refused(str(unknown.args[0]) if unknown.args else "nobody knows this", 404) from None
    except ValueError as unfit:
        raise Refused(str(unfit), 409) from None


def who(emulator: "Emulator", fields: Fields) -> str:
    """Key of the person who does it."""
    return attempt(lambda: emulator.person(fields.text("person", most=MOST_KEY))).key


def to_whom(emulator: "Emulator", fields: Fields) -> dict[str, Any]:
    """With which of the business's numbers, and in answer to what."""
    number_id = fields.optional("number_id", most=MOST_ID)
    quoting = fields.optional("quoting", most=MOST_ID)
    if quoting is not None and emulator.world.message(quoting) is None:
        raise Refused("there is no such message to answer", 404)
    return {
        "number_id": attempt(lambda: emulator.world.our_number(number_id)).id,
        "quoting": quoting,
    }


def told(message: Message) -> Said:
    """What the page needs to find its bubble."""
    return {"wamid": message.wamid}


def _message(emulator: "Emulator", fields: Fields) -> Message:
    found = emulator.world.message(fields.text("wamid", most=MOST_ID))
    if found is None:
        raise Refused("there is no such message", 404)
    return found


async def _say(emulator: "Emulator", fields: Fields) -> Said:
    person, more = who(emulator, fields), to_whom(emulator, fields)
    text = fields.text("text", most=MOST_TEXT)
    if not text.strip():
        raise Refused("a message of nothing but spaces cannot be sent")
    return told(attempt(lambda: emulator.say(person, text, **more)))


async def _location(emulator: "Emulator", fields: Fields) -> Said:
    person, more = who(emulator, fields), to_whom(emulator, fields)
    content: dict[str, Any] = {
        "latitude": fields.number("latitude", least=-90, most=90),
        "longitude": fields.number("longitude", least=-180, most=180),
    }
    for name in ("name", "address"):
        if (value := fields.optional(name, most=256)) is not None:
            content[name] = value
    return told(attempt(lambda: emulator.send(person, "location", content, **more)))


async def _contact(emulator: "Emulator", fields: Fields) -> Said:
    person, more = who(emulator, fields), to_whom(emulator, fields)
    name = fields.text("name", most=256)
    phone = fields.text("phone", most=32)
    digits = re.sub(r"\D", "", phone)
    card = {
        "name": {"formatted_name": name, "first_name": name.split()[0] if name.split() else name},
        "phones": [{"phone": phone, "wa_id": digits, "type": "CELL"}],
    }
    content = {"contacts": [card]}
    return told(attempt(lambda: emulator.send(person, "contacts", content, **more)))


async def _react(emulator: "Emulator", fields: Fields) -> Said:
    person, message = who(emulator, fields), _message(emulator, fields)
    emoji = fields.optional("emoji", most=32) or ""
    attempt(lambda: emulator.react(person, message.wamid, emoji))
    return {}


async def _tap(emulator: "Emulator", fields: Fields) -> Said:
    person, message = who(emulator, fields), _message(emulator, fields)
    choice = fields.text("choice", most=MOST_ID)
    return told(attempt(lambda: emulator.tap(person, message.wamid, choice)))


async def _take_back(emulator: "Emulator", fields: Fields) -> Said:
    person, message = who(emulator, fields), _message(emulator, fields)
    attempt(lambda: emulator.take_back(person, message.wamid))
    return {}


async def _read(emulator: "Emulator", fields: Fields) -> Said:
    person, number_id = who(emulator, fields), to_whom(emulator, fields)["number_id"]
    attempt(lambda: emulator.read(person, number_id))
    return {}


async def _played(emulator: "Emulator", fields: Fields) -> Said:
    person, message = who(emulator, fields), _message(emulator, fields)
    attempt(lambda: emulator.play(person, message.wamid))
    return {}


async def _echo(emulator: "Emulator", fields: Fields) -> Said:
    person, number_id = who(emulator, fields), to_whom(emulator, fields)["number_id"]
    text = fields.text("text", most=MOST_TEXT)
    return told(attempt(lambda: emulator.echo(person, text, number_id)))


async def _fault(emulator: "Emulator", fields: Fields) -> Said:
    """Switch one on."""
    name = fields.one_of("name", FAULTS)
    person = who(emulator, fields) if fields.optional("person", most=MOST_KEY) else None
    value = fields.optional("value", most=64) or ""
    times = fields.whole("times", least=1, most=1_000_000)
    attempt(lambda: emulator.faults.set(name, person=person, value=value, times=times))
    return {}


async def _no_fault(emulator: "Emulator", fields: Fields) -> Said:
    """Switch one off, for one person or where it is on; without a name every one."""
    name = fields.one_of("name", FAULTS) if fields.optional("name", most=64) else None
    person = fields.optional("person", most=MOST_KEY)
    emulator.faults.clear(name, person=person, everybody=fields.flag("everybody"))
    if name in {None, "hang"}:
        emulator.sending.release()
    return {}


async def _move_clock(emulator: "Emulator", fields: Fields) -> Said:
    emulator.clock.move(fields.number("seconds", least=-MOST_MOVE_S, most=MOST_MOVE_S))
    return {"now": emulator.clock.now()}


async def _reset_clock(emulator: "Emulator", _fields: Fields) -> Said:
    emulator.clock.reset()
    return {"now": emulator.clock.now()}


async def _rule(emulator: "Emulator", fields: Fields) -> Said:
    setattr(emulator.rules, fields.one_of("name", RULES), fields.flag("on"))
    emulator.world.feed.tell("rules", rules=rules(emulator))
    return {}


async def _add_person(emulator: "Emulator", fields: Fields) -> Said:
    name = fields.text("name", most=64).strip()
    digits = re.sub(r"\D", "", fields.optional("phone", most=32) or "")
    username = (fields.optional("username", most=32) or "").strip().removeprefix("@").lower()
    if not name:
        raise Refused("name must have 1 to 64 characters")
    if len(emulator.world.people) >= MOST_PEOPLE:
        raise Refused("there are too many people already", 409)
    if not digits and not username:
        raise Refused("a person has a number, a username or both")
    if digits and not 7 <= len(digits) <= 15:
        raise Refused("a number has 7 to 15 digits, with the country's code")
    if username and not re.fullmatch(r"[a-z0-9._]{3,30}", username):
        raise Refused("a username has 3 to 30 letters, digits, dots and underscores")
    if any(username and one.username == username for one in emulator.world.people.values()):
        raise Refused("somebody has this username already", 409)
    person = Person(
        key=_free_key(emulator, name),
        name=name,
        wa_id=digits or None,
        user_id=f"US.{secrets.randbelow(9 * 10**15) + 10**15}",
        username=username or None,
    )
    attempt(lambda: emulator.add_person(person))
    return {"key": person.key}


def _free_key(emulator: "Emulator", name: str) -> str:
    base = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:32] or "person"
    keys = (base, *(f"{base}-{number}" for number in range(2, len(emulator.world.people) + 3)))
    return next(key for key in keys if key not in emulator.world.people)


async def _clear(emulator: "Emulator", _fields: Fields) -> Said:
    emulator.world.clear()
    return {}


async def _kill(emulator: "Emulator", _fields: Fields) -> Said:
    return await _steer(_daemon(emulator).kill)


async def _stop(emulator: "Emulator", _fields: Fields) -> Said:
    return await _steer(_daemon(emulator).stop)


async def _start(emulator: "Emulator", _fields: Fields) -> Said:
    return await _steer(_daemon(emulator).start)


def _daemon(emulator: "Emulator") -> DaemonSide:
    if emulator.daemon is None:
        raise Refused("the bot is not ours to start and stop", 409)
    return emulator.daemon


async def _steer(act: Callable[[], Awaitable[None]]) -> Said:
    try:
        await act()
    except OSError as error:
        raise Refused(str(error) or "it could not be done", 409) from None
    return {}


CALLS: dict[str, _Call] = {
    "say": _say,
    "location": _location,
    "contact": _contact,
    "react": _react,
    "tap": _tap,
    "take-back": _take_back,
    "read": _read,
    "played": _played,
    "echo": _echo,
    "fault": _fault,
    "no-fault": _no_fault,
    "move-clock": _move_clock,
    "reset-clock": _reset_clock,
    "rule": _rule,
    "add-person": _add_person,
    "clear": _clear,
    "kill": _kill,
    "stop": _stop,
    "start": _start,
}
"""Name of a call -> what answers it; ``upload`` is the one more, since its body is a file."""
