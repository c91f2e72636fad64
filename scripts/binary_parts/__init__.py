"""What ``scripts/build-binary`` makes the one-file program of: how, and what it does first."""
