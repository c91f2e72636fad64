"""What is to be sent, in order per chat, at a pace, until its outcome is known.

In come parcels, which are on disk, and delivery statuses; out go calls of ``send``, a callable that
the app hands in. Sending is ambiguous: Graph has no key by which a repeat would be recognised, so a
send whose outcome is unknown waits for a status that carries its token before it is repeated, and
is repeated at most twice. Every transition names the state that it leaves; the table decides,
memory only makes it fast. A known outcome is written again and again until the disk takes it.

Each of our numbers has a line of its own, and they take turns: one that is paused, slowed or not
configured any more keeps nobody else waiting. Where a parcel goes is asked when its send begins,
since a number may be another person's by then.

`outbox` holds a lane for each chat, `departures` says whose turn it is, `delivery` takes a parcel
up to its send, `settling` from there to the table; `waits`, `pacing` and `account` say when,
`spelling` whether a refused number is tried in its other form; `receipts` is for what Meta tells
afterwards, inside the unit of work of its request; `quoting` remembers what was sent lately;
`posting` is for what an operator sends by hand, and `watch` tells what became of that. The app
enters.
"""
