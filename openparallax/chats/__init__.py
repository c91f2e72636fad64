"""Who: contacts and their aliases, numbers, and the allow-list.

In comes a `Sender` with whatever ids the webhook carried; out goes the chat. A contact is an opaque
id; numbers and business-scoped ids are aliases of it, since people with usernames come without a
number and ids change. Numbers are normalised for matching only: what Meta gave is what is stored
and sent to. The door enters.
"""
