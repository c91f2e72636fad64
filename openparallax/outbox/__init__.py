"""What is to be sent, in order per chat, at a pace, until its outcome is known.

In come parcels, which are on disk, and delivery statuses; out go calls of ``send``, a callable that
the app hands in. Sending is ambiguous: Graph has no key by which a repeat would be recognised, so a
send whose outcome is unknown waits for a status that carries its token before it is repeated, and
is repeated at most twice. Every transition names the state that it leaves; the table decides,
memory only makes it fast. A known outcome is written again and again until the disk takes it.

`outbox` says which chat's parcel goes next, `delivery` takes it up to its send, `settling` from
there to the table; `waits`, `pacing` and `account` say when; `receipts` is for what Meta tells
afterwards, inside the unit of work of its request. The app enters.
"""
