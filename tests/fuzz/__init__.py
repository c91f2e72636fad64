"""What must hold whatever comes in, as functions of bytes.

A target raises only on a finding. `targets.TARGETS` has them all by name. Three things call them:
``scripts/fuzz`` under atheris, which looks for inputs that reach new lines; the same without
atheris, under Hypothesis; and the suite, with a few examples of each. A find is a file, replayed
with ``scripts/fuzz --only TARGET --replay FILE``, and becomes a test with a name.
"""
