"""The parts of ``scripts/bench``: what it starts, what loads it, and the table at the end.

``load`` and ``rivals`` run as processes of their own, so that the generator's work is not counted
as the server's. Nothing here leaves the loopback interface, and each measurement is bounded in
messages and in time.
"""
