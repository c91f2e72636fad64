"""The parts of ``scripts/load``: what is too much at once, and what becomes of it.

The daemon is a real process on a real file; Graph is played by this process, which also sends the
webhooks and keeps the book of what was said and answered. Speed is judged as a ratio of two things
measured in the same run, never by the clock alone. Nothing leaves the loopback interface.
"""
