"""Which session a message belongs to, what its command asks, and what the daemon itself says.

In comes a message at the door, out goes its session and errand. A session has one mode for life;
placement is decided before anything is stored, in order of arrival, and Meta's timestamps mend what
arrival got wrong, always towards privacy. Its end is here as well: `retention` lets go of words off
the record, `erasure` of a person's and `ageing` of old ones; `erasing` is what both do inside a
unit. The door, dispatch, the outbox and the app enter.
"""
