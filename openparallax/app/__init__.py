"""The composition roots: where the parts are made and introduced to each other.

In comes `Settings`; out goes a running house. Every part is built here, started and stopped in
order, and handed what it needs by name; rooms that may not know each other meet through callables
that this room passes on. ``plugins`` turns the names of the configuration into engines and stages.
Only the command line enters.
"""
