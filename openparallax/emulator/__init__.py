"""WhatsApp on this machine: a stand-in for the Graph API and a phone page. Not built yet."""
