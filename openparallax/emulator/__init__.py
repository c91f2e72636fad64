"""WhatsApp on this machine: a stand-in for the Graph API and a phone page. Not built yet.

In will come what a person types into the page and what the daemon sends; out go signed webhooks as
Meta posts them. It is an edge like the others, so that the daemon runs unmodified beside it.
"""
