"""What is to be sent, in order per chat, at a pace, until its outcome is known.

In come parcels, which are on disk, and delivery statuses; out go calls of ``send``, a callable that
the app hands in. Sending is ambiguous: Graph has no key by which a repeat would be recognised, so a
send whose outcome is unknown waits for a status that carries its token before it is repeated, and is
repeated at most twice. Every transition names the state that it leaves; the table decides, memory
only makes it fast. The app enters.
"""
