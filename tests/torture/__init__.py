"""Torture: seeded programmes of everything that can go wrong, and a verdict on each.

A *programme* is a list of steps, pure data: who writes what in which request, what is repeated or
swapped, how Graph and the engine fare, when the daemon is killed, stopped or told another time.
`generating` draws one from a seed; `playing` plays it against a real daemon, a process of its own
on a file of its own, with the emulator as Meta. The process is started through `child`, which wraps
some functions of the daemon from outside: at each of these `points` it can be told to kill itself.

Then the oracle. `model` restates the contract's rules for commands, sessions and modes in a few
lines, written from the documents and not from the code; `matching` lays what each chat heard beside
what it said; `disk` looks for words where none may be, and into the file after each death;
`verdict` brings it all together. What fails is made smaller by `shrinking`, and written to a file
that plays it again.

    python -m tests.torture --minutes 1 --seed 7
"""
