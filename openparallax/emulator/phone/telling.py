"""What the page is told: everything once, then each change, as plain data."""

import asyncio
import json
import math
from typing import TYPE_CHECKING, Any

from aiohttp import web

from openparallax.emulator import faults
from openparallax.emulator.feed import Change, Watcher
from openparallax.emulator.people import Person
from openparallax.emulator.wire import Exchange, as_data
from openparallax.emulator.world import Chat, Message

if TYPE_CHECKING:
    from openparallax.emulator.emulator import Emulator

MOST_SHOWN = 500
"""Messages of a chat, the newest: more than anybody scrolls through."""
MOST_STREAMS = 32
TAKEN_WITHIN_S = 30.0
"""A page that takes nothing for so long is cut: it would hold memory, and a place."""
ALIVE_S = 15.0
"""A comment is sent after so long without news, so that a dead connection shows."""
RETRY_MS = 1_000
RULES = {
    "window": "free-form messages only within 24 hours of the person's last one (131047)",
    "pair_rate": "a burst of 45, then one in six seconds, to one person (131056)",
    "throughput": "so many a second for each business number (130429)",
    "allow_list": "a test number writes only to numbers on its list (131030)",
}
"""Name -> what it forbids."""

_BODIES = ("request", "answer")


def snapshot(emulator: "Emulator") -> Change:
    """Everything that the page shows."""
    world = emulator.world
    return {
        "kind": "snapshot",
        "now": emulator.clock.now(),
        "ahead_s": emulator.clock.ahead_s,
        "numbers": [
            {
                "id": number.id,
                "name": number.verified_name,
                "display_phone_number": number.display_phone_number,
            }
            for number in world.account.numbers
        ],
        "people": [_person(person) for person in world.people.values()],
        "chats": [_chat(emulator, chat) for chat in world.chats.values()],
        "templates": world.account.templates,
        "wire": [_line(as_data(exchange)) for exchange in emulator.wire.exchanges],
        "faults": emulator.faults.as_data(),
        "fault_names": faults.NAMES,
        "rules": rules(emulator),
        "rule_names": RULES,
        "daemon": emulator.daemon.as_data() if emulator.daemon is not None else None,
    }


def rules(emulator: "Emulator") -> dict[str, bool]:
    return {name: bool(getattr(emulator.rules, name)) for name in RULES}


def change(emulator: "Emulator", told: Change) -> Change:
    """A change of the feed as the page gets it."""
    if told["kind"] == "message":
        return {"kind": "message", "message": _message(emulator, told["message"])}
    if told["kind"] == "clock":
        return {**told, "ahead_s": emulator.clock.ahead_s}
    if told["kind"] == "person":
        return {"kind": "person", "person": _person(told["person"])}
    if told["kind"] == "wire":
        return {"kind": "wire", "exchange": _line(told["exchange"])}
    return told


def exchange(of: Exchange) -> dict[str, Any]:
    """A request and its answer with their bodies."""
    return as_data(of)


def dumps(data: Any) -> bytes:
    """JSON that any browser reads: no NaN, no half of a surrogate pair as bytes, one line."""
    try:
        text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    except ValueError:
        text = json.dumps(_finite(data), separators=(",", ":"))
    return text.encode("ascii")


def _finite(data: Any) -> Any:
    if isinstance(data, float) and not math.isfinite(data):
        return None
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(value) for value in data]
    return data


def _person(person: Person) -> dict[str, Any]:
    return {
        "key": person.key,
        "name": person.name,
        "wa_id": person.wa_id,
        "user_id": person.user_id,
        "username": person.username,
        "is_reachable": person.is_reachable,
    }


def _chat(emulator: "Emulator", chat: Chat) -> dict[str, Any]:
    return {
        "number_id": chat.number_id,
        "person": chat.person,
        "typing_until": chat.typing_until,
        "messages": [_message(emulator, message) for message in chat.messages[-MOST_SHOWN:]],
    }


def _message(emulator: "Emulator", message: Message) -> dict[str, Any]:
    return {
        "wamid": message.wamid,
        "number_id": message.number_id,
        "person": message.person,
        "is_ours": message.is_ours,
        "kind": message.kind,
        # what was taken back is gone from the phone too
        "content": {} if message.is_deleted else message.content,
        "at": message.at,
        "status": message.status,
        "quoted": message.quoted,
        "errors": message.errors,
        "answered_after_s": message.answered_after_s,
        "reactions": message.reactions,
        "is_deleted": message.is_deleted,
        "echo": message.echo,
        "choices": [
            {"id": choice.id, "title": choice.title} for choice in emulator.choices(message)
        ],
    }


def _line(of: dict[str, Any]) -> dict[str, Any]:
    """Without the bodies: the page asks for those that somebody unfolds."""
    return {name: value for name, value in of.items() if name not in _BODIES}


class Streams:
    """Server-sent events to each page that is open."""

    def __init__(self, emulator: "Emulator") -> None:
        self._emulator = emulator
        self._feed = emulator.world.feed
        self._transports: set[asyncio.Transport] = set()
        self._is_over = False

    @property
    def has_room(self) -> bool:
        return not self._is_over and len(self._transports) < MOST_STREAMS

    async def answer(
        self, request: web.BaseRequest, response: web.StreamResponse
    ) -> web.StreamResponse:
        """Tell until the page goes away, reads too slowly, or all is over; then it asks anew."""
        transport = request.transport
        if transport is None:  # the page was closed
            return response
        self._transports.add(transport)
        watcher = self._feed.watch()
        try:
            await response.prepare(request)
            await self._write(response, f"retry: {RETRY_MS}\n\n".encode())
            await self._write(response, _event(snapshot(self._emulator)))
            while not self._is_over:
                told = await self._next(watcher)
                if told is None:
                    break
                await self._write(response, told)
            await response.write_eof()
        except ConnectionError:
            pass  # the page was closed
        except TimeoutError:
            transport.abort()
        finally:
            self._feed.leave(watcher)
            self._transports.discard(transport)
        return response

    @staticmethod
    async def _write(response: web.StreamResponse, said: bytes) -> None:
        async with asyncio.timeout(TAKEN_WITHIN_S):
            await response.write(said)

    async def _next(self, watcher: Watcher) -> bytes | None:
        try:
            async with asyncio.timeout(ALIVE_S):
                told = await watcher.next()
        except TimeoutError:
            return b": still here\n\n"
        return None if told is None else _event(change(self._emulator, told))

    async def close(self) -> None:
        """End every stream; those whose page does not read are cut."""
        self._is_over = True
        self._feed.close()
        await asyncio.sleep(0)
        for transport in list(self._transports):
            if transport.get_write_buffer_size():
                transport.abort()


def _event(data: Change) -> bytes:
    return b"data: " + dumps(data) + b"\n\n"
