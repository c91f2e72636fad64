"""Those who watch from outside: a person who is told of trouble, and a collector of traces.

In come findings, what is wrong or well just now, and the steps of messages; out go runs of the
operator's own command and spans. Neither may ever hold up or harm what is watched: a command has a
time limit, a process group of its own and no secret of ours in its environment, and what fails is
counted, logged and tried again later. No words and no whole number leave through here.

`ledger` decides what is told and when; `alert` puts it into words; `command` runs the program;
`tracing` makes spans of the trail. Who looks for the trouble is `app`, which knows the parts.
"""
