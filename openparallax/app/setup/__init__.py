"""``openparallax init``: a configuration by asking, each value looked at as it is pasted.

In come what a person pastes on a terminal, or options and files where nobody is there; out go a
configuration, its secrets in files of their own, and what is to be pasted into Meta's dashboard.
``pasted`` judges a value by its form alone, ``meta`` by asking Graph and the engine's provider;
``dialogue`` asks and ``unattended`` does not; ``existing`` is what is there already; ``wording``
makes the file anew and ``editing`` changes one that is there; ``files`` writes all of it or
nothing. Nothing is on disk before the last question was answered, and no secret is ever shown but
the verify token, which has to be pasted. The command line enters.
"""
