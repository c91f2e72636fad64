"""Meta out: the Graph API.

In comes a message to send, out goes an `Outcome`: what is known about it afterwards, which is less
than one would like, since Graph has no idempotency key. The outbox reaches this room through the
callable ``send`` that the app hands it, and decides what follows.
"""
