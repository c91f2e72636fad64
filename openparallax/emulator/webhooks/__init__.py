"""Meta's webhooks: built as Meta builds them, signed, and posted until they are taken.

In come messages of people, statuses of the business's messages and news of the account; out go
requests to the bot's address. ``payloads`` knows the shapes, ``delivery`` the posting, ``statuses``
how a message that was sent becomes delivered and read.
"""
