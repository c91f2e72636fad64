"""Why was this not answered? What became of somebody's latest messages, and for what reason.

In come the steps that are remembered (`trail`) and what the file knows (`storage.timeline`); out
goes a story for each message: what came when, what became of it, and where no answer reached them,
why not and what to do. `stories` lays both side by side, `verdicts` puts one story into sentences,
`asking` answers the operator. The same after a restart and without a daemon, as far as the file
knows; what nobody can know any more is said. No words of anybody. The app enters.
"""
