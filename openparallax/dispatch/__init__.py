"""One turn per chat at a time, many chats at once, bounded and fair.

In come envelopes, from the door after their commit or, when memory has no room or after a restart,
from the table behind a cursor; out go transcript entries, parcels and finished envelopes, in one
transaction each. Nothing is found by scanning: work is a stream of rising numbers, and a chat's
*lane* exists only while something of it waits or runs. After an outage who writes now is answered
between those who have waited (`ready`), also while the table is still read (`unread`).

The way of an envelope: `cursor` brings it to its lane in `lanes`, `dispatcher` gives lanes their
turns, `advancing` runs one, `turn` answers and `finish` writes. What may not be answered now is
`held` or put `aside`. The app enters.
"""
