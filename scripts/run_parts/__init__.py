"""The parts of ``scripts/run``: the real daemon with a stand-in for WhatsApp round it.

The main thread reads the lines that are typed; a second one runs the stand-in's event loop. The
daemon is a child process and knows nothing of this: it gets signed webhooks over HTTP and sends its
answers to a Graph API that happens to be on this machine.
"""
