"""Proofs of SECURITY.md that need other programs: proxies in front of the listener."""
