"""Meta out: the Graph API.

In comes a message to send, out goes an `Outcome`: what is known about it afterwards, which is less
than one would like, since Graph has no idempotency key. So a request goes out once, is never
repeated here, and whatever leaves it open whether Graph took the message is told as such. What each
of Meta's codes means stands in `errors`, as data. The outbox reaches this room through the callable
``send`` that the app hands it, and decides what follows.

Presence (read marks, typing) goes out beside that: it never waits, and nobody waits for it.
"""
