"""OpenParallax: a daemon between a WhatsApp business number and the engine that answers.

The way of a message is the order of the rooms::

    webhook -> inbox -> dispatch -> pipeline -> outbox -> graph
                 |         |                      |
                 +---- transcript, storage -------+

Each room's ``__init__`` is the sign on its door: what happens there, what comes in and goes out,
and why. Rooms look down, never up or sideways; the contract stands in ``pyproject.toml``.
"""

__version__ = "0.1.0"
