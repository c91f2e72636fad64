"""``scripts/sbom``, and the list of packages for ``scripts/audit``."""

import argparse
import json
import sys
from pathlib import Path

from sbom_parts import bill, requirements


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/sbom", description="Write a bill of materials.")
    parser.add_argument("file", nargs="?", type=Path, help="where to; standard output without it")
    parser.add_argument("--requirements", action="store_true", help="only names and versions")
    asked = parser.parse_args()
    checkout = Path(__file__).resolve().parents[2]
    text = requirements() if asked.requirements else json.dumps(bill(checkout), indent=2) + "\n"
    if asked.file is None:
        sys.stdout.write(text)
    else:
        asked.file.parent.mkdir(parents=True, exist_ok=True)
        asked.file.write_text(text, "utf-8")


main()
