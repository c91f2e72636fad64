"""Asking what was started whether it is there, and waiting until it is."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable

from tests.app.ports import free_port
from tests.installing.empty import Running

PATIENCE_S = 180.0
"""For each single thing that has to come about, on a machine that does ten others."""
_ANSWER_S = 60.0


def ports_of_dev() -> list[str]:
    """Options of ``dev`` for ports that are free: its own may be somebody's."""
    names = ("--port", "--webhook-port", "--admin-port")
    return [word for name in names for word in (name, str(free_port()))]


def get(url: str) -> tuple[int, str]:
    """Status and text; 0 where nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=_ANSWER_S) as answer:  # noqa: S310 - ours
            return answer.status, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        return error.code, ""
    except OSError:
        return 0, ""


def answers(url: str) -> bool:
    return get(url)[0] == 200


def a_page_is_served(url: str) -> None:
    """With all that it loads: its script, its styles, what those name."""
    status, page = get(url)
    assert status == 200
    names = [part.split('"', 1)[0] for part in page.split('="')[1:]]
    loaded = [name for name in names if name.endswith((".js", ".css", ".svg"))]
    assert loaded
    assert [name for name in loaded if not answers(url + name.lstrip("/"))] == []


def until(holds: Callable[[], bool], running: Running | None) -> None:
    """Wait until something holds; a program that has ended, or takes too long, is a failure."""
    began = time.monotonic()
    while not holds():
        if running is not None and running.process.poll() is not None:
            raise AssertionError(f"it ended: {running.said}")
        if time.monotonic() - began > PATIENCE_S:
            raise AssertionError(running.said if running is not None else "it did not come about")
        time.sleep(0.05)
