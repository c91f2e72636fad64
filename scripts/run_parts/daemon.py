"""The daemon as a child process, and the promise that it does not outlive this one."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from types import TracebackType
from typing import Self

from run_parts.trial import ROOT, Trial, TrialError

_START_WITHIN_S = 30.0
_STOP_WITHIN_S = 30.0
_PR_SET_PDEATHSIG = 1


class Daemon:
    """``openparallax serve``, from entering the block to leaving it."""

    def __init__(self, trial: Trial, *, verbose: bool) -> None:
        self._trial = trial
        self._verbose = verbose
        self._is_stopping = False

    def __enter__(self) -> Self:
        argv = [sys.executable, "-m", "openparallax", "serve", "-c", str(self._trial.config)]
        with contextlib.ExitStack() as stack:
            log = None
            if not self._verbose:
                descriptor = os.open(self._trial.log, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
                log = stack.enter_context(os.fdopen(descriptor, "wb"))
            self._process = subprocess.Popen(
                argv,
                cwd=ROOT,
                env=self._trial.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log or sys.stderr,
                stderr=log or sys.stderr,
                start_new_session=True,  # Ctrl-C reaches this process alone, which then stops it
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - there is one thread as yet
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Let it end in order, or kill it where it takes too long; may be called twice."""
        self._is_stopping = True
        if self._process.poll() is None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_WITHIN_S)
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()

    def hurry(self) -> None:
        """Ask it once more; the second time it ends at once."""
        if self._process.poll() is None:
            self._process.terminate()

    def wait_healthy(self, on_end: Callable[[], None]) -> None:
        """Return once it answers; from then on ``on_end`` is called if it ends by itself.

        Raises:
            TrialError: It ended, or did not answer in time.
        """
        ends_at = time.monotonic() + _START_WITHIN_S
        while not self._is_healthy():
            if self._process.poll() is not None:
                raise TrialError(self.last_words())
            if time.monotonic() > ends_at:
                raise TrialError(
                    f"The daemon did not answer within {_START_WITHIN_S:.0f} s."
                    f" See {self._trial.log}"
                )
            time.sleep(0.03)

        def watch() -> None:
            self._process.wait()
            if not self._is_stopping:
                on_end()

        threading.Thread(target=watch, daemon=True).start()

    def last_words(self) -> str:
        """What there is to say when it has ended: exit code and the end of its log."""
        self._process.wait()
        said = f"The daemon ended by itself, with exit code {self._process.returncode}."
        if self._verbose:
            return said
        lines = self._trial.log.read_text("utf-8", "replace").splitlines()[-15:]
        return "\n".join([f"{said} The end of {self._trial.log}:", *(f"    {s}" for s in lines)])

    def _is_healthy(self) -> bool:
        # Not through a proxy that the environment may name.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(self._trial.health_url, timeout=2) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
