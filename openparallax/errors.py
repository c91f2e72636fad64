"""Errors of the house. The docstring of a class is its default message."""

import errno
import inspect
import os


class OpenParallaxError(Exception):
    """Something went wrong in OpenParallax.

    Every error of the house derives from this one. Its text is safe to log and to print: it never
    holds the words of a contact nor a secret.
    """

    def __init__(self, message: str | None = None) -> None:
        text = message or (inspect.getdoc(type(self)) or "").split("\n", 1)[0]
        super().__init__(text)


class ConfigError(OpenParallaxError):
    """The configuration is not usable.

    Attributes:
        problems: One sentence each, every one found; no values.
        hints: What would mend it, where that is not in the sentences.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class StartError(OpenParallaxError):
    """The daemon cannot start.

    Attributes:
        exit_code: What the process ends with (sysexits).
    """

    def __init__(self, message: str, *, exit_code: int = 70) -> None:
        self.exit_code = exit_code
        super().__init__(message)


def cannot_listen(error: OSError, host: str, port: int, hint: str) -> StartError:
    """What is in the way of a listener: the address is taken (75) or not to be had (78)."""
    number = error.errno or 0
    why = os.strerror(number) if number > 0 else "no such address"  # below 0: a look-up's
    return StartError(
        f"cannot listen on {host} port {port}: {why}; {hint}",
        exit_code=75 if number == errno.EADDRINUSE else 78,
    )


class Refusal(OpenParallaxError):  # noqa: N818 - an answer to whoever asked, no fault
    """What an operator asked for was not done.

    Attributes:
        exit_code: What the command that asked ends with.
    """

    def __init__(self, message: str, *, exit_code: int = 1) -> None:
        self.exit_code = exit_code
        super().__init__(message)


class NotStored(OpenParallaxError):  # noqa: N818 - says what did not happen; the webhook answers 503
    """It could not be written to disk; nothing of it was kept, and it may be brought again.

    Attributes:
        reason: The database's name of the error; "" where it was not the database.
    """

    def __init__(self, message: str | None = None, *, reason: str = "") -> None:
        self.reason = reason
        super().__init__(message)


class Stale(OpenParallaxError):  # noqa: N818 - a state, not a fault: somebody else was first
    """The row had already left the state that the change starts from; nothing was changed."""
