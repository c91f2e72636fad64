"""``scripts/run``: start everything, hand on what is typed, end everything."""

import argparse
import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

from run_parts.daemon import Daemon
from run_parts.phone import Phone
from run_parts.screen import Screen
from run_parts.trial import DEFAULT_PORT, Trial, TrialError

ANSWER_WITHIN_S = {"echo": 20.0, "anthropic": 150.0}


_ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


class Stopped(BaseException):
    """Somebody asked for the end: SIGTERM, Ctrl-C, a closed terminal."""


class DaemonEnded(BaseException):
    """The daemon ended without being asked to."""


def main() -> int:
    arguments = _arguments()
    screen = Screen()
    try:
        with contextlib.ExitStack() as stack:
            _raise_on_signals()
            trial = stack.enter_context(Trial(engine=arguments.engine, port=arguments.port))
            daemon = stack.enter_context(Daemon(trial, verbose=arguments.verbose))
            phone = stack.enter_context(Phone(trial, screen))
            stack.callback(daemon.stop)  # before the phone: what it still sends must arrive
            stack.callback(_hurry_on_signals, daemon)
            daemon.wait_healthy(_raise_in_main_thread)
            return _talk(trial, phone, screen, ANSWER_WITHIN_S[arguments.engine])
    except Stopped:
        return 0
    except DaemonEnded:
        screen.note(daemon.last_words())
        return 1
    except TrialError as error:
        screen.note(str(error))
        return 1


def _talk(trial: Trial, phone: Phone, screen: Screen, within_s: float) -> int:
    screen.note(trial.welcome())
    if screen.is_interactive:
        screen.note("Type a message. /help lists the commands; Ctrl-D ends.")
        for line in screen.typed():
            if problem := phone.say(line):
                screen.note(problem)
        return 0
    lines = screen.piped()
    first = next(lines, None)
    if first is None:
        _stay_up(trial, screen)
    return _ask(first, lines, phone, screen, within_s)


def _stay_up(trial: Trial, screen: Screen) -> NoReturn:
    screen.note(
        "Standard input is at its end, so this stays up until it is stopped, by Ctrl-C or SIGTERM."
        "\nWhat is sent is printed here. To write a message from another terminal:"
        f"\n    {trial.how_to_post()}"
    )
    while True:
        threading.Event().wait()


def _ask(first: str, lines: Iterator[str], phone: Phone, screen: Screen, within_s: float) -> int:
    """Post each line once the one before has been answered."""
    line: str | None = first
    while line is not None:
        screen.you(line)
        if problem := phone.ask(line, within_s):
            screen.note(problem)
            return 1
        line = next(lines, None)
    phone.settle()
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/run",
        description="Run the daemon on this machine and talk to it. A stand-in takes WhatsApp's"
        " place, so neither an account nor a key is needed.",
        epilog="On a terminal there is a prompt. Without one each line of standard input is posted,"
        " and the exit code is 0 if all were answered, 1 if not; with standard input at its end"
        " from the start everything stays up until it is stopped.",
    )
    parser.add_argument(
        "--engine", choices=sorted(ANSWER_WITHIN_S), default="echo",
        help="who answers; anthropic needs ANTHROPIC_API_KEY (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help="the webhook's port (default: %(default)s)"
    )
    parser.add_argument(
        "--verbose", action="store_true", help="show the daemon's log on standard error"
    )
    return parser.parse_args()


def _raise_on_signals() -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Stopped

    def ended(_number: int, _frame: FrameType | None) -> None:
        raise DaemonEnded

    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, stop)
    signal.signal(signal.SIGUSR1, ended)


def _raise_in_main_thread() -> None:
    """End what the main thread waits for; called from another one."""
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)


def _hurry_on_signals(daemon: Daemon) -> None:
    """From here on the end is under way; whoever asks for it again cannot wait."""
    for number in _ENDING:
        signal.signal(number, lambda _number, _frame: daemon.hurry())
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
