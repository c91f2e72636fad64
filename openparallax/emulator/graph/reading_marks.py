"""What a bot marks as read, and the typing that it shows with that."""

from typing import Final

from openparallax.emulator.graph.bodies_parts import invalid
from openparallax.emulator.world import World

TYPING_S: Final = 25.0
"""Source: facts, section 2.10."""


class ReadMarks:
    """Sets ticks of what people wrote."""

    def __init__(self, world: World) -> None:
        self._world = world

    def mark(self, number_id: str, wamid: str, *, is_typing: bool) -> str:
        """Mark a message and the earlier ones of its chat; the key of whose they are.

        Raises:
            GraphError: 131009: it is no message of a person to this number. The code is unsure.
        """
        message = self._world.message(wamid)
        if message is None or message.is_ours or message.number_id != number_id:
            raise invalid("message_id is not the id of a message to this number.")
        chat = self._world.chat(number_id, message.person)
        is_before = False
        for one in reversed(chat.messages):
            is_before = is_before or one is message
            if is_before and not one.is_ours and not self._world.move_up(one, "read"):
                break  # what came before a message that is read is read
        if is_typing:
            self._type(number_id, message.person)
        return message.person

    def _type(self, number_id: str, person: str) -> None:
        until = self._world.clock.now() + TYPING_S
        self._world.show_typing(number_id, person, until)

        def end() -> None:
            chat = self._world.chats.get((number_id, person))
            if chat is not None and chat.typing_until == until:
                self._world.show_typing(number_id, person, 0)

        self._world.clock.call_later(TYPING_S, end)
