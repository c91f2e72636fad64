"""The unix socket: made for our own user only, never in place of one that answers."""

import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

NAME = "control.sock"


class ControlSocket:
    """``control.sock`` in one folder.

    The path of a unix socket may be 107 bytes long and a folder's may be longer: so the folder is
    opened, and the socket named through ``/proc/self/fd``.

    Source:
        unix(7), proc(5).
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self._folder: int | None = None
        self._ours: tuple[int, int] | None = None

    def open(self) -> socket.socket:
        """Bind the socket; the caller listens on it and closes it.

        Raises:
            OSError: It cannot be made, or another process answers there.
        """
        self._folder = os.open(self.path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            short = f"/proc/self/fd/{self._folder}/{NAME}"
            self._make_way(short)
            # Before it has a name: it is never there with another mode (Linux takes this one).
            os.fchmod(made.fileno(), 0o600)
            made.bind(short)
            self._ours = self._who_is_there()
        except BaseException:
            made.close()
            self.close()
            raise
        return made

    def close(self) -> None:
        """Remove the socket, unless it is another's by now; may be called twice."""
        folder, self._folder = self._folder, None
        if folder is None:
            return
        with suppress(OSError):
            if self._ours is not None and self._identity(folder) == self._ours:
                os.unlink(NAME, dir_fd=folder)
        os.close(folder)

    def _make_way(self, short: str) -> None:
        """Remove what an earlier process left behind, having seen that nobody answers there."""
        try:
            found = os.stat(NAME, dir_fd=self._folder, follow_symlinks=False)
        except FileNotFoundError:
            return
        if not stat.S_ISSOCK(found.st_mode):
            raise FileExistsError("something else has that name")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knocking:
            knocking.setblocking(False)
            try:
                knocking.connect(short)
            except ConnectionRefusedError:
                os.unlink(NAME, dir_fd=self._folder)
                return
            except BlockingIOError:
                pass  # so many knock already that somebody must be there
        raise FileExistsError("another process answers there")

    def _who_is_there(self) -> tuple[int, int] | None:
        return None if self._folder is None else self._identity(self._folder)

    @staticmethod
    def _identity(folder: int) -> tuple[int, int]:
        found = os.stat(NAME, dir_fd=folder, follow_symlinks=False)
        return found.st_dev, found.st_ino
