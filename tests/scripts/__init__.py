"""The pure parts of what stands in ``scripts/``; what they start has commands of its own."""
