"""Nouns, and nothing that acts.

What comes in: nothing; what goes out: frozen values that the other rooms pass to each other. All is
pure: no clock, no disk, no network. What travels (`Envelope`, `Parcel`) has no field for words;
what carries words (`Text`, `Entry`, `Turn`, `Reply`) shows their length when printed, so that a
careless log line cannot say what a person said. All rooms above may enter.
"""
