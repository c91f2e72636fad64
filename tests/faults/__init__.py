"""Faults of the machine and of the net: a real daemon, a real file, and what is taken from it.

Run by ``scripts/faults``; ``scripts/test`` leaves this folder out, since much here has to be
waited for. Each test takes something from a daemon that runs (room, a disk that works, a clock, a
name server, connections), asks the same questions, and gives it back: was 503 the answer to what
was not stored, was nothing lost that was acknowledged, do answers resume by themselves, does the
log say what is wrong, and is the file whole? `conftest` has what all tests share.
"""
