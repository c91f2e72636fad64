"""The command line: thin; one file for each group of commands.

In come arguments; out go an exit code and a few words. Each command imports what it needs when it
runs, so that ``--help`` answers at once. `offline` asks the daemon, or the file where none runs;
`control` only the daemon; `screen` is what a terminal shows. Exit codes: 0 done, 1 refused or a
problem found, 2 usage, 69 daemon not running, 70 internal error, 75 try again, 78 configuration. No
traceback reaches a person. Nobody enters: this is the front of the house.
"""

import sys

try:
    if sys.argv[1:2] == ["serve"]:
        # Before everything else is read, which takes a while: SIGHUP is to reload, not to end it.
        from openparallax.app.hangups import HANGUPS

        HANGUPS.hold()
    from openparallax.cli.entry import main
except KeyboardInterrupt:  # while everything was still being read
    raise SystemExit(130) from None

__all__ = ["main"]
