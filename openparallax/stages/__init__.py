"""The stages that come with the house; they use the plugin door like all others.

A stage wraps the engine: ``(turn, call_next) -> Reply``. They import only `openparallax.plugin`.
"""
