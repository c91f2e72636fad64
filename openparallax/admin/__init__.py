"""The operator's listener: health, metrics and control. Not built yet.

In will come requests of the operator and of the command line, from loopback and a unix socket only;
out go what the house counts and the state of what waits. Apart from the public listener, so that
nothing but webhooks can be reached from outside.
"""
