"""Mode selects a room; it is never an `if`.

Looking up by mode (``transcripts[mode]``, ``pipelines.get(mode)``) is how it is meant. Branching on
it, scattered over a code base, is how words come to be kept that should not be.
"""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.source import PACKAGE, modules, name_of, tree_of

FREE = ("openparallax/model/", "openparallax/app/")
REASONS = {
    "openparallax/chats/learning.py": "of two chats of one person the one off the record survives",
    "openparallax/session/placement.py": "decides the mode: what a command does to the sessions",
}


def branches_on_mode(tree: ast.AST) -> list[int]:
    """Lines on which something is decided by comparing or testing a mode."""
    return sorted({line for node in ast.walk(tree) for line in _decided_by_mode(node)})


def _decided_by_mode(node: ast.AST) -> Iterator[int]:
    tests: list[ast.AST]
    match node:
        case (
            ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test) | ast.Assert(test=test)
        ):
            tests = [test]
        case ast.Compare():
            tests = [node]
        case ast.BoolOp(values=values):
            tests = list(values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            tests = [operand]
        case ast.comprehension(ifs=ifs):
            tests = list(ifs)
        case ast.Match(subject=subject, cases=cases):
            tests = [subject]
            for case in cases:
                tests += [case.pattern, *([case.guard] if case.guard else [])]
        case _:
            return
    for decided in tests:
        for mention in _mentions(decided):
            yield mention.lineno


def _mentions(node: ast.AST) -> Iterator[ast.expr]:
    """Where ``node`` names a mode, other than to look something up by it."""
    match node:
        case ast.Name(id="Mode" | "mode") | ast.Attribute(attr="mode"):
            yield node
        case ast.Subscript(value=value):
            yield from _mentions(value)
        case ast.Call(func=ast.Attribute(value=value, attr="get")):
            yield from _mentions(value)
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _mentions(child)


def test_nothing_branches_on_mode_outside_the_rooms_that_may() -> None:
    found = {
        f"{name_of(path)}:{line}"
        for path in modules()
        if not name_of(path).startswith(FREE) and name_of(path) not in REASONS
        for line in branches_on_mode(tree_of(path))
    }
    assert found == set()


def test_each_exception_is_still_needed() -> None:
    needless = [name for name in REASONS if not branches_on_mode(tree_of(PACKAGE.parent / name))]
    assert needless == []


@pytest.mark.parametrize(
    "line",
    [
        "if session.mode is Mode.OFF_THE_RECORD: pass",
        "if session.mode: pass",
        "x = a if envelope.session.mode == other else b",
        "while mode: pass",
        "is_off = session.mode is not Mode.ON_THE_RECORD",
        "x = [e for e in entries if e.session.mode]",
        "x = session.mode and keep(entry)",
        "x = not session.mode",
        "match session.mode:\n    case 1: pass",
        "match x:\n    case Mode.OFF_THE_RECORD: pass",
        "if is_off(session.mode): pass",
        "if x in (Mode.OFF_THE_RECORD,): pass",
    ],
)
def test_a_branch_is_seen(line: str) -> None:
    assert branches_on_mode(ast.parse(line))


@pytest.mark.parametrize(
    "line",
    [
        "transcript = transcripts[session.mode]",
        "if await transcripts[session.mode].read(session, turn, part): pass",
        "if pipelines.get(mode) is None: pass",
        "Session(id, Mode.OFF_THE_RECORD)",
        "rows = int(session.mode)",
    ],
)
def test_a_look_up_is_no_branch(line: str) -> None:
    assert not branches_on_mode(ast.parse(line))
