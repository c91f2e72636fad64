"""Opening the page in the browser of whoever sits here, if anybody does."""

import os
import sys
import threading
import webbrowser
from collections.abc import Mapping

_OF_A_TERMINAL = frozenset({"www-browser", "lynx", "links", "elinks", "w3m", "browsh"})


def open_page(url: str) -> None:
    """Try to open ``url``; never waits, never fails, and never takes the terminal."""
    if has_display(os.environ):
        threading.Thread(target=_open, args=(url,), daemon=True).start()


def has_display(environment: Mapping[str, str]) -> bool:
    """Whether a browser would have a screen of its own; ``BROWSER`` may name a way to one."""
    named = environment.get("BROWSER", "").split(os.pathsep)[0].split(" ")[0]
    if os.path.basename(named) in _OF_A_TERMINAL:  # noqa: PTH119 - a command, perhaps no path
        return False
    if named or sys.platform in {"darwin", "win32"}:
        return True
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def _open(url: str) -> None:
    try:
        browser = webbrowser.get()
        if getattr(browser, "basename", "") not in _OF_A_TERMINAL:
            browser.open(url)
    except (webbrowser.Error, OSError):
        pass  # the address stands on the screen
