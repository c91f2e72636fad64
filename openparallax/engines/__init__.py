"""The engines that come with the house; they use the plugin door like all others.

In comes a `Turn`, out goes a `Reply`. They import only `openparallax.plugin`.
"""
