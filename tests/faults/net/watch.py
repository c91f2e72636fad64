"""What a process takes of the machine: memory and descriptors."""

from pathlib import Path


class Watch:
    """Looks at a process through ``/proc``."""

    def __init__(self, pid: int) -> None:
        self._folder = Path("/proc") / str(pid)

    @property
    def memory_mb(self) -> float:
        """Resident now."""
        return self._status("VmRSS")

    @property
    def peak_mb(self) -> float:
        """The most that was resident since `forget_peak`."""
        return self._status("VmHWM")

    def forget_peak(self) -> None:
        (self._folder / "clear_refs").write_text("5")

    @property
    def descriptors(self) -> int:
        return sum(1 for _ in (self._folder / "fd").iterdir())

    def _status(self, key: str) -> float:
        lines = (self._folder / "status").read_text().splitlines()
        (line,) = (one for one in lines if one.startswith(f"{key}:"))
        return int(line.split()[1]) / 1024
