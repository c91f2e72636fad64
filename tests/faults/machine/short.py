"""Which cases the short form has: of each kind the ones that no other stands for."""

from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

import pytest
from _pytest.mark import ParameterSet

Case = TypeVar("Case")


def mostly_long(
    cases: Sequence[Case], name_of: Callable[[Case], str], *, short: Collection[str]
) -> list[ParameterSet]:
    """All of ``cases`` for `parametrize`; those that are not named ``short`` are marked long."""
    names = [name_of(case) for case in cases]
    assert set(short) <= set(names), set(short) - set(names)
    return [
        pytest.param(case, id=name, marks=() if name in short else pytest.mark.long)
        for case, name in zip(cases, names, strict=True)
    ]
