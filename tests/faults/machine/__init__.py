"""What the machine can do to a daemon: its disk, its memory, its clock, its signals."""
