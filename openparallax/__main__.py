"""``python -m openparallax`` is the command ``openparallax``."""

from openparallax.cli import main

if __name__ == "__main__":
    main(prog_name="openparallax")
