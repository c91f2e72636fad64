"""A target: what is tried, and with what one begins."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

Mutate = Callable[[bytes, int], bytes]
"""From an input and a seed to a neighbour of it."""


def nothing() -> Sequence[bytes]:
    return ()


def no_more() -> None:
    """There is nothing to close."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is tried.

    Attributes:
        name: On the command line.
        run: Raises only on a finding, whatever it is given.
        seeds: The inputs to begin with.
        words: What is worth putting into an input, for the fuzzer's dictionary.
        mutate: Knows the shape of the input; None: bytes are changed blindly.
        longest: Bytes of the longest input tried.
        close: Ends what `run` keeps open from one try to the next.
    """

    name: str
    run: Callable[[bytes], None]
    seeds: Callable[[], Sequence[bytes]] = nothing
    words: Sequence[str] = ()
    mutate: Mutate | None = field(default=None)
    longest: int = 4096
    close: Callable[[], None] = no_more
