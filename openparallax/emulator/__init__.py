"""WhatsApp on this machine: Meta's side of the wire, a phone in the browser, and scripts for both.

What comes in: HTTP as any client of the Graph API speaks it, and what a person does on the phone
page or a step of a scenario says. What goes out: answers in Meta's shape, and signed webhooks,
until they are taken. In between lies a `World` that lives in memory only; written down, it would
undo ``/otr`` by the back door. The way of a message, both ways::

    phone | scenario | test ─▶ emulator.say ─▶ world ─▶ webhooks ─▶ the bot's webhook
    the bot ─▶ server ─▶ graph (token? body? rules? faults?) ─▶ world ─▶ statuses ─▶ webhooks

It knows nothing of the daemon: any program that speaks to Graph may stand on the other side, and
what is shown of a daemon is told to it by ``app``. It binds loopback only. `Emulator` is the door;
``app`` and tests may enter. Facts that nobody is sure of are marked *unsure* where they stand.
"""

from openparallax.emulator.account import Account, Number, Token
from openparallax.emulator.calls import Behaviour, Call
from openparallax.emulator.clock import MovableClock
from openparallax.emulator.emulator import Emulator
from openparallax.emulator.graph.rules import Rules
from openparallax.emulator.people import Person, cast
from openparallax.emulator.world import Message, World

__all__ = [
    "Account",
    "Behaviour",
    "Call",
    "Emulator",
    "Message",
    "MovableClock",
    "Number",
    "Person",
    "Rules",
    "Token",
    "World",
    "cast",
]
