"""Taking a service away: what was written, and only if asked for what it kept."""

import errno
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from openparallax.errors import Refusal
from openparallax.service import placing
from openparallax.service.layout import CREDSTORES, NAME, SERVICE, SOCKET, Layout
from openparallax.service.reach import USER
from openparallax.service.system import System

STOP_S = 3700.0
"""As long as the longest drain may take, and what follows it."""
_TRIES = 3
"""Somebody else may write or remove something there meanwhile, such as an editor's copy."""
_OVERLAY = (
    "it is shown, and is not there. So it is in an overlay (of a container, of a live system) whose"
    " lower layer was changed while it was mounted. What was in it may be there again once that is"
    " mounted anew, as after a restart: run this again then"
)
"""Seen so with Linux 6.18. Source: the kernel's overlayfs.rst, "Changes to underlying
filesystems", which calls it undefined."""
Says = Callable[[str], None]


def ours(layout: Layout) -> list[Path]:
    """The files of an installation that are there and were written by one.

    Raises:
        Refusal: One of them cannot be read.
    """
    return [path for path in layout.written if placing.is_ours(placing.read(path) or "")]


def remove(layout: Layout, system: System, says: Says, *, is_live: bool) -> None:
    """Stop, disable, remove what was written; may be repeated.

    Raises:
        Refusal: It does not stop, or a file cannot be removed.
    """
    found = ours(layout)
    if not found:
        says("nothing is installed here")
        return
    if is_live:
        # Both at once: the service alone would be started again by the next call.
        system.must("the service could not be stopped", "stop", SOCKET, SERVICE, patience_s=STOP_S)
        says("stopped")
    system.must("the service could not be disabled", "disable", SOCKET, SERVICE)
    for path in reversed(found):
        _unlink(path)
        says(f"removed {path}")
    if is_live:
        system.must("systemd could not let go of the units", "daemon-reload")
        system.systemctl("reset-failed", SERVICE, SOCKET)
    for name in (SERVICE, SOCKET):
        own = layout.units / f"{name}.d"
        if own.is_dir():
            says(f"left {own}: changes of your own")


def kept(layout: Layout, database: Path) -> Iterator[Path]:
    """What a service leaves behind, and a purge removes: folders and single files."""
    for folder in (layout.folder, *(() if layout.is_user else (layout.state,))):
        if folder.is_dir():
            yield folder
    folders = (layout.folder, layout.state)
    if not any(database.is_relative_to(one) for one in folders):
        yield from sorted(database.parent.glob(f"{database.name}*"))
    for one in () if layout.is_user else CREDSTORES[:1]:
        for name in ("whatsapp_*", "anthropic_api_key"):
            yield from sorted((layout.root / one).glob(name))


def purge(paths: Sequence[Path], layout: Layout, system: System, says: Says) -> None:
    """Remove ``paths``, the drop-ins and the user; there is no way back.

    What cannot be removed keeps nothing else from being so, but the user: a further one might be
    given its number, and what is left with it.

    Raises:
        Refusal: Something is left, and why.
    """
    own = [layout.units / f"{name}.d" for name in (SERVICE, SOCKET)]
    left = []
    for path in (*paths, *(one for one in own if one.is_dir())):
        if why := _remove(path):
            left.append(why)
        else:
            says(f"removed {path}")
    for folder in {one.parent for one in paths if one.parent.name == NAME}:
        with suppress(OSError):  # something else is in it
            folder.rmdir()
    if left:
        stays = "" if layout.is_user else f" The user {USER} stays until then."
        raise Refusal(f"{' '.join(left)}{stays}")
    if layout.is_user:
        return
    where = [] if layout.root == Path("/") else ["--root", str(layout.root)]
    done = system.run("userdel", *where, USER)
    if done.code == 0:
        says(f"removed the user {USER}")
    elif done.code != 6:  # 6: there is none
        says(f"the user {USER} is still there: userdel {USER}")


def _remove(path: Path) -> str:
    """Remove a file, or a folder with all in it; why it is still there, or ""."""
    for _ in range(_TRIES):
        found: OSError | None = None
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        except OSError as error:
            found = error
        if not os.path.lexists(path):
            return ""
        if found is not None and found.errno not in {errno.ENOENT, errno.ENOTEMPTY}:
            break
    if found is None or found.errno == errno.ENOENT:
        return f"{path} could not be removed: {_OVERLAY}."
    where = f" ({found.filename})" if Path(found.filename or path).name != path.name else ""
    return f"{path} could not be removed: {found.strerror}{where}."


def _unlink(path: Path) -> None:
    try:
        with suppress(FileNotFoundError):
            path.unlink()
    except OSError as error:
        raise Refusal(f"{path} could not be removed: {error.strerror}. Is this root?") from None
