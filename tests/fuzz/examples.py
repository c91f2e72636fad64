"""A target's inputs as Hypothesis draws them."""

from hypothesis import strategies as st

from tests.fuzz.target import Mutate, Target


def inputs(target: Target) -> st.SearchStrategy[bytes]:
    """Any bytes; words of the target among them; its seeds, and neighbours of its seeds."""
    pieces = [st.binary(max_size=24), st.text(max_size=12).map(_encoded)]
    if target.words:
        pieces.append(st.sampled_from([_encoded(word) for word in target.words]))
    ways = [st.lists(st.one_of(pieces), max_size=12).map(b"".join)]
    seeds = [seed for seed in target.seeds() if len(seed) <= target.longest]
    if seeds:
        mutate: Mutate = target.mutate or _changed
        neighbours = st.builds(mutate, st.sampled_from(seeds), st.integers(0, 2**32 - 1))
        ways = [*ways, neighbours, st.builds(mutate, neighbours, st.integers(0, 2**32 - 1))]
    return st.one_of(ways).map(lambda data: data[: target.longest])


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _changed(data: bytes, seed: int) -> bytes:
    """Some bytes turned, taken away or put in."""
    at = seed % (len(data) + 1)
    some = bytes([seed >> 8 & 255, seed >> 16 & 255])
    return data[:at] + (b"", some[:1], some)[seed % 3] + data[at + (seed >> 24) % 3 :]
