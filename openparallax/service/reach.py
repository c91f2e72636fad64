"""Whether the service's user can read what it needs, before it fails at it."""

import grp
import os
import pwd
import stat
from collections.abc import Iterable
from pathlib import Path

USER = "openparallax"


def unreadable(paths: Iterable[Path], user: str = USER) -> list[tuple[Path, Path]]:
    """Each of ``paths`` that ``user`` cannot read, with what is in its way: itself or a folder.

    Judged by modes; what has a finer list of rights (an ACL) is taken for readable, and so is
    everything where there is no such user.
    """
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        return []
    groups = {entry.pw_gid, *(one.gr_gid for one in grp.getgrall() if user in one.gr_mem)}
    found = []
    for path in paths:
        real = path.resolve()
        for part in reversed((real, *real.parents)):
            needed = stat.S_IROTH if part == real else stat.S_IXOTH
            if not _is_allowed(part, needed, entry.pw_uid, groups):
                found.append((path, part))
                break
    return found


def _is_allowed(path: Path, needed: int, uid: int, groups: set[int]) -> bool:
    try:
        about = path.stat()
        if path.is_dir():
            needed = stat.S_IXOTH
        if "system.posix_acl_access" in os.listxattr(path):
            return True
    except OSError:
        return True  # not there, or not to be looked at: others say so
    if about.st_uid == uid:
        return bool(about.st_mode & (needed << 6))
    if about.st_gid in groups:
        return bool(about.st_mode & (needed << 3))
    return bool(about.st_mode & needed)
