"""Graph's side: requests of a bot in, Meta's answers out.

A request goes through ``api`` (path; ``reading`` the body, ``admission`` the token), then to who
knows its edge: ``sending`` (messages, read and typing), ``media``, ``management`` (numbers,
account, app, tokens, templates). A send is held against ``bodies`` (what may not be said),
``rules`` (what may not be said now) and ``behaving`` (what Graph does instead, by plan or switch),
and put into the world by ``accepting``. How a refusal looks is in ``errors``, which codes there are
in ``kinds``; of each code that a request can meet, a table in the tests says what provokes it.
"""
