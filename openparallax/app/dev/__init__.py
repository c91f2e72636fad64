"""``openparallax dev``: the daemon, an emulator round it, and a phone to talk to it.

The emulator runs in this process, in memory only. The daemon is a child process and knows nothing
of this: it gets signed webhooks over HTTP, and its answers go to a Graph API that happens to be on
this machine; so killing and restarting it is real. ``configuration`` makes the file that it runs
with (or reads a person's own), ``folder`` is where its state lies, ``ports`` finds out who is in
the way, ``child`` is the process, ``modes`` asks it who is off the record, ``run`` holds all of it
together. Only the command line enters; no words of people are written or printed here, but on the
terminal of whoever asks for ``--terminal``.
"""
