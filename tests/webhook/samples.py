"""The sample payloads: one file per kind, made up from what is known of Meta's platform."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "corpus"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))


def load_raw(name: str) -> bytes:
    return (FOLDER / f"{name}.json").read_bytes()


def load(name: str) -> Any:
    return json.loads(load_raw(name))
