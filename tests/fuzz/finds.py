"""What was found: told apart by where it broke, made smaller, written down."""

import hashlib
import time
import traceback
from pathlib import Path

from tests.fuzz.target import Target

_SHRINK_S = 3.0


class Finds:
    """The different finds of one target; each is a file in ``folder``."""

    def __init__(self, target: Target, folder: Path) -> None:
        self._target = target
        self._folder = folder
        self._known: set[str] = set()
        self.files: list[Path] = []

    @property
    def prefix(self) -> str:
        """What begins the name of a file of the fuzzer's own, of what took too long, say."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return str(self._folder / f"{self._target.name}-")

    def attempt(self, data: bytes) -> None:
        """Run the target; a find is kept, and the run goes on."""
        error = self._error(data)
        if error is None:
            return
        place = _place(error)
        if place in self._known:
            return
        self._known.add(place)
        data = self._smaller(data, place)
        error = self._error(data) or error
        self._folder.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256(data).hexdigest()[:12]
        file = self._folder / f"{self._target.name}-{digest}"
        file.write_bytes(data)
        self.files.append(file)
        print(f"FIND {self._target.name}: {place}", flush=True)
        traceback.print_exception(error, limit=-6)
        print(f"  {len(data)} bytes: {data[:400]!r}")
        print(f"  replay: scripts/fuzz --only {self._target.name} --replay {file}", flush=True)

    def _error(self, data: bytes) -> Exception | None:
        try:
            self._target.run(data)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the find
            return error
        return None

    def _smaller(self, data: bytes, place: str) -> bytes:
        """A shorter input that breaks at the same place, as far as a moment goes."""
        until = time.monotonic() + _SHRINK_S
        size = len(data) // 2
        while size:
            start = 0
            while start < len(data):
                shorter = data[:start] + data[start + size :]
                error = self._error(shorter)
                if error is not None and _place(error) == place:
                    data = shorter
                else:
                    start += size
                if time.monotonic() > until:
                    return data
            size //= 2
        return data


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    last = [f"{Path(one.filename).name}:{one.lineno}" for one in frames[-2:]]
    return f"{type(error).__name__} at {' '.join(last)}"
