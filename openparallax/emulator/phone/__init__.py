"""The phone in the browser: a page, what it may ask, and what it is told.

``page`` serves files and answers the page's calls, ``telling`` turns the world into plain data and
streams what changes. The page itself lies under ``static``: plain modules, nothing from outside.
"""
