"""Meta's webhooks: built as Meta builds them, signed, and posted until they are taken.

In come messages of people, statuses of the business's messages and news of the account; out go
requests to the bot's address, which is on this machine or nowhere. ``pieces`` and ``payloads`` know
the shapes, ``envelope`` a request's bytes, ``holding`` what faults keep back, ``lanes`` the order,
``posting`` one try, ``delivery`` all tries together; ``statuses`` knows how a message that was sent
becomes delivered and read.
"""
