"""The doctor: is all there that a bot needs, at Meta, on this machine and on the way between?

In comes a checked configuration, out come findings: what is wrong, why it matters, and what to do
about it. Each file examines one thing and knows nothing of the others, so that they can be asked
side by side; whatever does not answer in time is a finding too. To look is to read: Graph gets GET
requests alone, and the bot's own webhook nothing that it would keep. What mends is in `mending` and
runs only when it was asked for.

Who may enter: the app, which lays the configuration out, and the first-run questions of ``init``.
Nothing of a token, a secret, a phone number or a message leaves this room whole.
"""
