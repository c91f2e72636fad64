"""The operator's listener: health, metrics and control.

In come requests of the operator and of the command line; out go what the house counts, whether it
is ready and why not, and the answers of the controls that `app` hands in. Apart from the public
listener, so that nothing but webhooks can be reached from outside.

One application behind two doors. The TCP door (loopback by default) shows health and metrics and
has no controls: any process and any page of a browser on this machine can knock there, so pages are
kept out by what browsers say of themselves (Host, Origin). The unix socket (0600, and the peer's
user is asked of the kernel) has the controls too. Everything here is bounded, since acknowledging
webhooks goes on in the same loop. Only `app` enters.
"""
