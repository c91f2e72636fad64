"""The operator's listener: health, metrics and control, on loopback only. Not built yet."""
