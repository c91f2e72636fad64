"""Faults of the net: strangers who attack a daemon's listeners, and Meta, who must not notice.

``strangers`` is what an attack is made of: connections without a library, and a count of what came
back. ``slow``, ``many`` and ``floods`` are the attacks themselves, `attacks` their list. Each runs
in a process of its own, so that what it costs is not taken for what the daemon takes:

    python -m tests.faults.net.attacks NAME PORT SECONDS

They import nothing but the standard library, since they know no secret. ``sender`` plays Meta and
takes the time of every acknowledgement; ``watch`` looks at the daemon's memory and descriptors.
"""
