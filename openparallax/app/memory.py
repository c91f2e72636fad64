"""What is in memory only stays there, as far as a process can see to that itself."""

import resource
from contextlib import suppress
from pathlib import Path


def keep_out_of_core_dumps() -> None:
    """Let a crash write no memory down: words off the record may be in it, and secrets.

    The limit is for the kernel; handlers of core dumps do not heed it, and are given what the
    filter lets through, which is nothing. What the service unit does too, here for those who run
    the daemon without it. What it starts inherits both. A limit that cannot be set stays as it is.

    Source:
        core(5): RLIMIT_CORE, "Piping core dumps to a program", ``/proc/PID/coredump_filter``.
    """
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):
        Path("/proc/self/coredump_filter").write_text("0", "ascii")
