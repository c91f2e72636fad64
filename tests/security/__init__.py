"""Proofs of SECURITY.md that are quick; those that need other programs are in faults/security."""
