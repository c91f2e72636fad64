"""The door: who may come in, where what they say belongs, and what is to be done with it.

In comes what a webhook request carried, inside a unit of work; out goes an `Admission`: what was
queued, without words, and the words, to be held after the commit. Seen before? Whose message? Let
in? Which session? All of this is answered and written in one transaction, so no lock is held over a
commit and no map in memory can disagree with the disk. The app enters, on behalf of the webhook.
"""
