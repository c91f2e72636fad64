"""Plugins that come in a package of their own."""
